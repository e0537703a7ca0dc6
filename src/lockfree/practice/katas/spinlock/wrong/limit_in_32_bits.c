/* fails: edges P6 */
/* The time-out is kept in 32 bits, as the parameter of a function of its own: a long one ends early. */
#include "spinlock.h"

int spinlock_try(struct spinlock *lock) { return !atomic_exchange_explicit(&lock->word, 1, memory_order_acquire); }

void spinlock_lock(struct spinlock *lock) {
    while (!spinlock_try(lock))
        spinlock_yield();
}

static int wait_for(struct spinlock *lock, unsigned nanoseconds) {
    uint64_t began = spinlock_now();
    while (!spinlock_try(lock)) {
        if (spinlock_now() - began >= nanoseconds)
            return 0;
        spinlock_yield();
    }
    return 1;
}

int spinlock_lock_for(struct spinlock *lock, uint64_t nanoseconds) { return wait_for(lock, nanoseconds); }

void spinlock_unlock(struct spinlock *lock) { atomic_store_explicit(&lock->word, 0, memory_order_release); }
