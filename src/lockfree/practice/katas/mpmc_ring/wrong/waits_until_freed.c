/* fails: stop M7 */
/* A put tells full from the two counters, and waits for a consumer that has claimed the slot but not freed it. */
#include "mpmc_ring.h"
#include <stdatomic.h>
struct place {
    _Atomic uint64_t turn; /* 2 * round: free for this round; 2 * round + 1: holds the record of this round */
    struct mpmc_record rec;
};
struct mpmc_ring {
    uint64_t mask;
    unsigned shift;
    _Alignas(64) _Atomic uint64_t front;
    _Alignas(64) _Atomic uint64_t back;
    _Alignas(64) struct place at[];
};
size_t mpmc_size(uint32_t capacity) { return sizeof(struct mpmc_ring) + capacity * sizeof(struct place); }
void mpmc_init(struct mpmc_ring *r, uint32_t capacity, uint32_t start) {
    r->mask = capacity - 1;
    r->shift = (unsigned)__builtin_ctz(capacity);
    atomic_init(&r->front, start);
    atomic_init(&r->back, start);
    for (uint64_t i = start; i < (uint64_t)start + capacity; i++)
        atomic_init(&r->at[i & r->mask].turn, i >> r->shift << 1);
}
int mpmc_put(struct mpmc_ring *r, const struct mpmc_record *record) {
    uint64_t i = atomic_load_explicit(&r->back, memory_order_relaxed);
    for (;;) {
        struct place *p = &r->at[i & r->mask];
        uint64_t mine = i >> r->shift << 1;
        if (atomic_load_explicit(&p->turn, memory_order_acquire) == mine) {
            if (atomic_compare_exchange_strong_explicit(&r->back, &i, i + 1, memory_order_relaxed,
                                                        memory_order_relaxed)) {
                p->rec = *record;
                atomic_store_explicit(&p->turn, mine + 1, memory_order_release);
                return 1;
            }
        } else {
            if (i - atomic_load_explicit(&r->front, memory_order_relaxed) > r->mask)
                return 0;
            i = atomic_load_explicit(&r->back, memory_order_relaxed);
        }
    }
}
int mpmc_get(struct mpmc_ring *r, struct mpmc_record *record) {
    uint64_t i = atomic_load_explicit(&r->front, memory_order_relaxed);
    for (;;) {
        struct place *p = &r->at[i & r->mask];
        uint64_t full = (i >> r->shift << 1) + 1;
        if (atomic_load_explicit(&p->turn, memory_order_acquire) == full) {
            if (atomic_compare_exchange_strong_explicit(&r->front, &i, i + 1, memory_order_relaxed,
                                                        memory_order_relaxed)) {
                *record = p->rec;
                atomic_store_explicit(&p->turn, full + 1, memory_order_release);
                return 1;
            }
        } else {
            uint64_t before = i;
            i = atomic_load_explicit(&r->front, memory_order_relaxed);
            if (i == before)
                return 0;
        }
    }
}
