#include "box.h"

static void put_1(void) { put(1); }
static void take_1(void) { take(); }
static void put_2(void) {
    put(1);
    put(2);
}
static void take_2(void) {
    take();
    take();
}
static void full(void) { put(7); }
static void take_the_rest(void) {
    take();
    lf_model_assert(!take());
}

LF_MODEL_CLIENT(one, .threads = {put_1, take_1}, .spec = &lf_model_fifo, .capacity = 1);
LF_MODEL_CLIENT(again, .setup = full, .threads = {put_1, take_1}, .spec = &lf_model_fifo, .capacity = 1);
LF_MODEL_CLIENT(one_and_another, .threads = {put_2, take_2}, .spec = &lf_model_fifo, .capacity = 1,
                .final = take_the_rest);
