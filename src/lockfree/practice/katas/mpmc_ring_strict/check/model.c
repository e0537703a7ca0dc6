#include <stdatomic.h>

#include "ring.h"

static void one(void) { make(1, UINT32_MAX); }
static void two(void) { make(2, UINT32_MAX); }
static void two_half(void) {
    two();
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
static void get_once(void) { get(); }
static void get_twice(void) {
    get();
    get();
}
static void get_and_put(void) {
    get();
    put(4);
}
static void put_1_and_get(void) {
    put(1);
    get();
}
static void put_2_and_get(void) {
    put(2);
    get();
}
static _Atomic int told;
static void put_2_and_tell(void) {
    put(2);
    atomic_store_explicit(&told, 1, memory_order_release);
}
static void get_when_told(void) {
    lf_model_assume(atomic_load_explicit(&told, memory_order_acquire));
    get();
}
/* Nobody else takes, so one's own value or an older one is there. */
static void put_and_find(void) {
    put(3);
    int not_empty = get();
    lf_model_assert(not_empty);
}
/* Nobody else puts, so there is room. */
static void get_and_replace(void) {
    get();
    int not_full = put(4);
    lf_model_assert(not_full);
}
/* One lap and a half: the first slot is free again, for another position. */
static void lap(void) {
    for (uint32_t value = 5; value < 8; value++) {
        put(value);
        get();
    }
}
static void drain(void) {
    while (get())
        ;
}

#define RING(name, slots, begin, ...)                                                                                  \
    LF_MODEL_CLIENT(name, .setup = begin, .threads = {__VA_ARGS__}, .final = drain, .spec = &strict_fifo,              \
                    .capacity = slots)

RING(publish, 2, two, put_1, get_once);
RING(one_slot, 1, one, put_1_and_2, get_twice);
RING(producers_1, 1, one, put_1, put_2);
RING(producers_2, 2, two_half, put_1, put_2);
RING(consumers_1, 2, two_half, get_once, get_once);
RING(consumers_2, 2, two_filled, get_once, get_once);
RING(both, 2, two, put_1_and_get, put_2_and_get);
RING(told_of_more, 2, two, put_1_and_get, put_2_and_tell, get_when_told);
RING(empty, 2, two, put_1, put_and_find);
RING(full, 2, two_filled, get_once, get_and_replace);
RING(lap_1, 1, one, put_1, lap);
RING(lap_2, 2, two, put_1, lap);
RING(three, 2, two_half, put_1, get_and_put, get_once);
