/* fails: edges E3 */
/* They take turns, also when one of them never comes. */
#include <sched.h>

#include "peterson.h"

void peterson_lock(struct peterson *lock, int me) {
    while (atomic_load(&lock->turn) == 1 - me)
        sched_yield();
}

void peterson_unlock(struct peterson *lock, int me) { atomic_store(&lock->turn, 1 - me); }
