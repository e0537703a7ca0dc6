/* Relaxed operations between fences. */
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
    atomic_thread_fence(memory_order_release);
    int last = atomic_fetch_add_explicit(&barrier->arrived, 1, memory_order_relaxed) + 1 == barrier->threads;
    if (last) {
        atomic_thread_fence(memory_order_acquire);
        atomic_store_explicit(&barrier->arrived, 0, memory_order_relaxed);
        atomic_thread_fence(memory_order_release);
        atomic_store_explicit(&barrier->generation, generation + 1, memory_order_relaxed);
    } else {
        while (atomic_load_explicit(&barrier->generation, memory_order_relaxed) == generation)
            barrier_yield();
        atomic_thread_fence(memory_order_acquire);
    }
    return last;
}
