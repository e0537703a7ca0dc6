/* A thread that is stopped for ever, anywhere in its call, must not keep the other from finishing. */
#include "tokens.h"

static void two(void) { make(2); }
static void take_1(void) { take(1, 1); }

LF_MODEL_CLIENT(stop_either, .setup = two, .threads = {take_1, take_1});
