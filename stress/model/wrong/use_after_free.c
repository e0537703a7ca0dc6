/* use_after_free: a reader takes the pointer, and the writer frees what it pointed to. Right: the writer frees
 * only what no reader has announced. */
/* expect: data race | use after free */
#include <stdatomic.h>
#include <stdlib.h>

#include "lockfree_model.h"

static _Atomic(int *) shared, announced;

static void setup(void) {
    int *first = malloc(sizeof *first);
    *first = 1;
    atomic_store(&shared, first);
}

static void reader(void) {
    int *p = atomic_load(&shared);
#ifdef RIGHT
    atomic_store(&announced, p);
    if (atomic_load(&shared) != p)
        return;
#endif
    lf_model_assert(*p == 1);
    atomic_store(&announced, NULL);
}

static void writer(void) {
    int *new = malloc(sizeof *new);
    *new = 1;
    int *old = atomic_exchange(&shared, new);
    if (atomic_load(&announced) != old)
        free(old);
}

LF_MODEL_CLIENT(use_after_free, .setup = setup, .threads = {reader, writer});
