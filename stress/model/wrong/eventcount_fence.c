/* eventcount_fence: the waiter announces itself and looks again, the waker makes the condition true and
 * looks for waiters. Without a fence between the two steps on each side the wake is lost. */
/* expect: lost wake */
#include <stdatomic.h>

#include "lockfree_model.h"
#include "seam.h"

#ifdef RIGHT
#define FENCE() atomic_thread_fence(memory_order_seq_cst)
#else
#define FENCE() ((void)0)
#endif

static atomic_int ready, waiters;
static uint32_t epoch;

static void waiter(void) {
    for (;;) {
        uint32_t ticket = __atomic_load_n(&epoch, __ATOMIC_ACQUIRE);
        atomic_fetch_add_explicit(&waiters, 1, memory_order_relaxed);
        FENCE();
        int done = atomic_load_explicit(&ready, memory_order_acquire);
        if (!done)
            lf_model_futex_wait(&epoch, ticket, 0);
        atomic_fetch_sub_explicit(&waiters, 1, memory_order_relaxed);
        if (done)
            return;
    }
}

static void waker(void) {
    atomic_store_explicit(&ready, 1, memory_order_release);
    FENCE();
    if (atomic_load_explicit(&waiters, memory_order_relaxed) != 0) {
        __atomic_fetch_add(&epoch, 1, __ATOMIC_RELEASE);
        lf_model_futex_wake(&epoch, 1);
    }
}

LF_MODEL_CLIENT(eventcount_fence, .threads = {waiter, waker});
