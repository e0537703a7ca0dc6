/* fails: model B2 */
/* The first one of a round closes the door, also before a slow thread of the last round. */
#include "barrier.h"

#include <stdatomic.h>

struct barrier {
    uint32_t threads;
    _Atomic uint32_t arrived;
    _Atomic uint32_t open;
};

size_t barrier_size(void) { return sizeof(struct barrier); }

void barrier_init(struct barrier *barrier, uint32_t threads, uint32_t start) {
    barrier->threads = threads;
    atomic_init(&barrier->arrived, 0);
    atomic_init(&barrier->open, 0);
    (void)start;
}

int barrier_wait(struct barrier *barrier) {
    uint32_t before = atomic_fetch_add_explicit(&barrier->arrived, 1, memory_order_acq_rel);
    if (before == 0)
        atomic_store_explicit(&barrier->open, 0, memory_order_relaxed);
    if (before + 1 == barrier->threads) {
        atomic_store_explicit(&barrier->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&barrier->open, 1, memory_order_release);
        return 1;
    }
    while (atomic_load_explicit(&barrier->open, memory_order_acquire) == 0)
        barrier_yield();
    return 0;
}
