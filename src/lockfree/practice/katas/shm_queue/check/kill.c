/* Each process is killed before each of its steps. The others go on, and nothing that returned is lost. */
#include "queue.h"

static void one(void) { make(1); }
static void two(void) { make(2); }
static void two_with_one(void) {
    make(2);
    put(9);
}
static void put_1(void) { put(1); }
static void put_1_2(void) {
    put(1);
    put(2);
}
static void put_3(void) { put(3); }
static void get_1(void) { get(); }
static void heir(void) {
    if (!shm_alive(1))
        settle();
}
static void put_3_inherit(void) {
    put(3);
    heir();
}
static void get_inherit(void) {
    get();
    heir();
}

LF_MODEL_CLIENT(writer_dies, .setup = two, .threads = {put_1, get_inherit}, .spec = &lf_model_fifo, .capacity = 2,
                .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(reader_dies, .setup = two_with_one, .threads = {get_1, put_3_inherit}, .spec = &lf_model_fifo,
                .capacity = 2, .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(writer_dies_beside_one, .setup = one, .threads = {put_1_2, put_3_inherit}, .spec = &lf_model_fifo,
                .capacity = 1, .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(two_find_the_dead, .setup = two, .threads = {put_1, put_3, get_1}, .spec = &lf_model_fifo,
                .capacity = 2, .stop_is_death = 1, .may_stop = 2);
