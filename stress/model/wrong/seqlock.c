/* seqlock: the reader's second look at the sequence may be done before its loads of the data, since nothing
 * orders them (Boehm, "Can seqlocks get along with programming language memory models?", MSPC 2012). */
/* expect: assertion failed */
#include <stdatomic.h>

#include "lockfree_model.h"

static atomic_uint sequence;
static atomic_int a, b;

static void writer(void) {
    for (int v = 1; v <= 2; v++) {
        unsigned s = atomic_load_explicit(&sequence, memory_order_relaxed);
        atomic_store_explicit(&sequence, s + 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_release);
        atomic_store_explicit(&a, v, memory_order_relaxed);
        atomic_store_explicit(&b, v, memory_order_relaxed);
        atomic_store_explicit(&sequence, s + 2, memory_order_release);
    }
}

static void reader(void) {
    unsigned before = atomic_load_explicit(&sequence, memory_order_acquire);
    int x = atomic_load_explicit(&a, memory_order_relaxed);
    int y = atomic_load_explicit(&b, memory_order_relaxed);
#ifdef RIGHT
    atomic_thread_fence(memory_order_acquire);
#endif
    unsigned after = atomic_load_explicit(&sequence, memory_order_relaxed);
    if (before == after && before % 2 == 0)
        lf_model_assert(x == y);
}

LF_MODEL_CLIENT(seqlock, .threads = {writer, reader});
