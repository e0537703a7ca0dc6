#include <stdatomic.h>

#include "ring.h"

static void one(void) { make(1, UINT32_MAX); }
static void two(void) { make(2, UINT32_MAX); }
static void one_filled(void) {
    one();
    put(9);
}
static void two_filled(void) {
    two();
    put(8);
    put(9);
}

static void put_1(void) { put(1); }
static void put_2(void) { put(2); }
static void put_1_and_2(void) {
    put(1);
    put(2);
}
static void put_and_get(void) {
    put(3);
    get();
}
static void get_once(void) { get(); }
static void get_twice(void) {
    get();
    get();
}
static void get_and_put(void) {
    get();
    put(4);
}

/* One after the other, and both know it: then nobody is at work, and no call may be refused. */
static _Atomic int finished;
static void first_in(void) {
    put(1);
    put(2);
    atomic_store_explicit(&finished, 1, memory_order_release);
}
static void then_out(void) {
    lf_model_assume(atomic_load_explicit(&finished, memory_order_acquire));
    lf_model_assert(get());
    lf_model_assert(put(3));
    lf_model_assert(get());
}

static void drain(void) {
    while (get())
        ;
}

#define RING(name, slots, begin, ...)                                                                                  \
    LF_MODEL_CLIENT(name, .setup = begin, .threads = {__VA_ARGS__}, .final = drain, .spec = &relaxed_fifo,             \
                    .capacity = slots)

RING(publish, 2, two, put_1, get_once);
RING(reuse, 1, one, put_1_and_2, get_twice);
RING(reuse_filled, 1, one_filled, put_1, get_once);
RING(producers_1, 1, one, put_1, put_2);
RING(producers_2, 2, two, put_1, put_2);
RING(consumers, 2, two_filled, get_once, get_once);
RING(consumers_and_room, 2, two_filled, get_and_put, get_once);
RING(both_1, 1, one, put_and_get, put_1);
RING(both_2, 2, two, put_1, put_2, get_once);
RING(quiet, 2, two, first_in, then_out);
RING(around, 2, two, put_1_and_2, put_and_get);
