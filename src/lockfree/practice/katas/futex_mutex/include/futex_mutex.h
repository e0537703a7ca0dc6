/* A mutex in one word. A thread that finds it taken sleeps in the kernel. */
#ifndef FUTEX_MUTEX_H
#define FUTEX_MUTEX_H

#include "futex.h"

struct mutex {
    _Atomic uint32_t word; /* 0: free, nobody waits; so it begins. The other values are yours. */
};

void mutex_lock(struct mutex *mutex);
/* At once: 1 taken, 0 not. */
int mutex_try(struct mutex *mutex);
/* By the holder. */
void mutex_unlock(struct mutex *mutex);

#endif
