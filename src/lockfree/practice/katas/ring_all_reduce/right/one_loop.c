/* Both phases are one loop: what was taken in a step is sent in the next one. The first ranks - 1 steps add, the others copy. */
#include "ring_all_reduce.h"

#include <string.h>

static uint32_t begin_of(uint32_t chunk, uint32_t ranks, uint32_t count) {
    uint32_t small = count / ranks, larger = count % ranks; /* the first chunks have one word more */
    return chunk * small + (chunk < larger ? chunk : larger);
}

void ring_all_reduce(uint32_t rank, uint32_t ranks, int64_t *words, uint32_t count, struct link *to_next,
                     struct link *from_previous) {
    uint32_t mine = rank;
    for (uint32_t step = 0; step < 2 * (ranks - 1); step++) {
        uint32_t other = mine == 0 ? ranks - 1 : mine - 1;
        uint32_t out = begin_of(mine, ranks, count), out_end = begin_of(mine + 1, ranks, count);
        uint32_t in = begin_of(other, ranks, count), in_end = begin_of(other + 1, ranks, count);
        while (out < out_end || in < in_end) {
            if (out < out_end) {
                uint32_t piece = out_end - out > LINK_WORDS ? LINK_WORDS : out_end - out;
                link_send(to_next, words + out, piece);
                out += piece;
            }
            if (in < in_end) {
                uint32_t piece;
                const int64_t *received = link_receive(from_previous, &piece);
                if (step < ranks - 1)
                    for (uint32_t i = 0; i < piece; i++)
                        words[in + i] += received[i];
                else
                    memcpy(words + in, received, piece * sizeof words[0]);
                link_done(from_previous);
                in += piece;
            }
        }
        mine = other;
    }
    if (ranks > 1)
        link_flush(to_next);
}
