/* Backs off in proportion: who has many before it looks less often. */
#include "ticket_lock.h"

void ticket_lock(struct ticket_lock *lock) {
    uint32_t mine = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
    for (;;) {
        uint32_t before = mine - atomic_load_explicit(&lock->serving, memory_order_acquire);
        if (before == 0)
            return;
        while (before-- > 0)
            ticket_yield();
    }
}

int ticket_try(struct ticket_lock *lock) {
    uint32_t number = atomic_load_explicit(&lock->serving, memory_order_acquire);
    return atomic_load_explicit(&lock->next, memory_order_relaxed) == number &&
           atomic_compare_exchange_strong_explicit(&lock->next, &number, number + 1, memory_order_relaxed,
                                                   memory_order_relaxed);
}

void ticket_unlock(struct ticket_lock *lock) { atomic_fetch_add_explicit(&lock->serving, 1, memory_order_release); }
