/* fails: model T5 */
/* Draws only when it can go in: that is no queue. */
#include "ticket_lock.h"

void ticket_lock(struct ticket_lock *lock) {
    while (!ticket_try(lock))
        ticket_yield();
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
