/* A spin lock in one word. */
#ifndef SPINLOCK_H
#define SPINLOCK_H

#include <stdatomic.h>
#include <stdint.h>

struct spinlock {
    _Atomic uint32_t word; /* 0: free, and so it begins. The other values are yours. */
};

void spinlock_lock(struct spinlock *lock);
/* At once: 1 taken, 0 not. */
int spinlock_try(struct spinlock *lock);
/* 1 taken; 0 not taken, and so much time has passed since the call. UINT64_MAX: for ever. */
int spinlock_lock_for(struct spinlock *lock, uint64_t nanoseconds);
void spinlock_unlock(struct spinlock *lock);

/* Given. A clock that never goes back, in nanoseconds. */
uint64_t spinlock_now(void);
/* Given. Gives the CPU to another thread. */
void spinlock_yield(void);

#endif
