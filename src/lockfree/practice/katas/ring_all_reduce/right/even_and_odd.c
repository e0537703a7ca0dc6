/* Rank 0 takes before it sends, all others send before they take: so there is always one who takes. */
#include "ring_all_reduce.h"

static uint32_t edge(uint32_t chunk, uint32_t ranks, uint32_t count) {
    return (uint32_t)((uint64_t)chunk * count / ranks);
}

static uint32_t send_piece(struct link *to, const int64_t *words, uint32_t left) {
    uint32_t count = left > LINK_WORDS ? LINK_WORDS : left;
    if (count > 0)
        link_send(to, words, count);
    return count;
}

static uint32_t take_piece(struct link *from, int64_t *words, uint32_t left, int add) {
    uint32_t count = 0;
    if (left == 0)
        return 0;
    const int64_t *piece = link_receive(from, &count);
    for (uint32_t i = 0; i < count; i++)
        words[i] = (add ? words[i] : 0) + piece[i];
    link_done(from);
    return count;
}

void ring_all_reduce(uint32_t rank, uint32_t ranks, int64_t *words, uint32_t count, struct link *to_next,
                     struct link *from_previous) {
    for (uint32_t step = 0; step + 2 < 2 * ranks; step++) {
        uint32_t out = (rank + 2 * ranks - step) % ranks, in = (out + ranks - 1) % ranks;
        uint32_t sent = edge(out, ranks, count), taken = edge(in, ranks, count);
        uint32_t sent_end = edge(out + 1, ranks, count), taken_end = edge(in + 1, ranks, count);
        while (sent < sent_end || taken < taken_end) {
            if (rank == 0)
                taken += take_piece(from_previous, words + taken, taken_end - taken, step < ranks - 1);
            sent += send_piece(to_next, words + sent, sent_end - sent);
            if (rank != 0)
                taken += take_piece(from_previous, words + taken, taken_end - taken, step < ranks - 1);
        }
    }
    if (ranks > 1)
        link_flush(to_next);
}
