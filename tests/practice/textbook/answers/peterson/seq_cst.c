/* expected: ACCEPT */
/* Peterson 1981. */
#include "peterson.h"
void peterson_lock(struct peterson *lock, int me) {
    atomic_store_explicit(&lock->wants[me], 1, memory_order_seq_cst);
    atomic_store_explicit(&lock->turn, 1 - me, memory_order_seq_cst);
    while (atomic_load_explicit(&lock->wants[1 - me], memory_order_seq_cst) &&
           atomic_load_explicit(&lock->turn, memory_order_seq_cst) == 1 - me)
        ;
}
void peterson_unlock(struct peterson *lock, int me) {
    atomic_store_explicit(&lock->wants[me], 0, memory_order_release);
}
