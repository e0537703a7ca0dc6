/* A reader that is stopped for ever, anywhere, must not keep the writer from finishing; nor the writer the readers. */
#include "things.h"

static void two(void) { make(2, 0); }
static void read_0(void) {
    used(cell_acquire(cell, 0));
    cell_release(cell, 0);
}
static void read_1(void) {
    used(cell_acquire(cell, 1));
    cell_release(cell, 1);
}
static void replace_twice(void) {
    cell_replace(cell, new_thing(1));
    cell_replace(cell, new_thing(2));
}

LF_MODEL_CLIENT(stop_reader, .setup = two, .threads = {read_0, replace_twice});
LF_MODEL_CLIENT(stop_readers, .setup = two, .threads = {read_0, read_1});
