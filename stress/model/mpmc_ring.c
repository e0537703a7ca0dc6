/* mpmc_ring: two or three threads, capacity 1 and 2, queues of two cells that begin before the wrap of their
 * positions in custody words, so that cells are used again while somebody is slow. */
#define LF_LEAST_CELLS 2u
#include <lockfree/mpmc_ring.h>

#include "lockfree_model.h"

static struct lf_mpmc_ring ring[4];

static void start(uint64_t capacity) {
    uint64_t bytes, first = (UINT64_C(1) << 46) - 1;
    lf_mpmc_ring_bytes(capacity, 8, &bytes);
    void *memory = lf_model_shared(bytes);
    lf_model_assert(lf_mpmc_ring_create_local(&ring[0], memory, capacity, 8, first) == LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&ring[t].h, &lf_mpmc_ring_kind, memory, t) == LF_OK);
    lf_model_label(&ring[0].queues[LF__FREE].ends->head, 8, "free.head");
    lf_model_label(&ring[0].queues[LF__FREE].ends->tail, 8, "free.tail");
    lf_model_label(ring[0].queues[LF__FREE].cells, 16, "free.cells");
    lf_model_label(&ring[0].queues[LF__RECORDS].ends->head, 8, "records.head");
    lf_model_label(&ring[0].queues[LF__RECORDS].ends->tail, 8, "records.tail");
    lf_model_label(ring[0].queues[LF__RECORDS].cells, 16, "records.cells");
    lf_model_label(lf_mpmc_ring_slot(&ring[0], 0), 8, "custody 0");
    if (capacity > 1)
        lf_model_label(lf_mpmc_ring_slot(&ring[0], 1), 8, "custody 1");
}
static void capacity_1(void) { start(1); }
static void capacity_2(void) { start(2); }

static void put(uint64_t value) {
    lf_model_call(LF_MODEL_PUT, value);
    int status = lf_mpmc_ring_try_put(&ring[lf_model_thread()], &value, sizeof value);
    lf_model_return(status == LF_OK ? 0 : status == LF_FULL ? LF_MODEL_FULL : (uint64_t)status);
}
static void get(void) {
    uint64_t value = 0;
    lf_model_call(LF_MODEL_GET, 0);
    int64_t status = lf_mpmc_ring_try_get(&ring[lf_model_thread()], &value);
    lf_model_return(status == 8 ? value : status == LF_EMPTY ? LF_MODEL_EMPTY : (uint64_t)status);
}

static void put_1(void) { put(1); }
static void put_2(void) { put(2); }
static void get_1(void) { get(); }
static void put_1_2(void) {
    put(1);
    put(2);
}
static void get_get(void) {
    get();
    get();
}
static void put_3_get(void) {
    put(3);
    get();
}
static void put_4_get(void) {
    put(4);
    get();
}

static void sleeping_put(void) {
    uint64_t value = 1;
    lf_model_assert(lf_mpmc_ring_put(&ring[1], &value, sizeof value, LF_FOREVER) == LF_OK);
}
static void sleeping_get(void) {
    uint64_t value;
    lf_model_assert(lf_mpmc_ring_get(&ring[2], &value, LF_FOREVER) == 8);
    lf_model_assert(value == 1);
}

/* A sleeper is told when its handle is closed, or the ring shut down. */
static void get_until_closed(void) {
    uint64_t value;
    lf_model_assert(lf_mpmc_ring_get(&ring[1], &value, LF_FOREVER) == LF_CLOSED);
}
static void close_it(void) { lf_mpmc_ring_close(&ring[1]); }
static void ending(void) { lf_mpmc_ring_shutdown(&ring[2], 1); }

/* One dies anywhere; the other recovers, after which the ring has its whole capacity again. */
static void mortal(void) {
    put(1);
    get();
}
static void survivor(void) {
    uint64_t value = 2;
    if (lf_model_participant_alive(1))
        return;
    struct lf_mpmc_ring *mine = &ring[2];
    lf_reap(&mine->h);
    int status = lf_mpmc_ring_try_put(mine, &value, sizeof value);
    lf_model_assert(status == LF_OK || lf_mpmc_ring_size(mine) == 1);
    lf_model_assert(lf_mpmc_ring_try_get(mine, &value) == 8);
    lf_model_assert(value == 1 || value == 2);
    lf_model_assert(status != LF_OK || value == 2 || lf_mpmc_ring_try_get(mine, &value) == 8);
    lf_model_assert(lf_mpmc_ring_try_get(mine, &value) == LF_EMPTY);
}

#define QUEUE .spec = &lf_model_fifo
LF_MODEL_CLIENT(mpmc_1p1c, .setup = capacity_1, .threads = {put_1, get_1}, QUEUE, .capacity = 1);
LF_MODEL_CLIENT(mpmc_1p1c_twice, .setup = capacity_1, .threads = {put_1_2, get_get}, QUEUE, .capacity = 1);
LF_MODEL_CLIENT(mpmc_2p, .setup = capacity_2, .threads = {put_1, put_2}, QUEUE, .capacity = 2);
LF_MODEL_CLIENT(mpmc_both, .setup = capacity_1, .threads = {put_3_get, put_4_get}, QUEUE, .capacity = 1);
LF_MODEL_CLIENT(mpmc_both_cap2, .setup = capacity_2, .threads = {put_3_get, put_4_get}, QUEUE, .capacity = 2);
LF_MODEL_CLIENT(mpmc_2p1c, .setup = capacity_2, .threads = {put_1, put_2, get_1}, QUEUE, .capacity = 2);
LF_MODEL_CLIENT(mpmc_sleep, .setup = capacity_1, .threads = {sleeping_put, sleeping_get});
LF_MODEL_CLIENT(mpmc_close_sleep, .setup = capacity_1, .threads = {get_until_closed, close_it});
LF_MODEL_CLIENT(mpmc_shutdown_sleep, .setup = capacity_1, .threads = {get_until_closed, ending});
LF_MODEL_CLIENT(mpmc_death, .setup = capacity_1, .threads = {mortal, survivor}, .stop_is_death = 1, .may_stop = 2);
