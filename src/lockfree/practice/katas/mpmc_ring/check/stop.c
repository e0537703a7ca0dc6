/* A thread that is stopped for ever may leave its slot unusable. The calls of the others still return. */
#include "ring.h"

static void two(void) {
    make(2, 7);
    put(9);
}
static void one_place(void) { make(1, 7); }
static void full(void) {
    make(1, 7);
    put(9);
}
static void put_1(void) { put(1); }
static void put_2(void) { put(2); }
static void get_once(void) { get(); }

LF_MODEL_CLIENT(stop_producer, .setup = two, .threads = {put_1, put_2}, .spec = &relaxed_fifo, .capacity = 2);
LF_MODEL_CLIENT(stop_consumer, .setup = two, .threads = {get_once, get_once}, .spec = &relaxed_fifo, .capacity = 2);
LF_MODEL_CLIENT(stop_either, .setup = two, .threads = {put_1, get_once}, .spec = &relaxed_fifo, .capacity = 2);
LF_MODEL_CLIENT(stop_before_filled, .setup = one_place, .threads = {put_1, get_once}, .spec = &relaxed_fifo,
                .capacity = 1);
LF_MODEL_CLIENT(stop_before_freed, .setup = full, .threads = {put_1, get_once}, .spec = &relaxed_fifo, .capacity = 1);
