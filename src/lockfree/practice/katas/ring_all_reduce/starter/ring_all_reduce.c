#include "ring_all_reduce.h"

void ring_all_reduce(uint32_t rank, uint32_t ranks, int64_t *words, uint32_t count, struct link *to_next,
                     struct link *from_previous) {
    (void)rank;
    (void)ranks;
    (void)words;
    (void)count;
    (void)to_next;
    (void)from_previous;
}
