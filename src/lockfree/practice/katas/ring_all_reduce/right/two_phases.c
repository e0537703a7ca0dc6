#include "ring_all_reduce.h"

#include <stdbool.h>

struct chunk {
    uint32_t begin, end;
};

/* Chunk `number` of `ranks`; numbers count round the ring. Chunks differ by one word at most. */
static struct chunk chunk_of(uint32_t number, uint32_t ranks, uint32_t count) {
    uint64_t n = number % ranks;
    return (struct chunk){(uint32_t)(n * count / ranks), (uint32_t)((n + 1) * count / ranks)};
}

static uint32_t next_piece(uint32_t begin, uint32_t end) { return end - begin < LINK_WORDS ? end - begin : LINK_WORDS; }

/* Sends one chunk and takes another one, piece by piece in turns: nobody can wait for room while all others do, too. */
static void pass(int64_t *words, struct chunk out, struct chunk in, bool add, struct link *to, struct link *from) {
    while (out.begin < out.end || in.begin < in.end) {
        if (out.begin < out.end) {
            uint32_t count = next_piece(out.begin, out.end);
            link_send(to, words + out.begin, count);
            out.begin += count;
        }
        if (in.begin < in.end) {
            uint32_t count;
            const int64_t *piece = link_receive(from, &count);
            for (uint32_t i = 0; i < count; i++)
                words[in.begin + i] = add ? words[in.begin + i] + piece[i] : piece[i];
            link_done(from);
            in.begin += count;
        }
    }
}

void ring_all_reduce(uint32_t rank, uint32_t ranks, int64_t *words, uint32_t count, struct link *to_next,
                     struct link *from_previous) {
    if (ranks == 1)
        return;
    for (uint32_t step = 0; step < ranks - 1; step++)
        pass(words, chunk_of(rank + ranks - step, ranks, count), chunk_of(rank + ranks - step - 1, ranks, count), true,
             to_next, from_previous);
    for (uint32_t step = 0; step < ranks - 1; step++)
        pass(words, chunk_of(rank + ranks + 1 - step, ranks, count), chunk_of(rank + ranks - step, ranks, count), false,
             to_next, from_previous);
    link_flush(to_next);
}
