/* fails: model M8 */
/* Looks for those who wait in a mutex that may be gone by now. */
#include "futex_mutex.h"

static const uint32_t TAKEN = (uint32_t)1 << 31;

/* waiting: 1 if the caller is counted as one who waits, else 0. On 0, seen is what was there. */
static int take(struct mutex *mutex, uint32_t waiting, uint32_t *seen) {
    *seen = atomic_load_explicit(&mutex->word, memory_order_relaxed);
    while (!(*seen & TAKEN))
        if (atomic_compare_exchange_strong_explicit(&mutex->word, seen, (*seen - waiting) | TAKEN, memory_order_acquire,
                                                    memory_order_relaxed))
            return 1;
    return 0;
}

int mutex_try(struct mutex *mutex) {
    uint32_t seen;
    return take(mutex, 0, &seen);
}

void mutex_lock(struct mutex *mutex) {
    uint32_t seen;
    if (take(mutex, 0, &seen))
        return;
    atomic_fetch_add_explicit(&mutex->word, 1, memory_order_relaxed);
    while (!take(mutex, 1, &seen))
        futex_wait(&mutex->word, seen);
}

void mutex_unlock(struct mutex *mutex) {
    atomic_fetch_and_explicit(&mutex->word, ~TAKEN, memory_order_seq_cst);
    if (atomic_load_explicit(&mutex->word, memory_order_seq_cst) != 0)
        futex_wake(&mutex->word, 1);
}
