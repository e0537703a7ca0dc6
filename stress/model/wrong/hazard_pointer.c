/* hazard_pointer: the reader announces the pointer and looks again, but with release and acquire only: the
 * announcement may be seen after the look (store buffering), and the writer frees under the reader. */
/* expect: data race | use after free */
#include <stdatomic.h>
#include <stdlib.h>

#include "lockfree_model.h"

#ifdef RIGHT
#define FENCE() atomic_thread_fence(memory_order_seq_cst)
#else
#define FENCE() ((void)0)
#endif

static _Atomic(int *) shared, hazard;

static void setup(void) {
    int *first = malloc(sizeof *first);
    *first = 1;
    atomic_store(&shared, first);
}

static void reader(void) {
    int *p = atomic_load_explicit(&shared, memory_order_acquire);
    atomic_store_explicit(&hazard, p, memory_order_release);
    FENCE();
    if (atomic_load_explicit(&shared, memory_order_acquire) == p)
        lf_model_assert(*p == 1);
    atomic_store_explicit(&hazard, NULL, memory_order_release);
}

static void writer(void) {
    int *new = malloc(sizeof *new);
    *new = 1;
    int *old = atomic_exchange_explicit(&shared, new, memory_order_acq_rel);
    FENCE();
    if (atomic_load_explicit(&hazard, memory_order_acquire) != old)
        free(old);
}

LF_MODEL_CLIENT(hazard_pointer, .setup = setup, .threads = {reader, writer});
