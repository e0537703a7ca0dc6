#include "spinlock.h"

void spinlock_lock(struct spinlock *lock) { (void)lock; }

int spinlock_try(struct spinlock *lock) {
    (void)lock;
    return 0;
}

int spinlock_lock_for(struct spinlock *lock, uint64_t nanoseconds) {
    (void)lock;
    (void)nanoseconds;
    return 0;
}

void spinlock_unlock(struct spinlock *lock) { (void)lock; }
