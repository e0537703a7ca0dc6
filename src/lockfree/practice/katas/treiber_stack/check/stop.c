/* A thread that is stopped for ever, anywhere in its call, must not keep the other from finishing. */
#include "stack.h"

static void two(void) {
    make(7);
    push(1);
    push(0);
}
static void push_2(void) { push(2); }
static void pop_once(void) { pop(); }

LF_MODEL_CLIENT(stop_pop, .setup = two, .threads = {pop_once, pop_once}, .spec = &lf_model_stack);
LF_MODEL_CLIENT(stop_push, .setup = two, .threads = {push_2, pop_once}, .spec = &lf_model_stack);
