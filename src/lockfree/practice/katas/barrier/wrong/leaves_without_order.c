/* fails: model B4 */
/* A thread that leaves may have read the others' data before. */
#include "barrier.h"

#include <stdatomic.h>

struct barrier {
    uint32_t threads;
    _Atomic uint32_t arrived;
    _Atomic uint32_t generation;
};

size_t barrier_size(void) { return sizeof(struct barrier); }

void barrier_init(struct barrier *barrier, uint32_t threads, uint32_t start) {
    barrier->threads = threads;
    atomic_init(&barrier->arrived, 0);
    atomic_init(&barrier->generation, start);
}

int barrier_wait(struct barrier *barrier) {
    uint32_t generation = atomic_load_explicit(&barrier->generation, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&barrier->arrived, 1, memory_order_acq_rel) + 1 == barrier->threads) {
        atomic_store_explicit(&barrier->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&barrier->generation, generation + 1, memory_order_release);
        return 1;
    }
    while (atomic_load_explicit(&barrier->generation, memory_order_relaxed) == generation)
        barrier_yield();
    return 0;
}
