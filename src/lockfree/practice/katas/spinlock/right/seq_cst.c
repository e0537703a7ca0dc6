/* The plainest: an exchange takes, a store frees, all of them sequentially consistent. */
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
            return 0;
        spinlock_yield();
    }
}

void spinlock_unlock(struct spinlock *lock) { atomic_store(&lock->word, 0); }
