/* What the clients share. A value is the number of a plain word, which its producer writes before the put. */
#include "lockfree_model.h"
#include "mpmc_ring_strict.h"

enum { VALUES = 12 };

static struct strict_ring *ring;
static uint64_t carried[VALUES];

static inline void make(uint32_t capacity, uint32_t start) {
    ring = lf_model_shared(strict_size(capacity));
    strict_init(ring, capacity, start);
}

static inline int put(uint32_t value) {
    carried[value] = value + 100;
    lf_model_call(LF_MODEL_PUT, value);
    int done = strict_put(ring, value);
    lf_model_return(done ? 0 : LF_MODEL_FULL);
    return done;
}

static inline int get(void) {
    uint32_t value = VALUES;
    lf_model_call(LF_MODEL_GET, 0);
    int done = strict_get(ring, &value);
    lf_model_return(done ? value : LF_MODEL_EMPTY);
    if (done)
        lf_model_assert(value < VALUES && carried[value] == value + 100);
    return done;
}

struct values {
    uint64_t count, value[16];
};

static inline int strict_step(void *state, const struct lf_model_op *op, const struct lf_model_moment *moment) {
    struct values *in = state;
    if (op->what == LF_MODEL_PUT) {
        if (in->count == moment->client->capacity)
            return op->pending || op->result == LF_MODEL_FULL;
        if (!op->pending && op->result == LF_MODEL_FULL)
            return 0;
        in->value[in->count++] = op->argument;
        return 1;
    }
    if (in->count == 0)
        return op->pending || op->result == LF_MODEL_EMPTY;
    if (!op->pending && op->result != in->value[0])
        return 0;
    in->count--;
    for (uint64_t i = 0; i < in->count; i++)
        in->value[i] = in->value[i + 1];
    in->value[in->count] = 0;
    return 1;
}

static const struct lf_model_spec strict_fifo = {"bounded queue", sizeof(struct values), NULL, strict_step};
