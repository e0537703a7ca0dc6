/* missing_membarrier: the waker's half of an asymmetric fence is a compiler's barrier alone. The waiter's half must be
 * membarrier(2), not an ordinary fence: else the waker may look for waiters before its store is visible. */
/* expect: lost wake */
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lockfree_model.h"
#include "seam.h"

#ifdef RIGHT
#define HEAVY_FENCE() syscall(SYS_membarrier, 2 /* MEMBARRIER_CMD_GLOBAL_EXPEDITED */, 0, 0)
#else
#define HEAVY_FENCE() atomic_thread_fence(memory_order_seq_cst)
#endif

static atomic_int ready, waiters;
static uint32_t epoch;

static void waiter(void) {
    for (;;) {
        uint32_t ticket = __atomic_load_n(&epoch, __ATOMIC_ACQUIRE);
        atomic_fetch_add_explicit(&waiters, 1, memory_order_relaxed);
        HEAVY_FENCE();
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
    atomic_signal_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&waiters, memory_order_relaxed) != 0) {
        __atomic_fetch_add(&epoch, 1, __ATOMIC_RELEASE);
        lf_model_futex_wake(&epoch, 1);
    }
}

LF_MODEL_CLIENT(missing_membarrier, .threads = {waiter, waker});
