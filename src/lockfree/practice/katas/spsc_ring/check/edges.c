#include "ring.h"

static int plain_put(uint64_t id) {
    struct spsc_record record = {id, ~id};
    return spsc_put(ring, &record);
}

/* One thread: what a ring answers when it is filled again and again. */
static void rounds(uint32_t turns) {
    uint64_t in = 0, out = 0;
    struct spsc_record record;
    lf_model_assert(!spsc_get(ring, &record));
    for (uint32_t turn = 0; turn < turns; turn++) {
        while (in - out <= capacity && plain_put(in))
            in++;
        lf_model_assert(in - out == capacity);
        for (uint32_t i = 0; i <= turn % capacity; i++) {
            lf_model_assert(spsc_get(ring, &record));
            lf_model_assert(record.id == out && record.payload == ~out);
            out++;
        }
    }
}
static void some(void) { rounds(12); }

static void full_1(void) { make(1, 0); }
static void full_3(void) { make(3, 0); }
static void full_4(void) { make(4, 0); }
static void wrap_1(void) { make(1, UINT32_MAX - 2); }
static void wrap_3(void) { make(3, UINT32_MAX - 2); }
static void wrap_4(void) { make(4, UINT32_MAX - 2); }
static void wrap_5(void) { make(5, UINT16_MAX - 2); }

LF_MODEL_CLIENT(edge_full_1, .setup = full_1, .threads = {some});
LF_MODEL_CLIENT(edge_full_3, .setup = full_3, .threads = {some});
LF_MODEL_CLIENT(edge_full_4, .setup = full_4, .threads = {some});
LF_MODEL_CLIENT(edge_wrap_1, .setup = wrap_1, .threads = {some});
LF_MODEL_CLIENT(edge_wrap_3, .setup = wrap_3, .threads = {some});
LF_MODEL_CLIENT(edge_wrap_4, .setup = wrap_4, .threads = {some});
LF_MODEL_CLIENT(edge_wrap_5, .setup = wrap_5, .threads = {some});
