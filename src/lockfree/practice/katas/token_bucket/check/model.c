#include <stdatomic.h>

#include "tokens.h"

static _Atomic int taken;

static void count(int done, int tokens) {
    if (done)
        atomic_fetch_add_explicit(&taken, tokens, memory_order_relaxed);
}

static void one_left(void) {
    make(3);
    take(2, 0);
}
static void two_left(void) {
    make(4);
    take(2, 0);
}
static void empty(void) {
    make(50);
    take(50, 0);
}

static void now(void) { count(take(1, 0), 1); }
static void two_now(void) { count(take(2, 0), 2); }
static void three_now(void) {
    int too_many = take(3, 0);
    lf_model_assert(!too_many);
}
static void at_1(void) { count(take(1, 1), 1); }
static void at_3(void) { count(take(1, 3), 1); }
static void at_5(void) { count(take(1, 5), 1); }
static void at_3_and_5(void) {
    count(take(1, 3), 1);
    count(take(1, 5), 1);
}

static void exactly_one(void) {
    int tokens_for_one = taken;
    lf_model_assert(tokens_for_one == 1);
}
static void exactly_two(void) {
    int tokens_for_two = taken;
    lf_model_assert(tokens_for_two == 2);
}
/* Five intervals have passed, and five tokens have come. */
static void exactly_five(void) {
    int tokens_in_time = taken + drain(5, 50);
    lf_model_assert(tokens_in_time == 5);
}

LF_MODEL_CLIENT(last_token, .setup = one_left, .threads = {now, now}, .final = exactly_one);
LF_MODEL_CLIENT(refused, .setup = two_left, .threads = {three_now, two_now}, .final = exactly_two);
LF_MODEL_CLIENT(refill, .setup = empty, .threads = {at_1, at_1}, .final = exactly_one);
LF_MODEL_CLIENT(clocks, .setup = empty, .threads = {at_3, at_5}, .final = exactly_five);
LF_MODEL_CLIENT(clocks_twice, .setup = empty, .threads = {at_3_and_5, at_5}, .final = exactly_five);
LF_MODEL_CLIENT(three, .setup = empty, .threads = {at_3, at_5, at_1}, .final = exactly_five);
