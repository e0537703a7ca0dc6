/* fails: model B5 */
/* Two threads can both see that nobody is missing. */
#include "barrier.h"

#include <stdatomic.h>

struct barrier {
    uint32_t threads;
    _Atomic uint32_t missing;
    _Atomic uint32_t generation;
};

size_t barrier_size(void) { return sizeof(struct barrier); }

void barrier_init(struct barrier *barrier, uint32_t threads, uint32_t start) {
    barrier->threads = threads;
    atomic_init(&barrier->missing, threads);
    atomic_init(&barrier->generation, start);
}

int barrier_wait(struct barrier *barrier) {
    uint32_t generation = atomic_load(&barrier->generation);
    atomic_fetch_sub(&barrier->missing, 1);
    if (atomic_load(&barrier->missing) == 0) {
        atomic_store(&barrier->missing, barrier->threads);
        atomic_fetch_add(&barrier->generation, 1);
        return 1;
    }
    while (atomic_load(&barrier->generation) == generation)
        barrier_yield();
    return 0;
}
