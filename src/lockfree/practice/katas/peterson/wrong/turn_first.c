/* fails: model E1 */
/* Gives the turn away before it says that it wants to go in. */
#include <sched.h>

#include "peterson.h"

void peterson_lock(struct peterson *lock, int me) {
    atomic_store(&lock->turn, 1 - me);
    atomic_store(&lock->wants[me], 1);
    while (atomic_load(&lock->wants[1 - me]) && atomic_load(&lock->turn) == 1 - me)
        sched_yield();
}

void peterson_unlock(struct peterson *lock, int me) { atomic_store(&lock->wants[me], 0); }
