/* The second mutex of Drepper's "Futexes are tricky": each change that can fail is one compare-and-swap. */
#include "futex_mutex.h"

static uint32_t change(struct mutex *mutex, uint32_t from, uint32_t to) {
    atomic_compare_exchange_strong(&mutex->word, &from, to);
    return from;
}

void mutex_lock(struct mutex *mutex) {
    uint32_t seen = change(mutex, 0, 1);
    if (seen == 0)
        return;
    do {
        if (seen == 2 || change(mutex, 1, 2) != 0)
            futex_wait(&mutex->word, 2);
    } while ((seen = change(mutex, 0, 2)) != 0);
}

int mutex_try(struct mutex *mutex) { return change(mutex, 0, 1) == 0; }

void mutex_unlock(struct mutex *mutex) {
    if (atomic_fetch_sub(&mutex->word, 1) != 1) {
        atomic_store(&mutex->word, 0);
        futex_wake(&mutex->word, 1);
    }
}
