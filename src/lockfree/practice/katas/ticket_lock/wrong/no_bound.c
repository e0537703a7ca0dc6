/* fails: edges T6 */
/* Never gives the CPU away. */
#include "ticket_lock.h"

void ticket_lock(struct ticket_lock *lock) {
    uint32_t mine = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
    while (atomic_load_explicit(&lock->serving, memory_order_acquire) != mine)
        ;
}

int ticket_try(struct ticket_lock *lock) {
    uint32_t number = atomic_load_explicit(&lock->serving, memory_order_acquire);
    return atomic_compare_exchange_strong_explicit(&lock->next, &number, number + 1, memory_order_relaxed,
                                                   memory_order_relaxed);
}

void ticket_unlock(struct ticket_lock *lock) {
    uint32_t mine = atomic_load_explicit(&lock->serving, memory_order_relaxed);
    atomic_store_explicit(&lock->serving, mine + 1, memory_order_release);
}
