/* Backs off: each failed attempt doubles the number of turns before the next one. The deadline saturates. */
#include "spinlock.h"

enum { LONGEST = 4 };

int spinlock_try(struct spinlock *lock) { return !atomic_exchange_explicit(&lock->word, 1, memory_order_acquire); }

/* Waits until the lock looks free, or the deadline is over. */
static int looks_free(struct spinlock *lock, uint64_t deadline) {
    while (atomic_load_explicit(&lock->word, memory_order_relaxed)) {
        if (deadline != UINT64_MAX && spinlock_now() >= deadline)
            return 0;
        spinlock_yield();
    }
    return 1;
}

static int lock_until(struct spinlock *lock, uint64_t deadline) {
    for (int turns = 1; !spinlock_try(lock); turns = turns < LONGEST ? 2 * turns : LONGEST) {
        for (int turn = 0; turn < turns; turn++)
            spinlock_yield();
        if (!looks_free(lock, deadline))
            return 0;
    }
    return 1;
}

void spinlock_lock(struct spinlock *lock) { lock_until(lock, UINT64_MAX); }

int spinlock_lock_for(struct spinlock *lock, uint64_t nanoseconds) {
    uint64_t now = spinlock_now();
    return lock_until(lock, nanoseconds > UINT64_MAX - now ? UINT64_MAX : now + nanoseconds);
}

void spinlock_unlock(struct spinlock *lock) { atomic_store_explicit(&lock->word, 0, memory_order_release); }
