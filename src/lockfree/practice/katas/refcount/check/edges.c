#include "object.h"

static void last(void) {
    make(1);
    lf_model_assert(ref_copy(&count) && ref_copy(&count));
    lf_model_assert(!ref_drop(&count) && !ref_drop(&count) && ref_drop(&count));
    make(2);
    lf_model_assert(!ref_drop(&count) && ref_drop(&count));
}

static void copies(void) {
    make(1);
    lf_model_assert(ref_unique(&count));
    lf_model_assert(ref_copy(&count) && ref_copy(&count) && ref_try(&count));
    lf_model_assert(!ref_unique(&count));
    lf_model_assert(!ref_drop(&count) && !ref_drop(&count) && !ref_drop(&count));
    lf_model_assert(ref_unique(&count));
    lf_model_assert(ref_drop(&count));
}

static void gone(void) {
    make(1);
    lf_model_assert(ref_drop(&count));
    for (int turn = 0; turn < 3; turn++) {
        int back = ref_try(&count);
        lf_model_assert(!back);
    }
    lf_model_assert(atomic_load(&count.owners) == 0);
}

static void most(void) {
    make(REFCOUNT_MAX - 1);
    lf_model_assert(ref_copy(&count));
    lf_model_assert(!ref_copy(&count) && !ref_try(&count));
    lf_model_assert(atomic_load(&count.owners) == REFCOUNT_MAX);
    lf_model_assert(!ref_drop(&count) && ref_try(&count) && !ref_try(&count) && !ref_copy(&count));
    lf_model_assert(atomic_load(&count.owners) == REFCOUNT_MAX);
}

LF_MODEL_CLIENT(edge_last, .threads = {last});
LF_MODEL_CLIENT(edge_copies, .threads = {copies});
LF_MODEL_CLIENT(edge_gone, .threads = {gone});
LF_MODEL_CLIENT(edge_most, .threads = {most});
