/* fails: model M1 */
/* Looks, and then takes: two steps. */
#include "futex_mutex.h"

int mutex_try(struct mutex *mutex) {
    if (atomic_load_explicit(&mutex->word, memory_order_acquire) != 0)
        return 0;
    atomic_store_explicit(&mutex->word, 1, memory_order_relaxed);
    return 1;
}

void mutex_lock(struct mutex *mutex) {
    if (mutex_try(mutex))
        return;
    while (atomic_exchange_explicit(&mutex->word, 2, memory_order_acquire) != 0)
        futex_wait(&mutex->word, 2);
}

void mutex_unlock(struct mutex *mutex) {
    if (atomic_exchange_explicit(&mutex->word, 0, memory_order_release) == 2)
        futex_wake(&mutex->word, 1);
}
