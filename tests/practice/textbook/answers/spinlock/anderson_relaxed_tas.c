/* expected: REJECT model P3 */
/* Anderson 1990: look with plain loads, then test-and-set; give the CPU away between looks. */
#include "spinlock.h"
static int grab(struct spinlock *lock) {
    return atomic_load_explicit(&lock->word, memory_order_relaxed) == 0 &&
           atomic_exchange_explicit(&lock->word, 1, memory_order_relaxed) == 0;
}
void spinlock_lock(struct spinlock *lock) {
    while (!grab(lock))
        spinlock_yield();
}
int spinlock_try(struct spinlock *lock) { return grab(lock); }
int spinlock_lock_for(struct spinlock *lock, uint64_t nanoseconds) {
    uint64_t begun = spinlock_now();
    for (;;) {
        if (grab(lock))
            return 1;
        if (nanoseconds != UINT64_MAX && spinlock_now() - begun >= nanoseconds)
            return 0;
        spinlock_yield();
    }
}
void spinlock_unlock(struct spinlock *lock) { atomic_store_explicit(&lock->word, 0, memory_order_release); }
