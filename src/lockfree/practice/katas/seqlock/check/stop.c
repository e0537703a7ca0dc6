/* A writer that is stopped for ever, anywhere in its call, must not keep a try from returning. */
#include "record.h"

static void begin(void) { make(UINT32_MAX - 1); }
static void write_1(void) { publish(1); }
static void look(void) {
    struct quote record = {0};
    if (seqlock_try_read(lock, &record))
        lf_model_assert(is_whole(&record));
}

LF_MODEL_CLIENT(stop_writer, .setup = begin, .threads = {write_1, look});
