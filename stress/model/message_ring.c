/* message_ring: messages of one and of two blocks, two blocks in all; thread 1 may die anywhere. */
#define LF_LEAST_CELLS 2u
#include <lockfree/message_ring.h>

#include "lockfree_model.h"

static struct lf_message_ring ring[4];
enum { LONG = 24 }; /* two blocks of 16 bytes each */

static void start_within(uint64_t blocks, uint64_t most) {
    uint64_t bytes;
    lf_message_ring_bytes(blocks, 32, &bytes);
    void *memory = lf_model_shared(bytes);
    lf_model_assert(lf_message_ring_create_local(&ring[0], memory, blocks, 32, most, 0) == LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&ring[t].h, &lf_message_ring_kind, memory, t) == LF_OK);
    lf_model_label(ring[0].queues[LF__FREE].cells, 32, "free.cells");
    lf_model_label(ring[0].queues[LF__MESSAGES].cells, 32, "messages.cells");
    for (uint64_t i = 0; i < blocks; i++)
        lf_model_label(lf_message_ring_block(&ring[0], i), 8, "custody");
}
static void start(uint64_t blocks) { start_within(blocks, 0); }
static int put_long(struct lf_message_ring *r, uint64_t value) {
    const uint64_t message[3] = {value, value + 1, value + 2};
    return lf_message_ring_try_put(r, message, LONG);
}
/* The first number of a whole message, or a refusal. */
static int64_t get_long(struct lf_message_ring *r) {
    uint64_t message[3] = {0, 0, 0};
    int64_t length = lf_message_ring_try_get(r, message, sizeof message);
    if (length < 0)
        return length;
    lf_model_assert(length == LONG && message[1] == message[0] + 1 && message[2] == message[0] + 2);
    return (int64_t)message[0];
}
static void two(void) { start(2); }
static void two_with_one(void) {
    start(2);
    lf_model_assert(put_long(&ring[3], 7) == LF_OK);
}
#define ME (&ring[lf_model_thread()])

/* All blocks are there: a long message fits, and nothing else beside it. */
static void whole(struct lf_message_ring *r) {
    uint64_t message[4];
    while (lf_message_ring_try_get(r, message, sizeof message) >= 0)
        ;
    lf_model_assert(lf_message_ring_free(r) == r->store.slots);
    lf_model_assert(put_long(r, 5) == LF_OK && get_long(r) == 5);
}
static int ended;
static void is_whole(void) {
    if (ended == 2) /* else one was stopped with blocks in hand */
        whole(&ring[3]);
}

static void put(uint64_t value) {
    lf_model_call(LF_MODEL_PUT, value);
    int status = put_long(ME, value);
    lf_model_return(status == LF_OK ? 0 : status == LF_FULL ? LF_MODEL_FULL : (uint64_t)status);
}
static void get(void) {
    lf_model_call(LF_MODEL_GET, 0);
    int64_t status = get_long(ME);
    lf_model_return(status == LF_EMPTY ? LF_MODEL_EMPTY : (uint64_t)status);
}
static void put_10(void) {
    put_long(ME, 10);
    lf_fetch_add_relaxed(&ended, 1);
}
static void put_10_20(void) {
    put(10);
    put(20);
}
static void put_short(void) {
    lf_message_ring_try_put(ME, "x", 1);
    lf_fetch_add_relaxed(&ended, 1);
}
static void get_long_once(void) {
    get_long(ME);
    lf_fetch_add_relaxed(&ended, 1);
}
static void get_twice(void) {
    get();
    get();
}

/* A bound of one message, and room for two short ones. */
static void one_at_a_time(void) { start_within(2, 1); }
static void put_one(uint64_t value) {
    lf_model_call(LF_MODEL_PUT, value);
    int status = lf_message_ring_try_put(ME, &value, sizeof value);
    lf_model_return(status == LF_OK ? 0 : status == LF_FULL ? LF_MODEL_FULL : (uint64_t)status);
}
static void get_one(void) {
    uint64_t value = 0;
    lf_model_call(LF_MODEL_GET, 0);
    int64_t length = lf_message_ring_try_get(ME, &value, sizeof value);
    lf_model_return(length == LF_EMPTY ? LF_MODEL_EMPTY : length == sizeof value ? value : (uint64_t)length);
}
static void put_one_10(void) { put_one(10); }
static void put_one_20_get(void) {
    put_one(20);
    get_one();
}
/* Waits for room by count. */
static void one_inside(void) {
    one_at_a_time();
    lf_model_assert(lf_message_ring_try_put(&ring[3], "x", 1) == LF_OK);
}
static void put_waits(void) { lf_model_assert(lf_message_ring_put(ME, "y", 1, LF_FOREVER) == LF_OK); }
/* The same for a message that needs one block more than is free. */
static void one_short(void) {
    two();
    lf_model_assert(lf_message_ring_try_put(&ring[3], "x", 1) == LF_OK);
}
static void put_long_waits(void) {
    const uint64_t message[3] = {1, 2, 3};
    lf_model_assert(lf_message_ring_put(ME, message, LONG, LF_FOREVER) == LF_OK);
}
static void get_makes_room(void) {
    char message[8];
    lf_model_assert(lf_message_ring_try_get(ME, message, sizeof message) == 1);
}

/* Two tasks. What was written before task_done is readable after join. */
static uint64_t results[2];
static void two_short(void) {
    start(2);
    lf_model_assert(lf_message_ring_try_put(&ring[3], "x", 1) == LF_OK);
    lf_model_assert(lf_message_ring_try_put(&ring[3], "y", 1) == LF_OK);
}
static void works(uint64_t which) {
    char message[8];
    lf_model_assert(lf_message_ring_try_get(ME, message, sizeof message) == 1);
    results[which] = 1;
    lf_model_assert(lf_message_ring_task_done(ME) == LF_OK);
}
static void works_0(void) { works(0); }
static void joins(void) {
    lf_model_assert(lf_message_ring_join(ME, LF_FOREVER) == LF_OK);
    lf_model_assert(results[0] == 1 && results[1] == 1);
}
static void joins_and_is_last(void) {
    works(1);
    joins();
    lf_model_assert(lf_message_ring_task_done(ME) == LF_OVERFLOW);
}

/* Thread 1 dies anywhere in its call; thread 2 recovers it, and finds all blocks. */
static void mortal_put(void) { put_long(&ring[1], 10); }
static void mortal_get(void) { get_long(&ring[1]); }
static void mortal_lease(void) {
    uint64_t length;
    int64_t first = lf_message_ring_peek(&ring[1], LF_LEASE, &length);
    if (first >= 0)
        lf_message_ring_release(&ring[1], first);
}
static void recovers(void) {
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&ring[2].h);
    whole(&ring[2]);
}

#define DEATH .stop_is_death = 1, .may_stop = 2 /* bit 1: thread 1 */
LF_MODEL_CLIENT(message_fifo, .setup = two, .threads = {put_10_20, get_twice}, .spec = &lf_model_fifo, .capacity = 1);
LF_MODEL_CLIENT(message_two_gets, .setup = two_with_one, .threads = {get_long_once, get_long_once}, .final = is_whole);
LF_MODEL_CLIENT(message_claims, .setup = two, .threads = {put_10, put_short}, .final = is_whole);
LF_MODEL_CLIENT(message_put_dies, .setup = two, .threads = {mortal_put, recovers}, DEATH);
LF_MODEL_CLIENT(message_get_dies, .setup = two_with_one, .threads = {mortal_get, recovers}, DEATH);
LF_MODEL_CLIENT(message_lease_dies, .setup = two_with_one, .threads = {mortal_lease, recovers}, DEATH);
LF_MODEL_CLIENT(message_bound, .setup = one_at_a_time, .threads = {put_one_10, put_one_20_get}, .spec = &lf_model_fifo,
                .capacity = 1);
LF_MODEL_CLIENT(message_bound_waits, .setup = one_inside, .threads = {put_waits, get_makes_room});
LF_MODEL_CLIENT(message_long_waits, .setup = one_short, .threads = {put_long_waits, get_makes_room});
LF_MODEL_CLIENT(message_join, .setup = two_short, .threads = {works_0, joins_and_is_last});
