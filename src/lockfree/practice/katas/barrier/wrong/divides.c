/* fails: model B6 */
/* Counts on for ever and divides: the quotient jumps at the wrap. */
#include "barrier.h"

#include <stdatomic.h>

struct barrier {
    uint32_t threads;
    _Atomic uint32_t arrived;
};

size_t barrier_size(void) { return sizeof(struct barrier); }

void barrier_init(struct barrier *barrier, uint32_t threads, uint32_t start) {
    barrier->threads = threads;
    atomic_init(&barrier->arrived, start - start % threads);
}

int barrier_wait(struct barrier *barrier) {
    uint32_t ticket = atomic_fetch_add(&barrier->arrived, 1);
    while (atomic_load(&barrier->arrived) / barrier->threads == ticket / barrier->threads)
        barrier_yield();
    return ticket % barrier->threads == barrier->threads - 1;
}
