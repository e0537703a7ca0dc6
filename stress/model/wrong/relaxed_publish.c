/* relaxed_publish: a ring for one producer and one consumer whose slots are atomic, so that no sanitizer
 * sees a race; the index is published without release and the consumer may read an old slot. On x86 both
 * compile to the same instructions. */
/* expect: not linearizable */
#include <stdatomic.h>

#include "lockfree_model.h"

#ifdef RIGHT
#define PUBLISH memory_order_release
#else
#define PUBLISH memory_order_relaxed
#endif

static _Atomic uint64_t slot[2], head, tail;

static void producer(void) {
    for (uint64_t v = 1; v <= 2; v++) {
        lf_model_call(LF_MODEL_PUT, v);
        uint64_t t = atomic_load_explicit(&tail, memory_order_relaxed);
        if (t - atomic_load_explicit(&head, memory_order_acquire) == 2) {
            lf_model_return(LF_MODEL_FULL);
            continue;
        }
        atomic_store_explicit(&slot[t % 2], v, memory_order_relaxed);
        atomic_store_explicit(&tail, t + 1, PUBLISH);
        lf_model_return(0);
    }
}

static void consumer(void) {
    for (int n = 0; n < 2; n++) {
        lf_model_call(LF_MODEL_GET, 0);
        uint64_t h = atomic_load_explicit(&head, memory_order_relaxed);
        if (atomic_load_explicit(&tail, memory_order_acquire) == h) {
            lf_model_return(LF_MODEL_EMPTY);
            continue;
        }
        uint64_t v = atomic_load_explicit(&slot[h % 2], memory_order_relaxed);
        atomic_store_explicit(&head, h + 1, memory_order_release);
        lf_model_return(v);
    }
}

LF_MODEL_CLIENT(relaxed_publish, .threads = {producer, consumer}, .spec = &lf_model_fifo, .capacity = 2);
