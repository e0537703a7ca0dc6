/* priority_queue: see waiters.h. */
#define LF_LEAST_CELLS 1u
#define LF_PARTICIPANTS 16u
#include <lockfree/priority_queue.h>

#include "lockfree_model.h"

static struct lf_priority_queue object[5];
static uint64_t record;

static void setup_empty(void) {
    uint64_t bytes;
    lf_priority_queue_bytes(1, 8, 2, &bytes);
    void *memory = lf_model_shared(bytes);
    lf_model_assert(lf_priority_queue_create_local(&object[0], memory, 1, 8, 2, 0) == LF_OK);
    for (uint32_t t = 1; t < 5; t++)
        lf_model_assert(lf_segment_attach_local(&object[t].h, &lf_priority_queue_kind, memory, t == 4 ? 9 : t) ==
                        LF_OK);
    lf_model_label(&object[0].body->decision, 8, "W");
    lf_model_label(&object[0].body->not_empty, 8, "not_empty");
    lf_model_label(&object[0].body->not_full, 8, "not_full");
}
static int try_put(struct lf_priority_queue *q) { return lf_priority_queue_try_put(q, &record, 8, 1); }
static int put(struct lf_priority_queue *q, uint64_t deadline) {
    return lf_priority_queue_put(q, &record, 8, 1, deadline);
}
static int64_t get(struct lf_priority_queue *q, uint64_t deadline) {
    uint64_t to;
    uint32_t level;
    return lf_priority_queue_get(q, &to, &level, deadline);
}
static int64_t peek(struct lf_priority_queue *q) {
    uint64_t length;
    uint32_t level;
    return lf_priority_queue_peek(q, LF_LEASE, &level, &length);
}
static int64_t reserve(struct lf_priority_queue *q) { return lf_priority_queue_reserve(q); }
static int release(struct lf_priority_queue *q, int64_t index) { return lf_priority_queue_release(q, index); }
static int requeue(struct lf_priority_queue *q, int64_t index) { return lf_priority_queue_requeue(q, index, 0); }
static int64_t put_one_of_many(struct lf_priority_queue *q) {
    const uint32_t level = 1;
    return lf_priority_queue_put_many(q, &record, 8, 8, NULL, &level, 1);
}
static int64_t get_one_of_many(struct lf_priority_queue *q) {
    uint64_t to;
    uint32_t level, length;
    return lf_priority_queue_get_many(q, &to, 8, &length, &level, 1);
}

#include "waiters.h"

/* A pop that is decided and not carried out does not count as inside. */
static void pops(void) { get(ME, 0); }
static void size_is_what_comes_out(void) {
    uint64_t inside = lf_priority_queue_size(&object[3]);
    lf_model_assert(get(&object[3], 0) == (inside == 1 ? 8 : LF_EMPTY));
}
LF_MODEL_CLIENT(pq_size_beside_a_pop, .setup = setup_with_one, .threads = {pops}, .final = size_is_what_comes_out);
