/* not_lock_free: a stack behind a lock that says it is lock-free: a thread that stops with the lock stops all. */
/* expect: not lock-free */
/* options: --threads-stop */
#include <stdatomic.h>

#include "lockfree_model.h"
#include "seam.h"

static atomic_int locked;
static _Atomic uint64_t count;

static void push(void) {
#ifdef RIGHT
    uint64_t c = atomic_load(&count);
    while (!atomic_compare_exchange_strong(&count, &c, c + 1))
        ;
#else
    while (atomic_exchange(&locked, 1))
        lf_model_pause();
    atomic_store(&count, atomic_load(&count) + 1);
    atomic_store(&locked, 0);
#endif
}

LF_MODEL_CLIENT(not_lock_free, .threads = {push, push});
