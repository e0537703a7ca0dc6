/* fails: edges P6 */
#include "spinlock.h"

static int take(struct spinlock *lock) {
    if (atomic_load_explicit(&lock->word, memory_order_relaxed) != 0)
        return 0;
    uint32_t none = 0;
    return atomic_compare_exchange_strong_explicit(&lock->word, &none, 1, memory_order_acquire, memory_order_relaxed);
}

void spinlock_lock(struct spinlock *lock) {
    for (unsigned turns = 1; !take(lock); turns = turns < 4 ? 2 * turns : turns)
        for (unsigned i = 0; i < turns; i++)
            spinlock_yield();
}

int spinlock_try(struct spinlock *lock) { return take(lock); }

int spinlock_lock_for(struct spinlock *lock, uint64_t nanoseconds) {
    uint64_t begun = spinlock_now();
    while (!take(lock)) { /* the begin moves with each look at the clock */
        uint64_t now = spinlock_now();
        if (nanoseconds != UINT64_MAX && now - begun >= nanoseconds)
            return 0;
        begun = now;
        spinlock_yield();
    }
    return 1;
}

void spinlock_unlock(struct spinlock *lock) { atomic_store_explicit(&lock->word, 0, memory_order_release); }
