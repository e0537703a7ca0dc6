/* What the clients share: a ring in memory whose bounds are watched, and records that show when they are torn. */
#include <assert.h>

#include "lockfree_model.h"
#include "spsc_ring.h"

static struct spsc_ring *ring;
static uint32_t capacity;

static inline void make(uint32_t records, uint32_t start) {
    capacity = records;
    ring = lf_model_shared(spsc_size(capacity));
    spsc_init(ring, capacity, start);
}

static inline int put(uint64_t id) {
    struct spsc_record record = {id, ~id};
    lf_model_call(LF_MODEL_PUT, id);
    int done = spsc_put(ring, &record);
    lf_model_return(done ? 0 : LF_MODEL_FULL);
    return done;
}

static inline int get(void) {
    struct spsc_record record = {0, 0};
    lf_model_call(LF_MODEL_GET, 0);
    int done = spsc_get(ring, &record);
    lf_model_assert(!done || record.payload == ~record.id); /* torn */
    lf_model_return(done ? record.id : LF_MODEL_EMPTY);
    return done;
}
