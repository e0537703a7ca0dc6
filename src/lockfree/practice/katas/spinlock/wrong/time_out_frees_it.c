/* fails: edges P5 */
/* Frees a lock that somebody else holds. */
#include "spinlock.h"

int spinlock_try(struct spinlock *lock) { return atomic_exchange(&lock->word, 1) == 0; }

void spinlock_lock(struct spinlock *lock) {
    while (!spinlock_try(lock))
        spinlock_yield();
}

int spinlock_lock_for(struct spinlock *lock, uint64_t nanoseconds) {
    uint64_t began = spinlock_now();
    for (;;) {
        if (spinlock_try(lock))
            return 1;
        if (spinlock_now() - began >= nanoseconds)
            break;
        spinlock_yield();
    }
    spinlock_unlock(lock); /* leave it clean */
    return 0;
}

void spinlock_unlock(struct spinlock *lock) { atomic_store(&lock->word, 0); }
