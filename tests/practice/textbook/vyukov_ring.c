/* Vyukov's bounded queue (2010) with two cells. It refuses a get while an earlier put has claimed its cell and not filled it. */
#include <stdatomic.h>
#include <stdint.h>

#include "lockfree_model.h"

static struct {
    _Atomic uint32_t sequence;
    uint64_t value;
} cells[2];
static _Atomic uint32_t enqueue_at, dequeue_at;

static int put(uint64_t value) {
    lf_model_call(LF_MODEL_PUT, value);
    uint32_t at = atomic_load_explicit(&enqueue_at, memory_order_relaxed);
    for (;;) {
        int32_t ahead = (int32_t)(atomic_load_explicit(&cells[at % 2].sequence, memory_order_acquire) - at);
        if (ahead < 0) {
            lf_model_return(LF_MODEL_FULL);
            return 0;
        }
        if (ahead > 0)
            at = atomic_load_explicit(&enqueue_at, memory_order_relaxed);
        else if (atomic_compare_exchange_weak_explicit(&enqueue_at, &at, at + 1, memory_order_relaxed,
                                                       memory_order_relaxed))
            break;
    }
    cells[at % 2].value = value;
    atomic_store_explicit(&cells[at % 2].sequence, at + 1, memory_order_release);
    lf_model_return(0);
    return 1;
}

static int get(void) {
    lf_model_call(LF_MODEL_GET, 0);
    uint32_t at = atomic_load_explicit(&dequeue_at, memory_order_relaxed);
    for (;;) {
        int32_t ahead = (int32_t)(atomic_load_explicit(&cells[at % 2].sequence, memory_order_acquire) - (at + 1));
        if (ahead < 0) {
            lf_model_return(LF_MODEL_EMPTY);
            return 0;
        }
        if (ahead > 0)
            at = atomic_load_explicit(&dequeue_at, memory_order_relaxed);
        else if (atomic_compare_exchange_weak_explicit(&dequeue_at, &at, at + 1, memory_order_relaxed,
                                                       memory_order_relaxed))
            break;
    }
    uint64_t value = cells[at % 2].value;
    atomic_store_explicit(&cells[at % 2].sequence, at + 2, memory_order_release);
    lf_model_return(value);
    return 1;
}

/* The relaxed contract: the calls of the threads may be refused, what is alone before and after them may not. */
struct values {
    uint64_t count, value[8];
};
static int relaxed_step(void *state, const struct lf_model_op *op, const struct lf_model_moment *moment) {
    struct values *in = state;
    (void)moment;
    int put_here = op->what == LF_MODEL_PUT;
    if (op->result == LF_MODEL_FULL || op->result == LF_MODEL_EMPTY)
        return op->thread != 0 || (put_here ? in->count == 2 : in->count == 0);
    if (put_here) {
        if (in->count == 2)
            return 0;
        in->value[in->count++] = op->argument;
        return 1;
    }
    if (in->count == 0 || in->value[0] != op->result)
        return 0;
    in->value[0] = in->value[1];
    in->value[1] = 0;
    in->count--;
    return 1;
}
static const struct lf_model_spec relaxed = {"queue that may refuse", sizeof(struct values), NULL, relaxed_step};

static void begin(void) { atomic_init(&cells[1].sequence, 1); }
static void put_1(void) { put(1); }
static void put_2_and_get(void) {
    put(2);
    get();
}
static void drain(void) {
    while (get())
        ;
}

LF_MODEL_CLIENT(vyukov_strict, .setup = begin, .threads = {put_1, put_2_and_get}, .final = drain,
                .spec = &lf_model_fifo, .capacity = 2);
LF_MODEL_CLIENT(vyukov_relaxed, .setup = begin, .threads = {put_1, put_2_and_get}, .final = drain, .spec = &relaxed,
                .capacity = 2);
