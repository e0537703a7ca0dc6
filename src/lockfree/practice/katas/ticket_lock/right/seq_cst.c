/* Everything sequentially consistent: the plainest. */
#include "ticket_lock.h"

void ticket_lock(struct ticket_lock *lock) {
    uint32_t mine = atomic_fetch_add(&lock->next, 1);
    while (atomic_load(&lock->serving) != mine)
        ticket_yield();
}

int ticket_try(struct ticket_lock *lock) {
    uint32_t number = atomic_load(&lock->serving);
    return atomic_compare_exchange_strong(&lock->next, &number, number + 1);
}

void ticket_unlock(struct ticket_lock *lock) { atomic_fetch_add(&lock->serving, 1); }
