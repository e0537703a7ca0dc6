/* off_by_one: a ring in shared memory whose index may become its capacity. */
/* expect: out of bounds */
#include <stdatomic.h>

#include "lockfree_model.h"

static uint64_t *slots;
static _Atomic uint64_t next;

static void setup(void) { slots = lf_model_shared(2 * sizeof *slots); }

static void worker(void) {
    uint64_t at = atomic_fetch_add(&next, 1);
#ifdef RIGHT
    if (at < 2)
#else
    if (at <= 2)
#endif
        slots[at] = at;
}

LF_MODEL_CLIENT(off_by_one, .setup = setup, .threads = {worker, worker, worker});
