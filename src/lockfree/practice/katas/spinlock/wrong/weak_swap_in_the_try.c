/* fails: edges P7 */
/* A weak swap may fail for no reason, so the try refuses a free lock. x86 never shows it. */
#include "spinlock.h"
static inline int swap_in(struct spinlock *l) {
    return atomic_exchange_explicit(&l->word, 7, memory_order_acquire) == 0;
}
void spinlock_lock(struct spinlock *l) {
    while (!swap_in(l))
        do
            spinlock_yield();
        while (atomic_load_explicit(&l->word, memory_order_relaxed) != 0);
}
int spinlock_try(struct spinlock *l) {
    if (atomic_load_explicit(&l->word, memory_order_relaxed) != 0)
        return 0;
    uint32_t free_word = 0;
    return atomic_compare_exchange_weak_explicit(&l->word, &free_word, 7, memory_order_acquire, memory_order_relaxed);
}
int spinlock_lock_for(struct spinlock *l, uint64_t budget) {
    uint64_t since;
    if (swap_in(l))
        return 1;
    if (budget == UINT64_MAX) {
        spinlock_lock(l);
        return 1;
    }
    since = spinlock_now();
    while (spinlock_now() - since < budget) {
        spinlock_yield();
        if (spinlock_try(l))
            return 1;
    }
    return 0;
}
void spinlock_unlock(struct spinlock *l) { (void)atomic_fetch_and_explicit(&l->word, 0, memory_order_release); }
