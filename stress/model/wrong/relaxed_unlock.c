/* relaxed_unlock: a spinlock whose unlock does not release what was written under it. */
/* expect: data race */
#include <stdatomic.h>

#include "lockfree_model.h"
#include "seam.h"

#ifdef RIGHT
#define UNLOCK memory_order_release
#else
#define UNLOCK memory_order_relaxed
#endif

static atomic_int locked;
static int counter;

static void worker(void) {
    while (atomic_exchange_explicit(&locked, 1, memory_order_acquire))
        lf_model_pause();
    counter++;
    atomic_store_explicit(&locked, 0, UNLOCK);
}

static void final(void) { lf_model_assert(counter == 2); }

LF_MODEL_CLIENT(relaxed_unlock, .threads = {worker, worker}, .final = final);
