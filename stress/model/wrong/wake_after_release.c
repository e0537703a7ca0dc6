/* wake_after_release: the waiter has its fence; the waker leaves its own out, because the compare-and-swap that makes
 * the condition true is a locked instruction anyway. In C it must then be sequentially consistent, and so must the look
 * at the waiters: after a release one, the look may come first, and the wake is lost. */
/* expect: lost wake */
#include <stdatomic.h>

#include "lockfree_model.h"
#include "seam.h"

#ifdef RIGHT
#define PUBLISH memory_order_seq_cst
#else
#define PUBLISH memory_order_release
#endif

static atomic_int ready, waiters;
static uint32_t epoch;

static void waiter(void) {
    for (;;) {
        uint32_t ticket = __atomic_load_n(&epoch, __ATOMIC_ACQUIRE);
        atomic_fetch_add_explicit(&waiters, 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_seq_cst);
        int done = atomic_load_explicit(&ready, memory_order_acquire);
        if (!done)
            lf_model_futex_wait(&epoch, ticket, 0);
        atomic_fetch_sub_explicit(&waiters, 1, memory_order_relaxed);
        if (done)
            return;
    }
}

static void waker(void) {
    int before = 0;
    atomic_compare_exchange_strong_explicit(&ready, &before, 1, PUBLISH, memory_order_relaxed);
    if (atomic_load_explicit(&waiters, memory_order_seq_cst) != 0) {
        __atomic_fetch_add(&epoch, 1, __ATOMIC_RELEASE);
        lf_model_futex_wake(&epoch, 1);
    }
}

LF_MODEL_CLIENT(wake_after_release, .threads = {waiter, waker});
