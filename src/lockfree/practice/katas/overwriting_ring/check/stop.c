/* A reader that is stopped for ever must not keep the writer from finishing, nor the writer the reader. */
#include "events.h"

static void one(void) {
    make(1, 7);
    put(base);
}
static void put_next(void) { put(base + 1); }
static void get_first(void) { get(base); }

LF_MODEL_CLIENT(stop_either, .setup = one, .threads = {put_next, get_first});
