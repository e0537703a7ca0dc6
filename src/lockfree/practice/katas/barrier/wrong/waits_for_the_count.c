/* fails: model B2 */
/* The sign of the end is a count of 0. A fast thread that comes again takes the sign away. */
#include "barrier.h"

#include <stdatomic.h>

struct barrier {
    uint32_t threads;
    _Atomic uint32_t arrived;
};

size_t barrier_size(void) { return sizeof(struct barrier); }

void barrier_init(struct barrier *barrier, uint32_t threads, uint32_t start) {
    barrier->threads = threads;
    atomic_init(&barrier->arrived, 0);
    (void)start;
}

int barrier_wait(struct barrier *barrier) {
    if (atomic_fetch_add_explicit(&barrier->arrived, 1, memory_order_acq_rel) + 1 == barrier->threads) {
        atomic_store_explicit(&barrier->arrived, 0, memory_order_release);
        return 1;
    }
    while (atomic_load_explicit(&barrier->arrived, memory_order_acquire) != 0)
        barrier_yield();
    return 0;
}
