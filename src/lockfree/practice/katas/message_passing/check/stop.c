/* A thread that is stopped for ever, anywhere in its call, must not keep the other from finishing. */
#include "box.h"

static void put_1(void) { put(1); }
static void take_1(void) { take(); }
static void full(void) { put(7); }

LF_MODEL_CLIENT(stop_empty, .threads = {put_1, take_1}, .spec = &lf_model_fifo, .capacity = 1);
LF_MODEL_CLIENT(stop_full, .setup = full, .threads = {put_1, take_1}, .spec = &lf_model_fifo, .capacity = 1);
