/* What the clients share: a ring in memory whose bounds are watched, records that show when they are torn, and the
 * relaxed contract. */
#include <string.h>

#include "lockfree_model.h"
#include "mpmc_ring.h"

static struct mpmc_ring *ring;

static inline void make(uint32_t capacity, uint32_t start) {
    ring = lf_model_shared(mpmc_size(capacity));
    mpmc_init(ring, capacity, start);
}

static inline int put(uint64_t id) {
    struct mpmc_record record = {id, ~id};
    lf_model_call(LF_MODEL_PUT, id);
    int done = mpmc_put(ring, &record);
    lf_model_return(done ? 0 : LF_MODEL_FULL);
    return done;
}

static inline int get(void) {
    struct mpmc_record record = {0, 0};
    lf_model_call(LF_MODEL_GET, 0);
    int done = mpmc_get(ring, &record);
    lf_model_assert(!done || record.payload == ~record.id); /* torn */
    lf_model_return(done ? record.id : LF_MODEL_EMPTY);
    return done;
}

struct records {
    uint64_t count, id[16];
};

/* The threads of a client run beside one another, so each of their calls may be refused. Before and after, none may. */
static inline int relaxed_step(void *state, const struct lf_model_op *op, const struct lf_model_moment *moment) {
    struct records *in = state;
    int others = op->thread != 0;
    if (op->what == LF_MODEL_PUT) {
        if (!op->pending && op->result == LF_MODEL_FULL)
            return others || in->count == moment->client->capacity;
        if (in->count == moment->client->capacity)
            return 0;
        in->id[in->count++] = op->argument;
        return 1;
    }
    if (!op->pending && op->result == LF_MODEL_EMPTY)
        return others || in->count == 0;
    if (in->count == 0 || (!op->pending && op->result != in->id[0]))
        return op->pending && in->count == 0;
    memmove(in->id, in->id + 1, (in->count - 1) * sizeof in->id[0]);
    in->id[--in->count] = 0;
    return 1;
}

static const struct lf_model_spec relaxed_fifo = {"queue that may refuse while others are at work",
                                                  sizeof(struct records), NULL, relaxed_step};
