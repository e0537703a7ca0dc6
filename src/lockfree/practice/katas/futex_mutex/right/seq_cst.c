/* The plainest: everything sequentially consistent. A waiter marks a taken mutex before it sleeps. */
#include "futex_mutex.h"

enum { FREE, TAKEN, SLEEPERS };

int mutex_try(struct mutex *mutex) {
    uint32_t seen = FREE;
    return atomic_compare_exchange_strong(&mutex->word, &seen, TAKEN);
}

void mutex_lock(struct mutex *mutex) {
    uint32_t mine = TAKEN;
    for (;;) {
        uint32_t seen = FREE;
        if (atomic_compare_exchange_strong(&mutex->word, &seen, mine))
            return;
        if (seen == SLEEPERS || atomic_compare_exchange_strong(&mutex->word, &seen, SLEEPERS)) {
            futex_wait(&mutex->word, SLEEPERS);
            mine = SLEEPERS;
        }
    }
}

void mutex_unlock(struct mutex *mutex) {
    if (atomic_exchange(&mutex->word, FREE) == SLEEPERS)
        futex_wake(&mutex->word, 1);
}
