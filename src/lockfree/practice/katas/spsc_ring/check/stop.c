/* A thread that is stopped for ever, anywhere in its call, must not keep the other from finishing. */
#include "ring.h"

static void empty(void) { make(1, 7); }
static void half_full(void) {
    make(2, 7);
    put(9);
}
static void full(void) {
    make(1, 7);
    put(9);
}
static void put_one(void) { put(1); }
static void get_one(void) { get(); }

LF_MODEL_CLIENT(stop_empty, .setup = empty, .threads = {put_one, get_one}, .spec = &lf_model_fifo, .capacity = 1);
LF_MODEL_CLIENT(stop_half_full, .setup = half_full, .threads = {put_one, get_one}, .spec = &lf_model_fifo,
                .capacity = 2);
LF_MODEL_CLIENT(stop_full, .setup = full, .threads = {put_one, get_one}, .spec = &lf_model_fifo, .capacity = 1);
