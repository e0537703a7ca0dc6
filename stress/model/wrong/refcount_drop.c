/* refcount_drop: the last one to drop its reference frees, without having acquired what the others did. */
/* expect: data race */
#include <stdatomic.h>
#include <stdlib.h>

#include "lockfree_model.h"

#ifdef RIGHT
#define DROP memory_order_acq_rel
#else
#define DROP memory_order_release
#endif

static struct object {
    atomic_int references;
    int use[2];
} *object;

static void setup(void) {
    object = calloc(1, sizeof *object);
    atomic_store(&object->references, 2);
}

static void user(void) {
    struct object *o = object;
    o->use[lf_model_thread() - 1] = 1;
    if (atomic_fetch_sub_explicit(&o->references, 1, DROP) == 1)
        free(o);
}

LF_MODEL_CLIENT(refcount_drop, .setup = setup, .threads = {user, user});
