/* vyukov_publish: a ring with a sequence in each cell, which is published without release. */
/* expect: data race */
#include <stdatomic.h>

#include "lockfree_model.h"

#ifdef RIGHT
#define PUBLISH memory_order_release
#else
#define PUBLISH memory_order_relaxed
#endif

static struct {
    _Atomic uint64_t sequence;
    uint64_t value;
} cell[2];
static _Atomic uint64_t tail, head;

static void setup(void) { atomic_store(&cell[1].sequence, 1); }

static int put(uint64_t value) {
    uint64_t t = atomic_load_explicit(&tail, memory_order_relaxed);
    for (;;) {
        uint64_t s = atomic_load_explicit(&cell[t % 2].sequence, memory_order_acquire);
        if (s == t) {
            if (atomic_compare_exchange_strong_explicit(&tail, &t, t + 1, memory_order_relaxed, memory_order_relaxed))
                break;
        } else if (s < t) {
            return 0;
        } else {
            t = atomic_load_explicit(&tail, memory_order_relaxed);
        }
    }
    cell[t % 2].value = value;
    atomic_store_explicit(&cell[t % 2].sequence, t + 1, PUBLISH);
    return 1;
}

static uint64_t get(void) {
    uint64_t h = atomic_load_explicit(&head, memory_order_relaxed);
    for (;;) {
        uint64_t s = atomic_load_explicit(&cell[h % 2].sequence, memory_order_acquire);
        if (s == h + 1) {
            if (atomic_compare_exchange_strong_explicit(&head, &h, h + 1, memory_order_relaxed, memory_order_relaxed))
                break;
        } else if (s < h + 1) {
            return 0;
        } else {
            h = atomic_load_explicit(&head, memory_order_relaxed);
        }
    }
    uint64_t value = cell[h % 2].value;
    atomic_store_explicit(&cell[h % 2].sequence, h + 2, memory_order_release);
    return value;
}

static void producer(void) { put(7); }
static void consumer(void) {
    uint64_t v = get();
    lf_model_assert(v == 0 || v == 7);
}

LF_MODEL_CLIENT(vyukov_publish, .setup = setup, .threads = {producer, producer, consumer});
