/* unregistered_process: membarrier(2) reaches registered processes alone. One that cannot register must tell the others
 * before its first operation, and have a real fence itself. */
/* expect: lost wake */
#include <stdatomic.h>

#include "lockfree_model.h"
#include "seam.h"

static atomic_int ready, waiters, fenced;
static uint32_t epoch;

static void waiter(void) {
    for (;;) {
        uint32_t ticket = __atomic_load_n(&epoch, __ATOMIC_ACQUIRE);
        atomic_fetch_add_explicit(&waiters, 1, memory_order_relaxed);
        lf_model_membarrier();
        int done = atomic_load_explicit(&ready, memory_order_acquire);
        if (!done)
            lf_model_futex_wait(&epoch, ticket, 0);
        atomic_fetch_sub_explicit(&waiters, 1, memory_order_relaxed);
        if (done)
            return;
    }
}

static void waker(void) {
#ifdef RIGHT
    if (!lf_model_membarrier_register())
        atomic_store_explicit(&fenced, 1, memory_order_relaxed);
#endif
    atomic_store_explicit(&ready, 1, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&fenced, memory_order_relaxed))
        atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&waiters, memory_order_relaxed) != 0) {
        __atomic_fetch_add(&epoch, 1, __ATOMIC_RELEASE);
        lf_model_futex_wake(&epoch, 1);
    }
}

LF_MODEL_CLIENT(unregistered_process, .threads = {waiter, waker}, .no_membarrier = 1 << 2);
