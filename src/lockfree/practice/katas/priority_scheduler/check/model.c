#include "tasks.h"

static void empty(void) { make(3); }
static void low(void) {
    empty();
    put(3, 0);
}
static void small(void) {
    make(1);
    put(1, 0);
}

static void put_high(void) { put(0, 1); }
static void put_high_then_low(void) {
    put(0, 1);
    put(2, 1);
}
static void put_and_find(void) {
    put(1, 2);
    int not_empty = get();
    lf_model_assert(not_empty);
}
static void put_same(void) { put(1, 3); }
static void put_same_again(void) {
    put(1, 4);
    put(1, 5);
}
static void get_once(void) { get(); }
static void get_and_put_high(void) {
    get();
    put(0, 6);
}
static void get_twice(void) {
    get();
    get();
}
static void drain(void) {
    while (get())
        ;
}

#define TASKS(name, room, begin, ...)                                                                                  \
    LF_MODEL_CLIENT(name, .setup = begin, .threads = {__VA_ARGS__}, .final = drain, .spec = &run_queue,                \
                    .capacity = room)

TASKS(publish, 3, empty, put_high, get_once);
TASKS(arrivals, 3, empty, put_same, put_same_again);
TASKS(bit, 3, empty, put_and_find, put_high);
TASKS(bit_cleared, 3, empty, put_same_again, get_once);
TASKS(bit_and_get, 3, low, put_same, get_twice);
TASKS(gets, 3, low, get_once, get_once);
TASKS(room, 1, small, put_same, get_once);
TASKS(scan, 3, empty, put_high_then_low, get_once);
TASKS(scan_of_others, 3, low, get_and_put_high, get_once, put_high);
