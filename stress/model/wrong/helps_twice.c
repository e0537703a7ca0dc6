/* helps_twice: an announced addition that any thread may carry out for its owner. The helper that checks
 * `done` and then adds applies it a second time. Right: the word counts the additions it contains. */
/* expect: assertion failed */
#include <stdatomic.h>

#include "lockfree_model.h"

static _Atomic uint64_t sum; /* right: applied << 32 | sum */
static atomic_int done;

static void help(void) {
#ifdef RIGHT
    uint64_t old = atomic_load(&sum);
    while (old >> 32 == 0 && !atomic_compare_exchange_strong(&sum, &old, old + 5 + ((uint64_t)1 << 32)))
        ;
#else
    if (!atomic_load(&done)) {
        atomic_fetch_add(&sum, 5);
        atomic_store(&done, 1);
    }
#endif
}

static void final(void) { lf_model_assert((uint32_t)atomic_load(&sum) == 5); }

LF_MODEL_CLIENT(helps_twice, .threads = {help, help}, .final = final);
