#include "ring.h"

static void rounds(uint32_t capacity) {
    uint32_t in = 0, out = 0, value = 0;
    lf_model_assert(!strict_get(ring, &value));
    for (uint32_t turn = 0; turn < 12; turn++) {
        while (in - out <= capacity && strict_put(ring, UINT32_MAX - in))
            in++;
        lf_model_assert(in - out == capacity);
        for (uint32_t i = 0; i <= turn % capacity; i++) {
            lf_model_assert(strict_get(ring, &value));
            lf_model_assert(value == UINT32_MAX - out);
            out++;
        }
    }
    while (out != in) {
        lf_model_assert(strict_get(ring, &value));
        lf_model_assert(value == UINT32_MAX - out);
        out++;
    }
    lf_model_assert(!strict_get(ring, &value));
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
