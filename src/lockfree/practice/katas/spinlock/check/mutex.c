/* One mutex around everything: what the stage speed compares with. */
#include "spinlock.h"

#include <pthread.h>

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

void spinlock_lock(struct spinlock *lock) {
    pthread_mutex_lock(&guard);
    (void)lock;
}

int spinlock_try(struct spinlock *lock) {
    (void)lock;
    return pthread_mutex_trylock(&guard) == 0;
}

int spinlock_lock_for(struct spinlock *lock, uint64_t nanoseconds) {
    uint64_t begin = spinlock_now();
    while (!spinlock_try(lock)) {
        if (nanoseconds != UINT64_MAX && spinlock_now() - begin >= nanoseconds)
            return 0;
        spinlock_yield();
    }
    return 1;
}

void spinlock_unlock(struct spinlock *lock) {
    pthread_mutex_unlock(&guard);
    (void)lock;
}
