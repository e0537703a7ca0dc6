/* A barrier for one thread: it never waits, and is always the one. */
#include "barrier.h"
#include "lockfree_model.h"

static struct barrier *barrier;

void barrier_yield(void) { lf_model_assert(!"a barrier for one thread waits"); }

static void make(uint32_t start) {
    barrier = lf_model_shared(barrier_size());
    barrier_init(barrier, 1, start);
}
static void at_0(void) { make(0); }
static void before_16_bits(void) { make(UINT16_MAX - 2); }
static void before_31_bits(void) { make(INT32_MAX - 2); }
static void before_32_bits(void) { make(UINT32_MAX - 2); }

static void alone(void) {
    for (int round = 0; round < 6; round++)
        lf_model_assert(barrier_wait(barrier) == 1);
}

LF_MODEL_CLIENT(edge_alone, .setup = at_0, .threads = {alone});
LF_MODEL_CLIENT(edge_wrap_16, .setup = before_16_bits, .threads = {alone});
LF_MODEL_CLIENT(edge_wrap_31, .setup = before_31_bits, .threads = {alone});
LF_MODEL_CLIENT(edge_wrap_32, .setup = before_32_bits, .threads = {alone});
