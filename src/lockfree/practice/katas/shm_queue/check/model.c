#include "queue.h"

static void one(void) { make(1); }
static void two(void) { make(2); }
static void two_with_one(void) {
    make(2);
    put(9);
}
static void one_with_one(void) {
    make(1);
    put(9);
}
static void put_1(void) { put(1); }
static void put_2(void) { put(2); }
static void put_3_4(void) {
    put(3);
    put(4);
}
static void get_1(void) { get(); }
static void get_2(void) {
    get();
    get();
}

LF_MODEL_CLIENT(hand_over, .setup = two, .threads = {put_1, get_1}, .final = settle, .spec = &lf_model_fifo,
                .capacity = 2);
LF_MODEL_CLIENT(two_writers, .setup = two, .threads = {put_1, put_2}, .final = settle, .spec = &lf_model_fifo,
                .capacity = 2);
LF_MODEL_CLIENT(two_readers, .setup = two_with_one, .threads = {get_1, get_1}, .final = settle, .spec = &lf_model_fifo,
                .capacity = 2);
LF_MODEL_CLIENT(reuse, .setup = one, .threads = {put_3_4, get_2}, .final = settle, .spec = &lf_model_fifo,
                .capacity = 1);
LF_MODEL_CLIENT(lagging, .setup = one_with_one, .threads = {get_1, put_3_4}, .final = settle, .spec = &lf_model_fifo,
                .capacity = 1);
