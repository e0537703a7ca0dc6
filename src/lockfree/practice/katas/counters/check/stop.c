/* A thread that is stopped for ever, anywhere in its call, must not keep the others from finishing. */
#include "counters.h"
#include "lockfree_model.h"

static struct counters *counters;

static void make(void) {
    counters = lf_model_shared(counters_size(2));
    counters_init(counters, 2, 5);
}
static void add(void) { counters_add(counters, 0, 1); }
static void total(void) { lf_model_assert(counters_total(counters) <= 6); }
static void take(void) { lf_model_assert(counters_take(counters) <= 6); }

LF_MODEL_CLIENT(stop_add, .setup = make, .threads = {add, add});
LF_MODEL_CLIENT(stop_total, .setup = make, .threads = {add, total});
LF_MODEL_CLIENT(stop_take, .setup = make, .threads = {add, take});
