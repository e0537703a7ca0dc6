#include "events.h"

static void one(void) { make(1, UINT32_MAX - 1); }
static void one_filled(void) {
    one();
    put(base);
}
static void two(void) { make(2, UINT32_MAX - 1); }

static void put_one(void) { put(base); }
static void put_next(void) { put(base + 1); }
static void put_two(void) {
    put(base);
    put(base + 1);
}
static void put_three(void) {
    put(base);
    put(base + 1);
    put(base + 2);
}

static void get_first(void) { get(base); }
static void get_overwritten(void) {
    enum latest_answer answer = get(base);
    int not_later = answer != LATEST_LATER;
    lf_model_assert(not_later);
}
static void get_both(void) {
    get(base);
    get(base + 1);
}
/* What lies before the next number is there, or lost. */
static void follow(void) {
    uint64_t next = latest_next(ring);
    for (uint64_t number = base; number < next; number++) {
        int there_or_lost = get(number) != LATEST_LATER;
        lf_model_assert(there_or_lost);
    }
}

static uint64_t told; /* plain: written before the event, read by the thread that has found it */
static void tell(void) {
    told = 5;
    put(base);
}
static void hear(void) {
    if (get(base) == LATEST_FOUND)
        lf_model_assert(told == 5);
}

LF_MODEL_CLIENT(first, .setup = one, .threads = {put_one, get_first});
LF_MODEL_CLIENT(overwritten, .setup = one_filled, .threads = {put_next, get_overwritten});
LF_MODEL_CLIENT(one_slot, .setup = one, .threads = {put_two, get_both});
LF_MODEL_CLIENT(tells, .setup = one, .threads = {tell, hear});
LF_MODEL_CLIENT(follows, .setup = two, .threads = {put_three, follow});
LF_MODEL_CLIENT(two_readers, .setup = one_filled, .threads = {put_next, get_overwritten, get_overwritten});
