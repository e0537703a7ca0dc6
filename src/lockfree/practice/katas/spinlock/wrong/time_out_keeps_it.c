/* fails: edges P5 */
/* Takes the lock at the last moment, and says that it has not. */
#include "spinlock.h"

enum { TURNS = 8 };

int spinlock_try(struct spinlock *lock) {
    return atomic_load_explicit(&lock->word, memory_order_relaxed) == 0 &&
           atomic_exchange_explicit(&lock->word, 1, memory_order_acquire) == 0;
}

void spinlock_lock(struct spinlock *lock) {
    for (int turn = 0; !spinlock_try(lock); turn++)
        if (turn % TURNS == TURNS - 1)
            spinlock_yield();
}

int spinlock_lock_for(struct spinlock *lock, uint64_t nanoseconds) {
    if (spinlock_try(lock))
        return 1;
    uint64_t began = spinlock_now();
    do {
        spinlock_yield();
        int taken = spinlock_try(lock);
        if (spinlock_now() - began >= nanoseconds)
            return 0;
        if (taken)
            return 1;
    } while (1);
}

void spinlock_unlock(struct spinlock *lock) { atomic_store_explicit(&lock->word, 0, memory_order_release); }
