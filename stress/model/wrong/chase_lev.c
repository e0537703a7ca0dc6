/* chase_lev: the work-stealing deque of Lê, Pop, Cohen, Zappa Nardelli (PPoPP 2013) without the fence in
 * take: owner and thief both get the last task. */
/* expect: assertion failed */
#include <stdatomic.h>

#include "lockfree_model.h"

#ifdef RIGHT
#define FENCE() atomic_thread_fence(memory_order_seq_cst)
#else
#define FENCE() ((void)0)
#endif

static _Atomic int64_t top, bottom;
static atomic_int task[4], taken[4];

static void push(int t) {
    int64_t b = atomic_load_explicit(&bottom, memory_order_relaxed);
    atomic_store_explicit(&task[b], t, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&bottom, b + 1, memory_order_relaxed);
}

static int take(void) {
    int64_t b = atomic_load_explicit(&bottom, memory_order_relaxed) - 1;
    atomic_store_explicit(&bottom, b, memory_order_relaxed);
    FENCE();
    int64_t t = atomic_load_explicit(&top, memory_order_relaxed);
    int got = -1;
    if (t <= b) {
        got = atomic_load_explicit(&task[b], memory_order_relaxed);
        if (t < b)
            return got;
        if (!atomic_compare_exchange_strong_explicit(&top, &t, t + 1, memory_order_seq_cst, memory_order_relaxed))
            got = -1;
    }
    atomic_store_explicit(&bottom, b + 1, memory_order_relaxed);
    return got;
}

static int steal(void) {
    int64_t t = atomic_load_explicit(&top, memory_order_acquire);
    atomic_thread_fence(memory_order_seq_cst);
    int64_t b = atomic_load_explicit(&bottom, memory_order_acquire);
    if (t >= b)
        return -1;
    int got = atomic_load_explicit(&task[t], memory_order_relaxed);
    if (!atomic_compare_exchange_strong_explicit(&top, &t, t + 1, memory_order_seq_cst, memory_order_relaxed))
        return -1;
    return got;
}

static void count(int t) {
    if (t >= 0)
        lf_model_assert(atomic_fetch_add_explicit(&taken[t], 1, memory_order_relaxed) == 0);
}

static void owner(void) {
    push(1);
    push(2);
    count(take());
    count(take());
}

static void thief(void) {
    count(steal());
    count(steal());
}

LF_MODEL_CLIENT(chase_lev, .threads = {owner, thief});
