/* priority_queue: two lines, capacity 1 and 2, queues of two cells, positions and versions before their wraps. The lines are
 * two levels or, in the clients named fronts, what stands in front in the one level there is, and the rest. A record is
 * {line : 32 | number : 32}, and a line is a level to the specification. */
#define LF_LEAST_CELLS 2u
#include <lockfree/priority_queue.h>

#include "lockfree_model.h"

static struct lf_priority_queue queue[4];

static void start(uint64_t capacity, uint64_t levels) {
    uint64_t bytes, first = UINT32_MAX - 1;
    lf_priority_queue_bytes(capacity, 8, levels, &bytes);
    void *memory = lf_model_shared(bytes);
    lf_model_assert(lf_priority_queue_create_local(&queue[0], memory, capacity, 8, levels, first) == LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&queue[t].h, &lf_priority_queue_kind, memory, t) == LF_OK);
    lf_model_label(&queue[0].body->decision, 8, "W");
    for (int q = 0; q < 3; q++) {
        static const char *const names[3][3] = {{"free.head", "free.tail", "free.cells"},
                                                {"level0.head", "level0.tail", "level0.cells"},
                                                {"level1.head", "level1.tail", "level1.cells"}};
        lf_model_label(&queue[0].queues[q].ends->head, 8, names[q][0]);
        lf_model_label(&queue[0].queues[q].ends->tail, 8, names[q][1]);
        lf_model_label(queue[0].queues[q].cells, 16, names[q][2]);
    }
}
static void capacity_1(void) { start(1, 2); }
static void capacity_2(void) { start(2, 2); }
static void fronts_1(void) { start(1, 1 | LF_FRONTS); }
static void fronts_2(void) { start(2, 1 | LF_FRONTS); }

static void put(uint32_t line, uint64_t id) {
    uint64_t value = (uint64_t)line << 32 | id, ticket;
    struct lf_priority_queue *q = &queue[lf_model_thread()];
    lf_model_call(LF_MODEL_PUT, value);
    int status = q->fronts && line == 0 ? lf_priority_queue_put_front(q, &value, sizeof value, 0, 0, &ticket)
                                        : lf_priority_queue_try_put(q, &value, sizeof value, line >> q->fronts);
    lf_model_return(status == LF_OK ? 0 : status == LF_FULL ? LF_MODEL_FULL : (uint64_t)status);
}
static void get(void) {
    uint64_t value = 0;
    uint32_t level;
    lf_model_call(LF_MODEL_GET, 0);
    int64_t status = lf_priority_queue_try_get(&queue[lf_model_thread()], &value, &level);
    lf_model_assert(status != 8 || level == value >> 32 >> queue[0].fronts);
    lf_model_return(status == 8 ? value : status == LF_EMPTY ? LF_MODEL_EMPTY : (uint64_t)status);
}

/* Takes a record and puts it back as another one, to the front, without letting its slot go. */
static void preempted(void) {
    uint64_t value = LF_MODEL_EMPTY, length;
    uint32_t level;
    struct lf_priority_queue *q = &queue[lf_model_thread()];
    lf_model_call(LF_MODEL_GET, 0);
    int64_t slot = lf_priority_queue_peek(q, LF_LEASE, &level, &length);
    uint64_t *record = slot < 0 ? &value
                                : (uint64_t *)(void *)lf_slot_payload(lf_priority_queue_slot(q, (uint64_t)slot));
    lf_model_return(*record);
    if (slot < 0)
        return;
    *record = 9;
    lf_model_call(LF_MODEL_PUT, *record);
    lf_model_return((uint64_t)lf_priority_queue_requeue_front(q, slot, level));
}

static void setup_with_one_low(void) {
    uint64_t value = (uint64_t)1 << 32 | 9;
    capacity_2();
    lf_model_assert(lf_priority_queue_try_put(&queue[3], &value, sizeof value, 1) == LF_OK);
}
static void put_0(void) { put(0, 1); }
static void put_1(void) { put(1, 2); }
static void put_0_1(void) {
    put(0, 1);
    put(1, 2);
}
static void put_1_0(void) {
    put(1, 3);
    put(0, 4);
}
static void put_1_0_get(void) {
    put_1_0();
    get();
}
static void get_1(void) { get(); }
static void get_2(void) {
    get();
    get();
}
static void put_0_get(void) {
    put(0, 5);
    get();
}
static void put_1_get(void) {
    put(1, 6);
    get();
}

static void sleeping_put(void) {
    uint64_t value = 1;
    lf_model_assert(lf_priority_queue_put(&queue[1], &value, sizeof value, 0, LF_FOREVER) == LF_OK);
}
static void sleeping_get(void) {
    uint64_t value;
    uint32_t level;
    lf_model_assert(lf_priority_queue_get(&queue[2], &value, &level, LF_FOREVER) == 8);
    lf_model_assert(value == 1 && level == 0);
}

/* In setup_with_one_low: a record that is inside is not lost by the death of another's get or put. */
static void mortal_put(void) {
    uint64_t value = 7;
    lf_priority_queue_try_put(&queue[1], &value, sizeof value, 0);
}
static void survivor(void) {
    uint64_t value;
    uint32_t level;
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&queue[2].h);
    int64_t status = lf_priority_queue_try_get(&queue[2], &value, &level);
    lf_model_assert(status == 8);
    if (level == 0)
        lf_model_assert(lf_priority_queue_try_get(&queue[2], &value, &level) == 8);
    lf_model_assert(level == 1 && (uint32_t)value == 9);
    lf_model_assert(lf_priority_queue_try_get(&queue[2], &value, &level) == LF_EMPTY);
    for (int i = 0; i < 2; i++)
        lf_model_assert(lf_priority_queue_try_put(&queue[2], &value, sizeof value, 1) == LF_OK);
}

/* One dies with a lease, or just before or after: what was inside and not acknowledged is there again. */
static int leased;
static void mortal_lease(void) {
    uint64_t value = 8, length;
    uint32_t level;
    if (lf_priority_queue_try_put(&queue[1], &value, sizeof value, 1) != LF_OK)
        return;
    leased = 1;
    int64_t slot = lf_priority_queue_peek(&queue[1], LF_LEASE, &level, &length);
    leased = 0;
    if (slot >= 0)
        lf_priority_queue_release(&queue[1], slot);
}
static void survivor_of_a_lease(void) {
    uint64_t value;
    uint32_t level;
    if (lf_model_participant_alive(1))
        return;
    int owed = leased;
    lf_reap(&queue[2].h);
    uint64_t size = lf_priority_queue_size(&queue[2]);
    int64_t status = lf_priority_queue_try_get(&queue[2], &value, &level);
    lf_model_assert(status == 8 ? size == 1 && value == 8 && level == 1 : status == LF_EMPTY && size == 0 && !owed);
    lf_model_assert(lf_priority_queue_try_get(&queue[2], &value, &level) == LF_EMPTY);
    lf_model_assert(lf_priority_queue_try_put(&queue[2], &value, sizeof value, 1) == LF_OK);
}

/* In fronts_2, with one record inside that is not urgent: the thread that puts it in front dies, with it in hand or
 * before or after. It is inside once, and comes out before what is put in the usual way. */
static void fronts_with_one(void) {
    uint64_t value = 5;
    fronts_2();
    lf_model_assert(lf_priority_queue_try_put(&queue[3], &value, sizeof value, 0) == LF_OK);
}
static void mortal_preempted(void) {
    uint32_t level;
    uint64_t length;
    int64_t slot = lf_priority_queue_peek(&queue[1], LF_LEASE, &level, &length);
    lf_priority_queue_requeue_front(&queue[1], slot, level);
}
static void survivor_of_a_requeue(void) {
    uint64_t value = 6;
    uint32_t level;
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&queue[2].h);
    lf_model_assert(lf_priority_queue_size(&queue[2]) == 1);
    lf_model_assert(lf_priority_queue_try_put(&queue[2], &value, sizeof value, 0) == LF_OK);
    lf_model_assert(lf_priority_queue_try_put(&queue[2], &value, sizeof value, 0) == LF_FULL);
    lf_model_assert(lf_priority_queue_try_get(&queue[2], &value, &level) == 8 && level == 0);
    lf_model_assert(value == 5);
    lf_model_assert(lf_priority_queue_try_get(&queue[2], &value, &level) == 8 && value == 6);
    lf_model_assert(lf_priority_queue_try_get(&queue[2], &value, &level) == LF_EMPTY);
}
static void front_put_0(void) {
    uint64_t value = 1, ticket;
    lf_model_assert(lf_priority_queue_put_front(&queue[1], &value, sizeof value, 0, LF_FOREVER, &ticket) == LF_OK);
}

#define QUEUE .spec = &lf_model_priority_queue
LF_MODEL_CLIENT(pq_1p1c, .setup = capacity_1, .threads = {put_0, get_1}, QUEUE, .capacity = 1);
LF_MODEL_CLIENT(pq_scan, .setup = capacity_2, .threads = {put_0_1, get_2}, QUEUE, .capacity = 2);
LF_MODEL_CLIENT(pq_scan_reverse, .setup = capacity_2, .threads = {put_1_0, get_2}, QUEUE, .capacity = 2);
LF_MODEL_CLIENT(pq_2p, .setup = capacity_2, .threads = {put_0, put_1}, QUEUE, .capacity = 2);
LF_MODEL_CLIENT(pq_both, .setup = capacity_1, .threads = {put_0_get, put_1_get}, QUEUE, .capacity = 1);
LF_MODEL_CLIENT(pq_2p1c, .setup = capacity_2, .threads = {put_0, put_1, get_1}, QUEUE, .capacity = 2);
LF_MODEL_CLIENT(pq_same_level, .setup = capacity_2, .threads = {put_1_get, put_1_get}, QUEUE, .capacity = 2);
/* A slow helper, a bit cleared and a cell in its next round need three: too many for every execution. */
LF_MODEL_CLIENT(pq_three, .setup = capacity_2, .threads = {put_1_get, get_1, put_1_get}, QUEUE, .capacity = 2);
LF_MODEL_CLIENT(pq_three_cap1, .setup = capacity_1, .threads = {put_1_get, get_1, put_1_get}, QUEUE, .capacity = 1);
LF_MODEL_CLIENT(pq_lease, .setup = capacity_1, .threads = {mortal_lease, survivor_of_a_lease}, .stop_is_death = 1,
                .may_stop = 2);
LF_MODEL_CLIENT(pq_sleep, .setup = capacity_1, .threads = {sleeping_put, sleeping_get});
LF_MODEL_CLIENT(pq_death, .setup = setup_with_one_low, .threads = {mortal_put, survivor}, .stop_is_death = 1,
                .may_stop = 2);
LF_MODEL_CLIENT(pq_fronts_order, .setup = fronts_2, .threads = {put_1_0_get, get_1}, QUEUE, .capacity = 2);
LF_MODEL_CLIENT(pq_fronts_beside, .setup = fronts_2, .threads = {put_0_get, put_1_get}, QUEUE, .capacity = 2);
LF_MODEL_CLIENT(pq_fronts_full, .setup = fronts_1, .threads = {put_0_get, put_1_get}, QUEUE, .capacity = 1);
LF_MODEL_CLIENT(pq_fronts_preempted, .setup = fronts_2, .threads = {put_1_0, preempted}, QUEUE);
LF_MODEL_CLIENT(pq_fronts_three, .setup = fronts_2, .threads = {put_0_get, preempted, put_1_get}, QUEUE);
LF_MODEL_CLIENT(pq_fronts_sleep, .setup = fronts_1, .threads = {front_put_0, sleeping_get});
LF_MODEL_CLIENT(pq_fronts_death, .setup = fronts_with_one, .threads = {mortal_preempted, survivor_of_a_requeue},
                .stop_is_death = 1, .may_stop = 2);
