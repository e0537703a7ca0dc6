/* Counts towards a deadline. Where that does not fit into 64 bits, it is never. */
#include "spinlock.h"

static const uint64_t NEVER = UINT64_MAX;

int spinlock_try(struct spinlock *lock) { return !atomic_exchange_explicit(&lock->word, 1, memory_order_acquire); }

static int lock_until(struct spinlock *lock, uint64_t deadline) {
    while (!spinlock_try(lock)) {
        if (deadline != NEVER && spinlock_now() >= deadline)
            return 0;
        spinlock_yield();
    }
    return 1;
}

void spinlock_lock(struct spinlock *lock) { lock_until(lock, NEVER); }

int spinlock_lock_for(struct spinlock *lock, uint64_t nanoseconds) {
    uint64_t now = spinlock_now(), deadline = now + nanoseconds;
    return lock_until(lock, deadline < now ? NEVER : deadline);
}

void spinlock_unlock(struct spinlock *lock) { atomic_store_explicit(&lock->word, 0, memory_order_release); }
