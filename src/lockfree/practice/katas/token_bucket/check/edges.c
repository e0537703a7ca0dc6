#include "tokens.h"

static void of_5(void) { make(5); }
static void of_1(void) { make(1); }

static void full_at_first(void) {
    int at_first = drain(0, 5);
    lf_model_assert(at_first == 5);
    lf_model_assert(!take(1, 0));
    for (uint64_t time = 1; time < 8; time++)
        lf_model_assert(take(1, time) && !take(1, time));
}

static void never_above(void) {
    int burst = drain(1000, 5);
    lf_model_assert(burst == 5);
    burst = drain(1003, 5);
    lf_model_assert(burst == 3);
    burst = drain(1000000, 5);
    lf_model_assert(burst == 5);
    int more_than_ever = take(6, 5000000) || take(UINT32_MAX, 5000000);
    lf_model_assert(!more_than_ever);
    burst = take(5, 5000000) + take(1, 5000000);
    lf_model_assert(burst == 1);
}

static void all_or_nothing(void) {
    lf_model_assert(take(3, 0));
    lf_model_assert(!take(3, 0) && !take(4, 1));
    int left = drain(1, 5);
    lf_model_assert(left == 3);
}

/* A call every third of an interval, after the bucket was emptied: the thirds add up. */
static void fractions(void) {
    int taken = drain(0, 5);
    lf_model_assert(taken == 5);
    taken = 0;
    for (uint64_t third = 1; third <= 30; third++)
        taken += bucket_take(bucket, 1, BEGIN + third * INTERVAL / 3);
    int of_ten = taken;
    lf_model_assert(of_ten == 10);
}

static void large_numbers(void) { bucket = lf_model_shared(bucket_size()); }

static void slow(void) {
    bucket_init(bucket, 1000000, 1000000000, (UINT64_C(1) << 61) - 1);
    uint64_t begin = (UINT64_C(1) << 61) - 1, second = 1000000000;
    lf_model_assert(bucket_take(bucket, 999991, begin));
    lf_model_assert(!bucket_take(bucket, 10, begin) && bucket_take(bucket, 5, begin));
    lf_model_assert(bucket_take(bucket, 4, begin) && !bucket_take(bucket, 1, begin));
    lf_model_assert(!bucket_take(bucket, 7, begin + 6 * second) && bucket_take(bucket, 6, begin + 6 * second));
}

static void zero(void) {
    bucket_init(bucket, 2, INTERVAL, 0);
    lf_model_assert(bucket_take(bucket, 2, 0) && !bucket_take(bucket, 1, INTERVAL - 1));
    lf_model_assert(bucket_take(bucket, 1, INTERVAL) && !bucket_take(bucket, 1, INTERVAL));
}

LF_MODEL_CLIENT(edge_full, .setup = of_5, .threads = {full_at_first});
LF_MODEL_CLIENT(edge_burst, .setup = of_5, .threads = {never_above});
LF_MODEL_CLIENT(edge_whole, .setup = of_5, .threads = {all_or_nothing});
LF_MODEL_CLIENT(edge_fractions, .setup = of_5, .threads = {fractions});
LF_MODEL_CLIENT(edge_numbers, .setup = large_numbers, .threads = {slow});
LF_MODEL_CLIENT(edge_zero, .setup = of_1, .threads = {zero});
