/* Draining: whatever a put has accepted comes out before a get says that the ring is closed, whenever it is shut down. */
#define LF_PARTICIPANTS 16u
#include <lockfree/lockfree.h>

#include "lockfree_model.h"

static struct lf_spsc_ring spsc[5];
static struct lf_mpmc_ring mpmc[5];
static struct lf_priority_queue queue[5];
static int accepted, closed, taken; /* taken: before the consumer was told that it is closed */

static void setup_spsc(void) {
    uint64_t bytes;
    lf_spsc_ring_bytes(2, 8, &bytes);
    void *memory = lf_model_shared(bytes);
    lf_model_assert(lf_spsc_ring_create_local(&spsc[0], memory, 2, 8, UINT32_MAX) == LF_OK);
    for (uint32_t t = 1; t < 5; t++)
        lf_model_assert(lf_segment_attach_local(&spsc[t].h, &lf_spsc_ring_kind, memory, t) == LF_OK);
}
static void setup_mpmc(void) {
    uint64_t bytes;
    lf_mpmc_ring_bytes(1, 8, &bytes);
    void *memory = lf_model_shared(bytes);
    lf_model_assert(lf_mpmc_ring_create_local(&mpmc[0], memory, 1, 8, 0) == LF_OK);
    for (uint32_t t = 1; t < 5; t++)
        lf_model_assert(lf_segment_attach_local(&mpmc[t].h, &lf_mpmc_ring_kind, memory, t) == LF_OK);
}
static void setup_queue(void) {
    uint64_t bytes;
    lf_priority_queue_bytes(1, 8, 1, &bytes);
    void *memory = lf_model_shared(bytes);
    lf_model_assert(lf_priority_queue_create_local(&queue[0], memory, 1, 8, 1, 0) == LF_OK);
    for (uint32_t t = 1; t < 5; t++)
        lf_model_assert(lf_segment_attach_local(&queue[t].h, &lf_priority_queue_kind, memory, t) == LF_OK);
}

static void spsc_put(void) {
    uint64_t value = 1;
    accepted += lf_spsc_ring_try_put(&spsc[1], &value, sizeof value) == LF_OK;
}
static void spsc_put_many(void) {
    const uint64_t values[2] = {1, 2};
    int64_t done = lf_spsc_ring_put_many(&spsc[1], values, 8, 8, NULL, 2);
    lf_model_assert(done == LF_CLOSED || (done >= 1 && done <= 2));
    accepted += done > 0 ? (int)done : 0;
}
static void spsc_end(void) { lf_spsc_ring_shutdown(&spsc[3], 0); }
static void spsc_drain(void) {
    uint64_t value;
    for (int64_t status; (status = lf_spsc_ring_get(&spsc[2], &value, LF_FOREVER)) != LF_CLOSED; taken++)
        lf_model_assert(status == 8 && value == (uint64_t)taken + 1);
    closed = 1;
}
/* Asked once more, it must still be closed. */
static void spsc_look(void) {
    uint64_t value;
    int64_t status = lf_spsc_ring_try_get(&spsc[2], &value);
    taken += status == 8;
    if (status == LF_CLOSED) {
        closed = 1;
        lf_model_assert(lf_spsc_ring_try_get(&spsc[2], &value) == LF_CLOSED);
    }
}

static void mpmc_put(void) {
    uint64_t value = 1;
    int status = lf_mpmc_ring_try_put(&mpmc[1], &value, sizeof value);
    lf_model_assert(status == LF_OK || status == LF_CLOSED);
    accepted += status == LF_OK;
}
static void mpmc_end(void) { lf_mpmc_ring_shutdown(&mpmc[3], 0); }
static void mpmc_drain(void) {
    uint64_t value;
    for (int64_t status; (status = lf_mpmc_ring_get(&mpmc[2], &value, LF_FOREVER)) != LF_CLOSED; taken++)
        lf_model_assert(status == 8 && value == 1);
    closed = 1;
}
/* A reservation from before the end is waited for. */
static void mpmc_reserve_end_commit(void) {
    int64_t slot = lf_mpmc_ring_reserve(&mpmc[1]);
    lf_model_assert(slot >= 0);
    mpmc_end();
    *(uint64_t *)(void *)lf_slot_payload(lf_mpmc_ring_slot(&mpmc[1], (uint64_t)slot)) = 1;
    lf_model_assert(lf_mpmc_ring_commit(&mpmc[1], slot, 8) == LF_OK);
    accepted++;
}

static void queue_put(void) {
    uint64_t value = 1;
    int status = lf_priority_queue_try_put(&queue[1], &value, sizeof value, 0);
    lf_model_assert(status == LF_OK || status == LF_CLOSED);
    accepted += status == LF_OK;
}
static void queue_end(void) { lf_priority_queue_shutdown(&queue[3], 0); }
static void queue_drain(void) {
    uint64_t value;
    uint32_t level;
    for (int64_t status; (status = lf_priority_queue_get(&queue[2], &value, &level, LF_FOREVER)) != LF_CLOSED; taken++)
        lf_model_assert(status == 8 && value == 1);
    closed = 1;
}

static void nothing_is_lost(void) {
    if (closed)
        lf_model_assert(accepted == taken);
}

LF_MODEL_CLIENT(drain_spsc_sleep, .setup = setup_spsc, .threads = {spsc_put, spsc_end, spsc_drain},
                .final = nothing_is_lost);
LF_MODEL_CLIENT(drain_spsc_batch_sleep, .setup = setup_spsc, .threads = {spsc_put_many, spsc_end, spsc_drain},
                .final = nothing_is_lost);
LF_MODEL_CLIENT(drain_spsc_look, .setup = setup_spsc, .threads = {spsc_put, spsc_end, spsc_look},
                .final = nothing_is_lost);
LF_MODEL_CLIENT(drain_mpmc_sleep, .setup = setup_mpmc, .threads = {mpmc_put, mpmc_end, mpmc_drain},
                .final = nothing_is_lost);
LF_MODEL_CLIENT(drain_mpmc_reserved_sleep, .setup = setup_mpmc, .threads = {mpmc_reserve_end_commit, mpmc_drain},
                .final = nothing_is_lost);
LF_MODEL_CLIENT(drain_queue_sleep, .setup = setup_queue, .threads = {queue_put, queue_end, queue_drain},
                .final = nothing_is_lost);
