/* mpmc_ring: see waiters.h. */
#define LF_LEAST_CELLS 1u
#define LF_PARTICIPANTS 16u
#include <lockfree/mpmc_ring.h>

#include "lockfree_model.h"

static struct lf_mpmc_ring object[5];
static uint64_t record;

static void setup_empty(void) {
    uint64_t bytes;
    lf_mpmc_ring_bytes(1, 8, &bytes);
    void *memory = lf_model_shared(bytes);
    lf_model_assert(lf_mpmc_ring_create_local(&object[0], memory, 1, 8, 0) == LF_OK);
    for (uint32_t t = 1; t < 5; t++)
        lf_model_assert(lf_segment_attach_local(&object[t].h, &lf_mpmc_ring_kind, memory, t == 4 ? 9 : t) == LF_OK);
    lf_model_label(&object[0].body->not_empty, 8, "not_empty");
    lf_model_label(&object[0].body->not_full, 8, "not_full");
}
static int try_put(struct lf_mpmc_ring *r) { return lf_mpmc_ring_try_put(r, &record, 8); }
static int put(struct lf_mpmc_ring *r, uint64_t deadline) { return lf_mpmc_ring_put(r, &record, 8, deadline); }
static int64_t get(struct lf_mpmc_ring *r, uint64_t deadline) {
    uint64_t to;
    return lf_mpmc_ring_get(r, &to, deadline);
}
static int64_t peek(struct lf_mpmc_ring *r) {
    uint64_t length;
    return lf_mpmc_ring_peek(r, LF_LEASE, &length);
}
static int64_t reserve(struct lf_mpmc_ring *r) { return lf_mpmc_ring_reserve(r); }
static int release(struct lf_mpmc_ring *r, int64_t index) { return lf_mpmc_ring_release(r, index); }
static int requeue(struct lf_mpmc_ring *r, int64_t index) { return lf_mpmc_ring_requeue(r, index); }
static int64_t put_one_of_many(struct lf_mpmc_ring *r) { return lf_mpmc_ring_put_many(r, &record, 8, 8, NULL, 1); }
static int64_t get_one_of_many(struct lf_mpmc_ring *r) {
    uint64_t to;
    return lf_mpmc_ring_get_many(r, &to, 8, NULL, 1);
}

#include "waiters.h"
