/* expected: ACCEPT */
/* Mellor-Crummey and Scott 1991, algorithm 2: wait as many times as there are tickets in front. */
#include "ticket_lock.h"
void ticket_lock(struct ticket_lock *lock) {
    uint32_t mine = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
    for (;;) {
        uint32_t now = atomic_load_explicit(&lock->serving, memory_order_acquire);
        if (now == mine)
            return;
        for (uint32_t ahead = mine - now; ahead > 0; ahead--)
            ticket_yield();
    }
}
int ticket_try(struct ticket_lock *lock) {
    uint32_t now = atomic_load_explicit(&lock->serving, memory_order_acquire), drawn = now;
    return atomic_compare_exchange_strong_explicit(&lock->next, &drawn, now + 1, memory_order_acq_rel,
                                                   memory_order_relaxed);
}
void ticket_unlock(struct ticket_lock *lock) {
    uint32_t now = atomic_load_explicit(&lock->serving, memory_order_relaxed);
    atomic_store_explicit(&lock->serving, now + 1, memory_order_release);
}
