/* treiber_aba: a stack of indices without a tag. A pop that reads (top, next) and stops lets another take two
 * and give the first one back: then the exchange succeeds with a next that is in use. */
/* expect: not linearizable */
#include <stdatomic.h>

#include "lockfree_model.h"

#ifdef RIGHT
#define TAG ((uint64_t)1 << 32)
#else
#define TAG ((uint64_t)0)
#endif

static _Atomic uint64_t top; /* tag << 32 | index, 0 none */
static _Atomic uint32_t next[4];

static void put(uint32_t node) {
    lf_model_call(LF_MODEL_PUT, node);
    uint64_t old = atomic_load_explicit(&top, memory_order_relaxed), new;
    do {
        atomic_store_explicit(&next[node], (uint32_t)old, memory_order_relaxed);
        new = (old & ~(uint64_t)0xFFFFFFFF) | node;
    } while (
        !atomic_compare_exchange_strong_explicit(&top, &old, new + TAG, memory_order_release, memory_order_relaxed));
    lf_model_return(0);
}

static uint32_t get(void) {
    lf_model_call(LF_MODEL_GET, 0);
    uint64_t old = atomic_load_explicit(&top, memory_order_acquire), new;
    do {
        if ((uint32_t)old == 0) {
            lf_model_return(LF_MODEL_EMPTY);
            return 0;
        }
        new = (old & ~(uint64_t)0xFFFFFFFF) | atomic_load_explicit(&next[(uint32_t)old], memory_order_relaxed);
    } while (
        !atomic_compare_exchange_strong_explicit(&top, &old, new + TAG, memory_order_acquire, memory_order_acquire));
    lf_model_return((uint32_t)old);
    return (uint32_t)old;
}

static void victim(void) {
    get();
    get();
}

static void adversary(void) {
    put(2);
    put(1);
    uint32_t first = get();
    get();
    if (first != 0)
        put(first);
}

LF_MODEL_CLIENT(treiber_aba, .threads = {adversary, victim}, .spec = &lf_model_stack);
