/* Relaxed operations between fences. */
#include "ticket_lock.h"

void ticket_lock(struct ticket_lock *lock) {
    uint32_t mine = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
    while (atomic_load_explicit(&lock->serving, memory_order_relaxed) != mine)
        ticket_yield();
    atomic_thread_fence(memory_order_acquire);
}

int ticket_try(struct ticket_lock *lock) {
    uint32_t number = atomic_load_explicit(&lock->next, memory_order_relaxed);
    if (atomic_load_explicit(&lock->serving, memory_order_relaxed) != number)
        return 0;
    if (!atomic_compare_exchange_strong_explicit(&lock->next, &number, number + 1, memory_order_relaxed,
                                                 memory_order_relaxed))
        return 0;
    atomic_thread_fence(memory_order_acquire);
    return 1;
}

void ticket_unlock(struct ticket_lock *lock) {
    uint32_t mine = atomic_load_explicit(&lock->serving, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&lock->serving, mine + 1, memory_order_relaxed);
}
