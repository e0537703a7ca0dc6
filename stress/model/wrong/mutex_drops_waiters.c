/* mutex_drops_waiters: a futex mutex (0 free, 1 held, 2 held and somebody sleeps) whose woken sleeper takes it
 * as 1: the second sleeper is never woken. Drepper, "Futexes are tricky", tells the story. */
/* expect: lost wake */
#include "lockfree_model.h"
#include "seam.h"

static uint32_t word;
static int counter;

static void lock(void) {
    uint32_t free = 0;
    if (__atomic_compare_exchange_n(&word, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
#ifdef RIGHT
    while (__atomic_exchange_n(&word, 2, __ATOMIC_ACQUIRE) != 0)
        lf_model_futex_wait(&word, 2, 0);
#else
    for (;;) {
        uint32_t held = 1;
        __atomic_compare_exchange_n(&word, &held, 2, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
        lf_model_futex_wait(&word, 2, 0);
        free = 0;
        if (__atomic_compare_exchange_n(&word, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return;
    }
#endif
}

static void unlock(void) {
    if (__atomic_exchange_n(&word, 0, __ATOMIC_RELEASE) == 2)
        lf_model_futex_wake(&word, 1);
}

static void worker(void) {
    lock();
    counter++;
    unlock();
}

LF_MODEL_CLIENT(mutex_drops_waiters, .threads = {worker, worker, worker});
