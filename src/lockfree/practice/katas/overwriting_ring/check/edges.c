#include "events.h"

static void rounds(uint64_t slots, uint64_t events) {
    lf_model_assert(latest_next(ring) == base);
    lf_model_assert(get(base) == LATEST_LATER && get(base + slots) == LATEST_LATER);
    for (uint64_t number = base; number < base + events; number++) {
        put(number);
        lf_model_assert(latest_next(ring) == number + 1);
        lf_model_assert(get(number) == LATEST_FOUND);
        lf_model_assert(get(number + 1) == LATEST_LATER && get(number + slots) == LATEST_LATER);
        uint64_t oldest = number + 1 < base + slots ? base : number + 1 - slots;
        lf_model_assert(get(oldest) == LATEST_FOUND);
        if (oldest > base)
            lf_model_assert(get(oldest - 1) == LATEST_LOST);
        if (oldest > base + slots)
            lf_model_assert(get(oldest - 1 - slots) == LATEST_LOST);
    }
    lf_model_assert(get(base) == LATEST_LOST);
}

static void one(void) { make(1, 0); }
static void four(void) { make(4, 0); }
static void late_two(void) { make(2, UINT32_MAX - 3); }
static void later_four(void) { make(4, (UINT64_C(1) << 61) - 3); }
static void of_1(void) { rounds(1, 9); }
static void of_2(void) { rounds(2, 12); }
static void of_4(void) { rounds(4, 20); }

/* Old numbers stay lost, however many laps ago they were. */
static void laps(void) {
    for (uint64_t number = base; number < base + 300; number++) {
        put(number);
        if (number > base) {
            int still_lost = get(base) == LATEST_LOST;
            lf_model_assert(still_lost);
        }
    }
}

LF_MODEL_CLIENT(edge_four, .setup = four, .threads = {of_4});
LF_MODEL_CLIENT(edge_one, .setup = one, .threads = {of_1});
LF_MODEL_CLIENT(edge_late, .setup = late_two, .threads = {of_2});
LF_MODEL_CLIENT(edge_later, .setup = later_four, .threads = {of_4});
LF_MODEL_CLIENT(edge_laps, .setup = one, .threads = {laps});
