/* Looks before it takes again, so that waiting threads share the cache line. */
#include "spinlock.h"

int spinlock_try(struct spinlock *lock) { return atomic_exchange_explicit(&lock->word, 1, memory_order_acquire) == 0; }

static int is_taken(struct spinlock *lock) { return atomic_load_explicit(&lock->word, memory_order_relaxed) != 0; }

void spinlock_lock(struct spinlock *lock) {
    while (!spinlock_try(lock))
        while (is_taken(lock))
            spinlock_yield();
}

int spinlock_lock_for(struct spinlock *lock, uint64_t nanoseconds) {
    uint64_t began = spinlock_now();
    while (!spinlock_try(lock)) {
        do {
            if (spinlock_now() - began >= nanoseconds)
                return 0;
            spinlock_yield();
        } while (is_taken(lock));
    }
    return 1;
}

void spinlock_unlock(struct spinlock *lock) { atomic_store_explicit(&lock->word, 0, memory_order_release); }
