/* Two full fences. With only the second one, a thread can be overtaken at `turn` by one that has not seen that it wants to. */
#include <sched.h>

#include "peterson.h"

void peterson_lock(struct peterson *lock, int me) {
    atomic_store_explicit(&lock->wants[me], 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    atomic_store_explicit(&lock->turn, 1 - me, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    while (atomic_load_explicit(&lock->wants[1 - me], memory_order_relaxed) &&
           atomic_load_explicit(&lock->turn, memory_order_relaxed) == 1 - me)
        sched_yield();
    atomic_thread_fence(memory_order_acquire);
}

void peterson_unlock(struct peterson *lock, int me) {
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&lock->wants[me], 0, memory_order_relaxed);
}
