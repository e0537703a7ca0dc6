#include "ring.h"

static void one(void) { make(1, UINT32_MAX); }
static void two(void) { make(2, UINT32_MAX); }
static void three(void) { make(3, UINT32_MAX - 1); }

static void put_one(void) { put(1); }
static void put_three(void) {
    put(1);
    put(2);
    put(3);
}
static void get_one(void) { get(); }
static void get_three(void) {
    get();
    get();
    get();
}

LF_MODEL_CLIENT(publish, .setup = two, .threads = {put_one, get_one}, .spec = &lf_model_fifo, .capacity = 2);
/* Three records: a ring of capacity 1 can have two slots, one of which is always free. */
LF_MODEL_CLIENT(reuse, .setup = one, .threads = {put_three, get_three}, .spec = &lf_model_fifo, .capacity = 1);
LF_MODEL_CLIENT(two_slots, .setup = two, .threads = {put_three, get_three}, .spec = &lf_model_fifo, .capacity = 2);
LF_MODEL_CLIENT(three_slots, .setup = three, .threads = {put_three, get_three}, .spec = &lf_model_fifo, .capacity = 3);
