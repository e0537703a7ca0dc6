/* expected: REJECT model M1 */
/* Vyukov's bounded queue: each cell has a sequence number that says whose turn it is. */
#include "mpmc_ring.h"
#include <stdatomic.h>
#define FREE(at) (2 * (at))
#define FULL(at) (2 * (at) + 1)
struct cell {
    _Atomic uint32_t turn;
    struct mpmc_record value;
};
struct mpmc_ring {
    uint32_t mask;
    _Alignas(64) _Atomic uint32_t in;
    _Alignas(64) _Atomic uint32_t out;
    _Alignas(64) struct cell cell[];
};
size_t mpmc_size(uint32_t capacity) { return sizeof(struct mpmc_ring) + capacity * sizeof(struct cell); }
void mpmc_init(struct mpmc_ring *r, uint32_t capacity, uint32_t start) {
    r->mask = capacity - 1;
    for (uint32_t i = 0; i < capacity; i++)
        atomic_init(&r->cell[(start + i) & r->mask].turn, FREE(start + i));
    atomic_init(&r->in, start);
    atomic_init(&r->out, start);
}
int mpmc_put(struct mpmc_ring *r, const struct mpmc_record *value) {
    uint32_t at = atomic_load_explicit(&r->in, memory_order_relaxed);
    for (;;) {
        struct cell *cell = &r->cell[at & r->mask];
        int32_t late = (int32_t)(atomic_load_explicit(&cell->turn, memory_order_acquire) - FREE(at));
        if (late < 0)
            return 0;
        if (late > 0)
            at = atomic_load_explicit(&r->in, memory_order_relaxed);
        else if (atomic_compare_exchange_weak_explicit(&r->in, &at, at + 1, memory_order_relaxed,
                                                       memory_order_relaxed)) {
            cell->value = *value;
            atomic_store_explicit(&cell->turn, FULL(at), memory_order_relaxed);
            return 1;
        }
    }
}
int mpmc_get(struct mpmc_ring *r, struct mpmc_record *value) {
    uint32_t at = atomic_load_explicit(&r->out, memory_order_relaxed);
    for (;;) {
        struct cell *cell = &r->cell[at & r->mask];
        int32_t late = (int32_t)(atomic_load_explicit(&cell->turn, memory_order_acquire) - FULL(at));
        if (late < 0)
            return 0;
        if (late > 0)
            at = atomic_load_explicit(&r->out, memory_order_relaxed);
        else if (atomic_compare_exchange_weak_explicit(&r->out, &at, at + 1, memory_order_relaxed,
                                                       memory_order_relaxed)) {
            *value = cell->value;
            atomic_store_explicit(&cell->turn, FREE(at + r->mask + 1), memory_order_release);
            return 1;
        }
    }
}
