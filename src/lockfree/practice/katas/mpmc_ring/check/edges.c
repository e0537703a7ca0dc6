#include "ring.h"

/* One thread alone: nobody else is at work, so full is full and empty is empty. */
static void rounds(uint32_t capacity) {
    uint64_t in = 0, out = 0;
    struct mpmc_record record;
    lf_model_assert(!mpmc_get(ring, &record));
    for (uint32_t turn = 0; turn < 12; turn++) {
        for (;;) {
            record = (struct mpmc_record){in, ~in};
            if (in - out > capacity || !mpmc_put(ring, &record))
                break;
            in++;
        }
        lf_model_assert(in - out == capacity);
        for (uint32_t i = 0; i <= turn % capacity; i++) {
            lf_model_assert(mpmc_get(ring, &record));
            lf_model_assert(record.id == out && record.payload == ~out);
            out++;
        }
    }
    while (mpmc_get(ring, &record))
        lf_model_assert(record.id == out++ && out <= in);
    lf_model_assert(out == in);
}

static void make_4(void) { make(4, 0); }
static void make_1(void) { make(1, 0); }
static void wrap_2(void) { make(2, UINT32_MAX - 4); }
static void wrap_4(void) { make(4, INT32_MAX - 4); }
static void wrap_8(void) { make(8, UINT32_MAX / 4 - 4); }
static void of_1(void) { rounds(1); }
static void of_2(void) { rounds(2); }
static void of_4(void) { rounds(4); }
static void of_8(void) { rounds(8); }

LF_MODEL_CLIENT(edge_full, .setup = make_4, .threads = {of_4});
LF_MODEL_CLIENT(edge_one_slot, .setup = make_1, .threads = {of_1});
LF_MODEL_CLIENT(edge_wrap_2, .setup = wrap_2, .threads = {of_2});
LF_MODEL_CLIENT(edge_wrap_4, .setup = wrap_4, .threads = {of_4});
LF_MODEL_CLIENT(edge_wrap_8, .setup = wrap_8, .threads = {of_8});
