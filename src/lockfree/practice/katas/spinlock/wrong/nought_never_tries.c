/* fails: edges P6 */
/* With a time-out of 0 it does not even look. */
#include "spinlock.h"

int spinlock_try(struct spinlock *lock) {
    uint32_t seen = 0;
    if (!atomic_compare_exchange_strong_explicit(&lock->word, &seen, 1, memory_order_relaxed, memory_order_relaxed))
        return 0;
    atomic_thread_fence(memory_order_acquire);
    return 1;
}

void spinlock_lock(struct spinlock *lock) {
    while (!spinlock_try(lock))
        spinlock_yield();
}

int spinlock_lock_for(struct spinlock *lock, uint64_t nanoseconds) {
    uint64_t began = spinlock_now();
    while (spinlock_now() - began < nanoseconds) {
        if (spinlock_try(lock))
            return 1;
        spinlock_yield();
    }
    return 0;
}

void spinlock_unlock(struct spinlock *lock) {
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&lock->word, 0, memory_order_relaxed);
}
