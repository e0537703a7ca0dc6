/* Relaxed operations and a fence take. The exchange that frees is a release itself, so that it, too, comes before a free. */
#include "futex_mutex.h"

int mutex_try(struct mutex *mutex) {
    uint32_t seen = 0;
    if (!atomic_compare_exchange_strong_explicit(&mutex->word, &seen, 1, memory_order_relaxed, memory_order_relaxed))
        return 0;
    atomic_thread_fence(memory_order_acquire);
    return 1;
}

void mutex_lock(struct mutex *mutex) {
    if (mutex_try(mutex))
        return;
    while (atomic_exchange_explicit(&mutex->word, 2, memory_order_relaxed) != 0)
        futex_wait(&mutex->word, 2);
    atomic_thread_fence(memory_order_acquire);
}

void mutex_unlock(struct mutex *mutex) {
    if (atomic_exchange_explicit(&mutex->word, 0, memory_order_release) == 2)
        futex_wake(&mutex->word, 1);
}
