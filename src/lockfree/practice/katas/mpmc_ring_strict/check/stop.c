/* A thread that is stopped for ever, anywhere in its call, must not keep the others from finishing. */
#include "ring.h"

static void two(void) {
    make(2, 7);
    put(9);
}
static void none(void) { make(1, 7); }
static void put_1(void) { put(1); }
static void put_2(void) { put(2); }
static void get_once(void) { get(); }
static void get_and_put(void) {
    get();
    put(3);
}
static void put_and_get(void) {
    put(4);
    get();
}
static void drain(void) {
    while (get())
        ;
}

LF_MODEL_CLIENT(stop_producer, .setup = two, .threads = {put_1, put_2}, .spec = &strict_fifo, .capacity = 2);
LF_MODEL_CLIENT(stop_consumer, .setup = two, .threads = {get_once, get_once}, .spec = &strict_fifo, .capacity = 2);
LF_MODEL_CLIENT(stop_either, .setup = none, .threads = {put_1, get_once}, .spec = &strict_fifo, .capacity = 1);
/* One moves a counter on for another one, and stops: what it has seen goes with the counter. */
LF_MODEL_CLIENT(stop_helper, .setup = two, .threads = {get_and_put, put_1, put_2}, .final = drain, .spec = &strict_fifo,
                .capacity = 2);
LF_MODEL_CLIENT(stop_helper_of_get, .setup = two, .threads = {put_and_get, get_once, get_once}, .final = drain,
                .spec = &strict_fifo, .capacity = 2);
