/* fails: model C2 */
/* Looks for sleepers in a semaphore that may be gone by now. */
#include "counting_semaphore.h"

struct semaphore {
    _Atomic uint32_t permits;
    _Atomic uint32_t sleepers;
    uint32_t max;
};

size_t semaphore_size(void) { return sizeof(struct semaphore); }

void semaphore_init(struct semaphore *semaphore, uint32_t initial, uint32_t max) {
    atomic_init(&semaphore->permits, initial);
    atomic_init(&semaphore->sleepers, 0);
    semaphore->max = max;
}

int semaphore_try_acquire(struct semaphore *semaphore) {
    uint32_t permits = atomic_load_explicit(&semaphore->permits, memory_order_relaxed);
    while (permits > 0)
        if (atomic_compare_exchange_weak_explicit(&semaphore->permits, &permits, permits - 1, memory_order_acquire,
                                                  memory_order_relaxed))
            return 1;
    return 0;
}

void semaphore_acquire(struct semaphore *semaphore) {
    while (!semaphore_try_acquire(semaphore)) {
        atomic_fetch_add_explicit(&semaphore->sleepers, 1, memory_order_seq_cst);
        futex_wait(&semaphore->permits, 0);
        atomic_fetch_sub_explicit(&semaphore->sleepers, 1, memory_order_seq_cst);
    }
}

int semaphore_release(struct semaphore *semaphore, uint32_t count) {
    uint32_t permits = atomic_load_explicit(&semaphore->permits, memory_order_relaxed);
    do {
        if (count > semaphore->max - permits)
            return 0;
    } while (!atomic_compare_exchange_weak_explicit(&semaphore->permits, &permits, permits + count,
                                                    memory_order_seq_cst, memory_order_relaxed));
    if (atomic_load_explicit(&semaphore->sleepers, memory_order_seq_cst) > 0)
        futex_wake(&semaphore->permits, count);
    return 1;
}
