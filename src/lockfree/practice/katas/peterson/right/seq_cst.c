/* Everything sequentially consistent: what the textbook means without saying it. */
#include <sched.h>

#include "peterson.h"

void peterson_lock(struct peterson *lock, int me) {
    atomic_store(&lock->wants[me], 1);
    atomic_store(&lock->turn, 1 - me);
    while (atomic_load(&lock->wants[1 - me]) && atomic_load(&lock->turn) == 1 - me)
        sched_yield();
}

void peterson_unlock(struct peterson *lock, int me) { atomic_store(&lock->wants[me], 0); }
