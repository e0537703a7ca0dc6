/* fails: model E2 */
/* Both want to go in, and each waits for the other. */
#include <sched.h>

#include "peterson.h"

void peterson_lock(struct peterson *lock, int me) {
    atomic_store(&lock->wants[me], 1);
    while (atomic_load(&lock->wants[1 - me]))
        sched_yield();
}

void peterson_unlock(struct peterson *lock, int me) { atomic_store(&lock->wants[me], 0); }
