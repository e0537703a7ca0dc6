/* spsc_ring: one producer, one consumer; positions begin before the wrap of their low half. */
#include <lockfree/spsc_ring.h>

#include "lockfree_model.h"

static struct lf_spsc_ring ring[4]; /* a handle for each thread, as processes have */

static void start(uint64_t capacity) {
    uint64_t bytes, first = UINT32_MAX;
    lf_spsc_ring_bytes(capacity, 8, &bytes);
    void *memory = lf_model_shared(bytes);
    lf_model_assert(lf_spsc_ring_create_local(&ring[0], memory, capacity, 8, first) == LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&ring[t].h, &lf_spsc_ring_kind, memory, t) == LF_OK);
    lf_model_label(ring[0].body, sizeof *ring[0].body, "body");
}
static void capacity_1(void) { start(1); }
static void capacity_2(void) { start(2); }

static void put(uint64_t value) {
    lf_model_call(LF_MODEL_PUT, value);
    int status = lf_spsc_ring_try_put(&ring[1], &value, sizeof value);
    lf_model_return(status == LF_OK ? 0 : status == LF_FULL ? LF_MODEL_FULL : (uint64_t)status);
}
static void get(void) {
    uint64_t value = 0;
    lf_model_call(LF_MODEL_GET, 0);
    int64_t status = lf_spsc_ring_try_get(&ring[2], &value);
    lf_model_return(status == 8 ? value : status == LF_EMPTY ? LF_MODEL_EMPTY : (uint64_t)status);
}

static void producer(void) {
    for (uint64_t v = 1; v <= 3; v++)
        put(v);
}
static void consumer(void) {
    for (int i = 0; i < 3; i++)
        get();
}

/* Batches: at most all of it, in order. */
static int64_t batch_put = -1, batch_got = -1; /* -1: stopped before the end */
static void batch_producer(void) {
    const uint64_t values[3] = {1, 2, 3};
    batch_put = lf_spsc_ring_put_many(&ring[1], values, 8, 8, NULL, 3);
    lf_model_assert(batch_put >= 1 && batch_put <= 3);
}
static void batch_consumer(void) {
    uint64_t values[3];
    batch_got = lf_spsc_ring_get_many(&ring[2], values, 8, NULL, 3);
    for (int64_t i = 0; i < batch_got; i++)
        lf_model_assert(values[i] == (uint64_t)i + 1);
}
static void what_was_put_is_there(void) {
    if (batch_put >= 0 && batch_got >= 0)
        lf_model_assert(batch_put - batch_got == (int64_t)lf_spsc_ring_size(&ring[0]));
}

/* In place, without copies. */
static void place(void) {
    for (uint64_t v = 1; v <= 3; v++) {
        lf_model_call(LF_MODEL_PUT, v);
        int64_t ticket = lf_spsc_ring_reserve(&ring[1]);
        if (ticket >= 0) {
            memcpy(lf_spsc_ring_payload(&ring[1], ticket), &v, sizeof v);
            lf_model_assert(lf_spsc_ring_commit(&ring[1], ticket, sizeof v) == LF_OK);
        }
        lf_model_return(ticket >= 0 ? 0 : ticket == LF_FULL ? LF_MODEL_FULL : (uint64_t)ticket);
    }
}
static void look(void) {
    for (int i = 0; i < 3; i++) {
        uint64_t value = 0, length = 0;
        lf_model_call(LF_MODEL_GET, 0);
        int64_t ticket = lf_spsc_ring_peek(&ring[2], &length);
        if (ticket >= 0) {
            lf_model_assert(length == sizeof value);
            memcpy(&value, lf_spsc_ring_payload(&ring[2], ticket), sizeof value);
            lf_model_assert(lf_spsc_ring_release(&ring[2], ticket) == LF_OK);
        }
        lf_model_return(ticket >= 0 ? value : ticket == LF_EMPTY ? LF_MODEL_EMPTY : (uint64_t)ticket);
    }
}

/* One record is inside, and there is room for one. If both batches come back with one, then FULL was answered
 * after the put and before the get, EMPTY after the get and before the put: no order has that. */
static void one_of_two_inside(void) {
    uint64_t value = 7;
    start(2);
    lf_model_assert(lf_spsc_ring_try_put(&ring[0], &value, sizeof value) == LF_OK);
    lf_model_assert(lf_spsc_ring_release_role(&ring[0], LF_PRODUCER) == LF_OK);
}
static void put_two(void) {
    const uint64_t values[2] = {8, 9};
    batch_put = lf_spsc_ring_put_many(&ring[1], values, 8, 8, NULL, 2);
}
static void get_two(void) {
    uint64_t values[2];
    batch_got = lf_spsc_ring_get_many(&ring[2], values, 8, NULL, 2);
}
static void refusals_have_an_order(void) { lf_model_assert(batch_put != 1 || batch_got != 1); }

static void sleeping_producer(void) {
    for (uint64_t v = 1; v <= 2; v++)
        lf_model_assert(lf_spsc_ring_put(&ring[1], &v, sizeof v, LF_FOREVER) == LF_OK);
}
static void sleeping_consumer(void) {
    for (uint64_t v = 1, got = 0; v <= 2; v++) {
        lf_model_assert(lf_spsc_ring_get(&ring[2], &got, LF_FOREVER) == 8);
        lf_model_assert(got == v);
    }
}

/* The producer gives its role back, and another one goes on where it stopped. */
static void put_and_leave(void) {
    for (uint64_t v = 1; v <= 2; v++) {
        int status = lf_spsc_ring_try_put(&ring[1], &v, sizeof v);
        if (v == 1 && status == LF_ROLE_TAKEN)
            return;
        lf_model_assert(status == LF_OK);
    }
    lf_model_assert(lf_spsc_ring_release_role(&ring[1], LF_PRODUCER) == LF_OK);
}
static void next_producer(void) {
    uint64_t value = 3;
    int status = lf_spsc_ring_try_put(&ring[3], &value, sizeof value);
    lf_model_assert(status == LF_OK || status == LF_FULL || status == LF_ROLE_TAKEN);
}
static void get_in_order(void) {
    uint64_t value = 0, last = 0;
    for (int i = 0; i < 2; i++)
        if (lf_spsc_ring_try_get(&ring[2], &value) == 8) {
            lf_model_assert(value == last + 1 || (last == 0 && value == 3));
            last = value;
        }
}
/* The reverse: the consumer's role passes on. */
static void fill(void) {
    for (uint64_t v = 1; v <= 2; v++)
        lf_spsc_ring_try_put(&ring[1], &v, sizeof v);
}
static void get_and_leave(void) {
    for (uint64_t v = 1; v <= 2; v++) {
        uint64_t value = 0;
        int64_t status = lf_spsc_ring_try_get(&ring[2], &value);
        lf_model_assert((status == 8 && value <= v) || status == LF_EMPTY || status == LF_ROLE_TAKEN);
    }
    lf_spsc_ring_release_role(&ring[2], LF_CONSUMER);
}
static void next_consumer(void) {
    uint64_t value = 0;
    int64_t status = lf_spsc_ring_try_get(&ring[3], &value);
    lf_model_assert((status == 8 && (value == 1 || value == 2)) || status == LF_EMPTY || status == LF_ROLE_TAKEN);
}

/* The producer dies anywhere, and the consumer's process takes the role over. */
static void heir(void) {
    uint64_t value = 2;
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&ring[2].h);
    lf_model_assert(lf_spsc_ring_try_put(&ring[2], &value, sizeof value) == LF_OK);
    lf_model_assert(lf_spsc_ring_try_get(&ring[2], &value) == 8);
    if (value == 1)
        lf_model_assert(lf_spsc_ring_try_get(&ring[2], &value) == 8);
    lf_model_assert(value == 2);
    lf_model_assert(lf_spsc_ring_try_get(&ring[2], &value) == LF_EMPTY);
}
static void mortal_producer(void) { put(1); }

/* The producer dies in the middle of a batch. What it published behind a gap never comes out. */
static void mortal_batch(void) {
    const uint64_t values[2] = {1, 2};
    lf_spsc_ring_put_many(&ring[1], values, 8, 8, NULL, 2);
}
static void heir_of_a_batch(void) {
    uint64_t value = 3, next = 1;
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&ring[2].h);
    int full = lf_spsc_ring_try_put(&ring[2], &value, sizeof value) == LF_FULL; /* else the batch was not published */
    for (next = full ? 1 : 3; lf_spsc_ring_try_get(&ring[2], &value) == 8; next++)
        lf_model_assert(value == next);
    lf_model_assert(next == (full ? 3 : 4));
}

LF_MODEL_CLIENT(spsc_cap1, .setup = capacity_1, .threads = {producer, consumer}, .spec = &lf_model_fifo, .capacity = 1);
LF_MODEL_CLIENT(spsc_cap2, .setup = capacity_2, .threads = {producer, consumer}, .spec = &lf_model_fifo, .capacity = 2);
LF_MODEL_CLIENT(spsc_in_place, .setup = capacity_1, .threads = {place, look}, .spec = &lf_model_fifo, .capacity = 1);
LF_MODEL_CLIENT(spsc_batches, .setup = capacity_2, .threads = {batch_producer, batch_consumer},
                .final = what_was_put_is_there);
LF_MODEL_CLIENT(spsc_batch_refusals, .setup = one_of_two_inside, .threads = {put_two, get_two},
                .final = refusals_have_an_order);
LF_MODEL_CLIENT(spsc_producers, .setup = capacity_2, .threads = {put_and_leave, next_producer, get_in_order});
LF_MODEL_CLIENT(spsc_consumers, .setup = capacity_2, .threads = {fill, get_and_leave, next_consumer});
LF_MODEL_CLIENT(spsc_sleep, .setup = capacity_1, .threads = {sleeping_producer, sleeping_consumer});
LF_MODEL_CLIENT(spsc_heir, .setup = capacity_2, .threads = {mortal_producer, heir}, .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(spsc_batch_dies, .setup = capacity_2, .threads = {mortal_batch, heir_of_a_batch}, .stop_is_death = 1,
                .may_stop = 2);
