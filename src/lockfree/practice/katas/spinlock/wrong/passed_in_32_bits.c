/* fails: edges P6 */
/* The time that has passed is a 32-bit number: a time-out of more than four seconds never comes. */
#include "spinlock.h"

int spinlock_try(struct spinlock *lock) { return !atomic_exchange_explicit(&lock->word, 1, memory_order_acquire); }

void spinlock_lock(struct spinlock *lock) {
    while (!spinlock_try(lock))
        spinlock_yield();
}

int spinlock_lock_for(struct spinlock *lock, uint64_t nanoseconds) {
    uint32_t began = (uint32_t)spinlock_now();
    while (!spinlock_try(lock)) {
        if (nanoseconds != UINT64_MAX && (uint32_t)spinlock_now() - began >= nanoseconds)
            return 0;
        spinlock_yield();
    }
    return 1;
}

void spinlock_unlock(struct spinlock *lock) { atomic_store_explicit(&lock->word, 0, memory_order_release); }
