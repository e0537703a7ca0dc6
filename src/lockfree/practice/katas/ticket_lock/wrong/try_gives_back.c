/* fails: model T4 */
/* Gives the ticket back, although others have drawn in between. */
#include "ticket_lock.h"

void ticket_lock(struct ticket_lock *lock) {
    uint32_t mine = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
    while (atomic_load_explicit(&lock->serving, memory_order_acquire) != mine)
        ticket_yield();
}

int ticket_try(struct ticket_lock *lock) {
    uint32_t mine = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
    if (atomic_load_explicit(&lock->serving, memory_order_acquire) == mine)
        return 1;
    atomic_fetch_sub_explicit(&lock->next, 1, memory_order_relaxed);
    return 0;
}

void ticket_unlock(struct ticket_lock *lock) {
    uint32_t mine = atomic_load_explicit(&lock->serving, memory_order_relaxed);
    atomic_store_explicit(&lock->serving, mine + 1, memory_order_release);
}
