/* priority_queue: records that are withdrawn while others put and get; with a spare cell, and without one. */
#define LF_LEAST_CELLS 2u
static unsigned spare_cells;
#define LF__SPARE_CELLS spare_cells
#include <lockfree/priority_queue.h>

#include "lockfree_model.h"

static struct lf_priority_queue queue[5]; /* of threads 1 to 3; 4: what runs alone, before and after them */
static uint64_t ticket[4];                /* of the record 0, 1, 2, ... */
static uint32_t inside_a_call[4];         /* by thread: one that was stopped there keeps what it has in hand */

static void begin(uint32_t what, uint64_t argument) {
    lf_store_relaxed(&inside_a_call[lf_model_thread()], 1u);
    lf_model_call(what, argument);
}
static void end(uint64_t result) {
    lf_model_return(result);
    lf_store_relaxed(&inside_a_call[lf_model_thread()], 0u);
}

enum { WITHDRAW = LF_MODEL_USER }; /* argument: the record; result: 1 if it is out */

/* The records inside, in the order of their puts; a record is {level : 32 | number : 32}. */
struct inside {
    uint64_t count, records[4];
};
static void take_out(struct inside *q, uint64_t at) {
    q->count--;
    for (uint64_t i = at; i < q->count; i++)
        q->records[i] = q->records[i + 1];
    q->records[q->count] = 0;
}
static int step(void *state, const struct lf_model_op *op, const struct lf_model_moment *moment) {
    struct inside *q = (struct inside *)state;
    uint64_t first = 0, at = 0;
    for (uint64_t i = 1; i < q->count; i++)
        if (q->records[i] >> 32 < q->records[first] >> 32)
            first = i;
    if (op->what == LF_MODEL_PUT) {
        q->records[q->count++] = op->argument;
        return op->pending || op->result == 0;
    }
    if (op->pending) { /* it took out what it could */
        while (op->what == WITHDRAW && at < q->count && q->records[at] != op->argument)
            at++;
        at = op->what == WITHDRAW ? at : first;
        if (at < q->count)
            take_out(q, at);
        return 1;
    }
    if (op->what == LF_MODEL_GET) {
        if (op->result == LF_MODEL_EMPTY)
            return q->count == 0;
        if (q->count == 0 || q->records[first] != op->result)
            return 0;
        return take_out(q, first), 1;
    }
    while (at < q->count && q->records[at] != op->argument)
        at++;
    if (op->result == 0)
        return at == q->count;
    if (at == q->count)
        return 0;
    return take_out(q, at), 1;
}
static const struct lf_model_spec withdrawals = {"priority queue with withdrawals", sizeof(struct inside), NULL, step};

static void start_levels(uint64_t capacity, unsigned spare, uint64_t levels) {
    uint64_t bytes, first = UINT32_MAX - 1;
    spare_cells = spare;
    lf_priority_queue_bytes(capacity, 8, levels, &bytes);
    void *memory = lf_model_shared(bytes);
    lf_model_assert(lf_priority_queue_create_local(&queue[0], memory, capacity, 8, levels, first) == LF_OK);
    for (uint32_t t = 1; t < 5; t++)
        lf_model_assert(lf_segment_attach_local(&queue[t].h, &lf_priority_queue_kind, memory, t) == LF_OK);
    lf_model_label(&queue[0].body->decision, 8, "W");
    lf_model_label(&queue[0].body->withdrawals.cuts, 8, "cuts");
}
static void start(uint64_t capacity, unsigned spare) { start_levels(capacity, spare, 2); }
static struct lf_priority_queue *own(void) { return &queue[lf_model_thread() == 0 ? 4 : lf_model_thread()]; }
static uint64_t record(uint32_t level, uint64_t number) { return (uint64_t)level << 32 | number; }

static void put(uint32_t level, uint64_t number) {
    uint64_t value = record(level, number);
    uint32_t fronts = own()->fronts; /* then level 0 is what stands in front, and 1 the rest */
    begin(LF_MODEL_PUT, value);
    end((uint64_t)(fronts && level == 0
                       ? lf_priority_queue_put_front(own(), &value, sizeof value, 0, 0, &ticket[number])
                       : lf_priority_queue_put_ticket(own(), &value, sizeof value, level >> fronts, 0,
                                                      &ticket[number])));
}
static void get(void) {
    uint64_t value = 0;
    uint32_t level;
    begin(LF_MODEL_GET, 0);
    int64_t status = lf_priority_queue_try_get(own(), &value, &level);
    end(status == 8 ? value : status == LF_EMPTY ? LF_MODEL_EMPTY : (uint64_t)status);
}
static void withdraw(uint32_t level, uint64_t number) {
    begin(WITHDRAW, record(level, number));
    end((uint64_t)lf_priority_queue_withdraw(own(), ticket[number]));
}

static void one(void) {
    start(2, 1);
    put(1, 0);
}
static void one_uncut(void) {
    start(2, 0);
    put(1, 0);
}
static void two(void) {
    one();
    put(1, 1);
}
static void two_uncut(void) {
    one_uncut();
    put(1, 1);
}
static void one_in_front(void) {
    start_levels(2, 1, 1 | LF_FRONTS);
    put(0, 0);
    put(1, 1);
}
static void withdraw_front_get(void) {
    withdraw(0, 0);
    get();
}
static void withdraw_0(void) { withdraw(1, 0); }
static void withdraw_1(void) { withdraw(1, 1); }
static void withdraw_0_get(void) {
    withdraw(1, 0);
    get();
}
static void put_0(void) { put(0, 2); }
static void put_1_get(void) {
    put(1, 2);
    get();
}
static void get_1(void) { get(); }
static void get_2(void) {
    get();
    get();
}

/* Whatever happened: all is taken out, all slots are there again, and no cell counts as cut. */
static void whole(void) {
    uint64_t value;
    uint32_t level;
    for (int thread = 1; thread < 4; thread++)
        if (lf_load_relaxed(&inside_a_call[thread]) != 0)
            return;
    do
        get();
    while (lf_priority_queue_size(own()) > 0);
    get();
    for (uint64_t i = 0; i < queue[0].capacity; i++)
        lf_model_assert(lf_priority_queue_try_put(own(), &i, sizeof i, 0) == LF_OK);
    lf_model_assert(lf_priority_queue_try_put(own(), &value, 0, 0) == LF_FULL);
    lf_model_assert(lf_priority_queue_try_get(own(), &value, &level) == 8);
    lf_model_assert(*queue[0].levels.cuts == 0);
}

/* One is asleep in a put on a full queue; the withdrawal makes room, and wakes it. */
static void full(void) {
    start(1, 1);
    put(1, 0);
}
static void sleeping_put(void) {
    uint64_t value = record(0, 2);
    lf_model_assert(lf_priority_queue_put(&queue[1], &value, sizeof value, 0, LF_FOREVER) == LF_OK);
}
static void withdraw_for_room(void) { lf_model_assert(lf_priority_queue_withdraw(&queue[2], ticket[0]) == 1); }

/* One dies in a withdrawal: the record is out or inside, and no slot is lost. */
static void mortal_withdraw(void) { lf_priority_queue_withdraw(&queue[1], ticket[0]); }
static void survivor(void) {
    uint64_t value;
    uint32_t level;
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&queue[2].h);
    uint64_t size = lf_priority_queue_size(&queue[2]);
    lf_model_assert(size == 1 || size == 2);
    lf_model_assert(lf_priority_queue_try_get(&queue[2], &value, &level) == 8);
    lf_model_assert(value == record(1, size == 2 ? 0 : 1));
    if (size == 2)
        lf_model_assert(lf_priority_queue_try_get(&queue[2], &value, &level) == 8);
    lf_model_assert(lf_priority_queue_try_get(&queue[2], &value, &level) == LF_EMPTY);
    for (uint64_t i = 0; i < queue[2].capacity; i++)
        lf_model_assert(lf_priority_queue_try_put(&queue[2], &i, sizeof i, 0) == LF_OK);
}

#define QUEUE .spec = &withdrawals, .final = whole
LF_MODEL_CLIENT(withdraw_get, .setup = one, .threads = {withdraw_0, get_2}, QUEUE);
LF_MODEL_CLIENT(withdraw_get_uncut, .setup = one_uncut, .threads = {withdraw_0, get_2}, QUEUE);
LF_MODEL_CLIENT(withdraw_twice, .setup = one, .threads = {withdraw_0, withdraw_0_get}, QUEUE);
LF_MODEL_CLIENT(withdraw_front, .setup = two, .threads = {withdraw_0_get, get_1}, QUEUE);
LF_MODEL_CLIENT(withdraw_behind, .setup = two, .threads = {withdraw_1, get_2}, QUEUE);
LF_MODEL_CLIENT(withdraw_behind_uncut, .setup = two_uncut, .threads = {withdraw_1, get_2}, QUEUE);
LF_MODEL_CLIENT(withdraw_and_put, .setup = one, .threads = {withdraw_0, put_1_get}, QUEUE);
LF_MODEL_CLIENT(withdraw_and_urgent, .setup = one_uncut, .threads = {withdraw_0_get, put_0}, QUEUE);
LF_MODEL_CLIENT(withdraw_in_front, .setup = one_in_front, .threads = {withdraw_front_get, get_1}, QUEUE);
/* Two gets, of which one may be a slow helper, need three threads: too many for every execution. */
LF_MODEL_CLIENT(withdraw_three, .setup = one, .threads = {withdraw_0, get_1, get_1}, QUEUE);
LF_MODEL_CLIENT(withdraw_three_uncut, .setup = one_uncut, .threads = {withdraw_0, get_1, get_1}, QUEUE);
LF_MODEL_CLIENT(withdraw_wakes, .setup = full, .threads = {sleeping_put, withdraw_for_room});
LF_MODEL_CLIENT(withdraw_death, .setup = two, .threads = {mortal_withdraw, survivor}, .stop_is_death = 1,
                .may_stop = 2);
LF_MODEL_CLIENT(withdraw_death_uncut, .setup = two_uncut, .threads = {mortal_withdraw, survivor}, .stop_is_death = 1,
                .may_stop = 2);
