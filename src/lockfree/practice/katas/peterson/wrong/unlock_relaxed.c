/* fails: model E4 */
/* Nothing orders what was done inside before the unlock. */
#include <sched.h>

#include "peterson.h"

void peterson_lock(struct peterson *lock, int me) {
    atomic_store_explicit(&lock->wants[me], 1, memory_order_relaxed);
    atomic_exchange_explicit(&lock->turn, 1 - me, memory_order_acq_rel);
    while (atomic_load_explicit(&lock->wants[1 - me], memory_order_acquire) &&
           atomic_load_explicit(&lock->turn, memory_order_acquire) == 1 - me)
        sched_yield();
}

void peterson_unlock(struct peterson *lock, int me) {
    atomic_store_explicit(&lock->wants[me], 0, memory_order_relaxed);
}
