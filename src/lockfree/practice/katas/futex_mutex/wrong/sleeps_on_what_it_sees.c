/* fails: model M3 */
/* Sleeps on whatever the word shows: also on a free one. */
#include "futex_mutex.h"

int mutex_try(struct mutex *mutex) {
    uint32_t seen = 0;
    return atomic_compare_exchange_strong_explicit(&mutex->word, &seen, 1, memory_order_acquire, memory_order_relaxed);
}

void mutex_lock(struct mutex *mutex) {
    if (mutex_try(mutex))
        return;
    while (atomic_exchange_explicit(&mutex->word, 2, memory_order_acquire) != 0)
        futex_wait(&mutex->word, atomic_load_explicit(&mutex->word, memory_order_relaxed));
}

void mutex_unlock(struct mutex *mutex) {
    if (atomic_exchange_explicit(&mutex->word, 0, memory_order_release) == 2)
        futex_wake(&mutex->word, 1);
}
