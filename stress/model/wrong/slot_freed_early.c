/* slot_freed_early: the consumer gives the slot back before it has read it. */
/* expect: data race */
#include <stdatomic.h>

#include "lockfree_model.h"

static uint64_t slot;
static _Atomic uint64_t head, tail;

static void producer(void) {
    for (uint64_t v = 1; v <= 2; v++) {
        if (atomic_load_explicit(&tail, memory_order_relaxed) != atomic_load_explicit(&head, memory_order_acquire))
            return;
        slot = v;
        atomic_store_explicit(&tail, v, memory_order_release);
    }
}

static void consumer(void) {
    if (atomic_load_explicit(&tail, memory_order_acquire) == 0)
        return;
#ifdef RIGHT
    uint64_t v = slot;
    atomic_store_explicit(&head, 1, memory_order_release);
#else
    atomic_store_explicit(&head, 1, memory_order_release);
    uint64_t v = slot;
#endif
    lf_model_assert(v == 1);
}

LF_MODEL_CLIENT(slot_freed_early, .threads = {producer, consumer});
