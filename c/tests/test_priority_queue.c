/* The priority queue against a reference, under threads, processes, kills and corruption. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>

#define NAIVE_PAUSE() sched_yield()
#include "line_calls.h"
#include "naive_priority_queue.h"
#include "priority_history.h"

static const uint64_t starts[] = {0,
                                  (UINT64_C(1) << 32) - 9,
                                  (UINT64_C(1) << 36) - 9,
                                  (UINT64_C(1) << 46) - 9,
                                  (UINT64_C(1) << 52) - 9,
                                  UINT64_MAX - 9};
enum { STARTS = sizeof starts / sizeof starts[0] };

static unsigned char *map_queue(struct lf_priority_queue *q, uint64_t capacity, uint64_t size, uint64_t levels,
                                uint64_t start, uint64_t *bytes) {
    CHECK(lf_priority_queue_bytes(capacity, size, levels, bytes) == LF_OK);
    unsigned char *memory = check_map(*bytes);
    CHECK(lf_priority_queue_create_local(q, memory, capacity, size, levels, start) == LF_OK);
    q->h.participant = 1;
    return memory;
}

/* ---- one thread, against a reference ---- */

enum { SIZE = 24 };
struct model {
    uint64_t order;
    uint32_t level, length;
    unsigned char record[SIZE];
};

static struct model *model_first(struct model *inside, uint64_t count) {
    struct model *first = NULL;
    for (struct model *m = inside; m < inside + count; m++)
        if (first == NULL || m->level < first->level || (m->level == first->level && m->order < first->order))
            first = m;
    return first;
}

/* `fronts` is LF_FRONTS or 0. With it the levels of the reference are lines. */
static void sequential(uint64_t capacity, uint32_t levels, uint64_t fronts, uint64_t start, long rounds) {
    struct lf_priority_queue q;
    struct model inside[64];
    unsigned char record[SIZE], batch[8 * SIZE];
    uint32_t lengths[8], priorities[8];
    uint64_t bytes, count = 0, order = 0, random = start ^ capacity ^ levels;
    unsigned char *memory = map_queue(&q, capacity, SIZE, levels | fronts, start, &bytes);
    while (rounds-- > 0) {
        uint64_t dice = check_below(&random, 6), n = dice < 4 ? 1 : 1 + check_below(&random, 8);
        uint32_t level = UINT32_MAX;
        if (dice % 2 == 0) { /* put, reserve and commit, put_many */
            uint64_t went_in = 0, total = 0, ticket;
            int in_front = fronts != 0 && dice < 4 && check_below(&random, 2);
            for (uint64_t i = 0; i < n; i++) {
                lengths[i] = (uint32_t)check_below(&random, SIZE + 1);
                priorities[i] = (uint32_t)check_below(&random, levels);
                for (uint64_t b = 0; b < lengths[i]; b++)
                    batch[total + b] = (unsigned char)check_random(&random);
                total += lengths[i];
            }
            if (dice == 0) {
                int status = in_front ? lf_priority_queue_put_front(&q, batch, lengths[0], priorities[0], 0, &ticket)
                                      : lf_priority_queue_try_put(&q, batch, lengths[0], priorities[0]);
                CHECK(status == (count < capacity ? LF_OK : LF_FULL));
                went_in = status == LF_OK;
            } else if (dice == 2) {
                int64_t slot = lf_priority_queue_reserve(&q);
                CHECK(count < capacity ? slot >= 0 : slot == LF_FULL);
                if (slot >= 0 && check_below(&random, 4) == 0) {
                    CHECK(lf_priority_queue_release(&q, slot) == LF_OK);
                } else if (slot >= 0) {
                    memcpy(lf_slot_payload(lf_priority_queue_slot(&q, (uint64_t)slot)), batch, lengths[0]);
                    CHECK(lf_priority_queue_commit(&q, slot, lengths[0], levels) == LF_INVALID);
                    CHECK(lf_priority_queue_requeue_front(&q, slot, fronts != 0 ? levels : 0) == LF_INVALID);
                    lf_priority_queue_slot(&q, (uint64_t)slot)->length = lengths[0];
                    CHECK((in_front ? lf_priority_queue_requeue_front(&q, slot, priorities[0])
                                    : lf_priority_queue_commit(&q, slot, lengths[0], priorities[0])) == LF_OK);
                    went_in = 1;
                }
            } else {
                went_in = n < capacity - count ? n : capacity - count;
                CHECK(lf_priority_queue_put_many(&q, batch, 0, 0, lengths, priorities, n) == (int64_t)went_in);
            }
            for (uint64_t i = 0, at = 0; i < went_in; at += lengths[i++]) {
                struct model *m = &inside[count++];
                m->order = order++;
                m->level = priorities[i] << q.fronts | (q.fronts && !in_front);
                m->length = lengths[i];
                memcpy(m->record, batch + at, lengths[i]);
            }
        } else { /* get, peek and release or requeue, get_many */
            uint64_t came = 0;
            int64_t length = 0;
            if (dice == 1) {
                length = lf_priority_queue_try_get(&q, record, &level);
                came = length >= 0;
            } else if (dice == 3) {
                uint64_t size = 0;
                int64_t slot = lf_priority_queue_peek(&q, check_below(&random, 2) ? LF_LEASE : 0, &level, &size);
                length = slot < 0 ? slot : (int64_t)size;
                came = slot >= 0;
                if (came)
                    memcpy(record, lf_slot_payload(lf_priority_queue_slot(&q, (uint64_t)slot)), size);
                if (came && check_below(&random, 4) == 0) {
                    struct model *m = model_first(inside, count);
                    CHECK(level == m->level >> q.fronts && size == m->length && memcmp(record, m->record, size) == 0);
                    m->order = order++;
                    switch (check_below(&random, 2 + q.fronts)) {
                    case 0:
                        CHECK(lf_priority_queue_give_back(&q, slot, level) == LF_OK); /* its line is the same */
                        break;
                    case 1:
                        CHECK(lf_priority_queue_requeue(&q, slot, level) == LF_OK);
                        m->level |= q.fronts;
                        break;
                    default:
                        CHECK(lf_priority_queue_requeue_front(&q, slot, level) == LF_OK);
                        m->level &= ~1u;
                    }
                    continue;
                }
                CHECK(slot < 0 || lf_priority_queue_release(&q, slot) == LF_OK);
            } else {
                int64_t got = lf_priority_queue_get_many(&q, batch, SIZE, lengths, priorities, n);
                CHECK(got == (int64_t)(n < count ? n : count));
                came = (uint64_t)got;
            }
            CHECK(dice == 5 || (came ? count > 0 : length == LF_EMPTY && count == 0));
            for (uint64_t i = 0; i < came; i++) {
                struct model *m = model_first(inside, count);
                const unsigned char *data = dice == 5 ? batch + i * SIZE : record;
                CHECK((dice == 5 ? priorities[i] : level) == m->level >> q.fronts);
                CHECK((dice == 5 ? lengths[i] : (uint64_t)length) == m->length);
                CHECK(memcmp(data, m->record, m->length) == 0);
                for (uint64_t b = m->length; dice == 5 && b < SIZE; b++)
                    CHECK(data[b] == 0);
                *m = inside[--count];
            }
        }
        CHECK(lf_priority_queue_size(&q) == count);
    }
    check_unmap(memory, bytes);
}

static void arguments(void) {
    struct lf_priority_queue q;
    uint64_t bytes;
    uint32_t level = 0;
    char record[8] = "1234567";
    CHECK(lf_priority_queue_bytes(0, 8, 1, &bytes) == LF_INVALID);
    CHECK(lf_priority_queue_bytes(LF_LEVELS_MAX_SLOTS + 1, 8, 1, &bytes) == LF_INVALID);
    CHECK(lf_priority_queue_bytes(1, LF_MAX_RECORD + 1, 1, &bytes) == LF_INVALID);
    CHECK(lf_priority_queue_bytes(1, 8, 0, &bytes) == LF_INVALID);
    CHECK(lf_priority_queue_bytes(1, 8, 129, &bytes) == LF_INVALID);
    CHECK(lf_priority_queue_bytes(LF_LEVELS_MAX_SLOTS, LF_MAX_RECORD, 128, &bytes) == LF_OK);
    CHECK(lf_priority_queue_bytes(1, 8, LF_FRONTS, &bytes) == LF_INVALID);
    CHECK(lf_priority_queue_bytes(1, 8, 128 | LF_FRONTS, &bytes) == LF_INVALID);
    CHECK(lf_priority_queue_bytes(LF_LEVELS_MAX_SLOTS, LF_MAX_RECORD, 127 | LF_FRONTS, &bytes) == LF_OK);
    unsigned char *memory = map_queue(&q, 2, 7, 128, 0, &bytes);
    CHECK(lf_priority_queue_try_put(&q, record, 8, 0) == LF_TOO_LONG);
    CHECK(lf_priority_queue_try_put(&q, record, 7, 128) == LF_INVALID);
    uint32_t lengths[2] = {1, 8}, levels[2] = {0, 128};
    CHECK(lf_priority_queue_put_many(&q, record, 0, 0, lengths, levels, 2) == LF_TOO_LONG);
    CHECK(lf_priority_queue_put_many(&q, record, 4, 4, NULL, levels, 2) == LF_INVALID);
    CHECK(lf_priority_queue_get_many(&q, record, 6, NULL, levels, 1) == LF_INVALID);
    uint64_t ticket;
    CHECK(lf_priority_queue_put_front(&q, record, 7, 0, 0, &ticket) == LF_INVALID); /* made without fronts */
    CHECK(lf_priority_queue_size(&q) == 0);
    CHECK(lf_priority_queue_try_get(&q, record, &level) == LF_EMPTY);
    lf_priority_queue_close(&q);
    CHECK(lf_priority_queue_try_put(&q, record, 7, 0) == LF_CLOSED);
    CHECK(lf_priority_queue_get(&q, record, &level, LF_FOREVER) == LF_CLOSED);
    check_unmap(memory, bytes);
}

/* ---- many at once, every call recorded ---- */

enum { MAX_CLIENTS = 8 };
enum { RIGHT, SCANS, REQUEUES_AT_THE_TAIL }; /* what puts and gets do */

struct campaign {
    uint64_t instant, ready; /* shared: relaxed, so that the stamps order nothing */
    uint64_t each, clients;
    uint32_t levels, naive;
    uint64_t counts[MAX_CLIENTS];
};

struct client {
    struct lf_priority_queue q;
    struct campaign *campaign;
    struct operation *log;
    uint64_t number, seed;
};

static uint64_t stamp(struct campaign *c) { return lf_fetch_add_relaxed(&c->instant, 1u); }

static void client_run(struct client *me) {
    struct campaign *c = me->campaign;
    struct lf_priority_queue *q = &me->q;
    uint64_t random = me->seed, puts = 0;
    lf_fetch_add_acq_rel(&c->ready, 1u);
    while (lf_load_acquire(&c->ready) < c->clients)
        sched_yield();
    for (uint64_t i = 0; i < c->each; i++) {
        struct operation *op = &me->log[i];
        if (check_below(&random, 64) == 0)
            sched_yield();
        if (check_below(&random, 16) < 9) {
            op->value = puts * c->clients + me->number;
            op->level = (uint32_t)check_below(&random, c->levels);
            op->call = stamp(c);
            uint64_t ticket, record = line_record(q, op->value, op->level);
            int status = c->naive == SCANS ? naive_try_put(q, &op->value, 8, op->level)
                         : c->naive == REQUEUES_AT_THE_TAIL
                             ? lf_priority_queue_try_put(q, &record, 8, op->level >> q->fronts)
                             : line_put(q, op->value, op->level, &ticket);
            op->answer = stamp(c);
            CHECK(status == LF_OK || status == LF_FULL);
            op->kind = status == LF_OK ? OP_PUT : OP_FULL;
            puts += status == LF_OK;
        } else {
            op->call = stamp(c);
            int64_t length = c->naive == SCANS ? naive_try_get(q, &op->value, &op->level)
                                               : line_get(q, &op->value, &op->level);
            op->answer = stamp(c);
            CHECK(length == 8 || length == LF_EMPTY);
            op->kind = length == 8 ? OP_GET : OP_EMPTY;
        }
    }
    c->counts[me->number] = puts;
}
static void *client_thread(void *argument) {
    client_run((struct client *)argument);
    return NULL;
}
static void client_process(void *argument) { client_run((struct client *)argument); }

/* What the checker says of one campaign; `seed` decides the mix. */
static const char *campaign(uint64_t seed, uint64_t each, int processes, int naive) {
    static const uint64_t capacities[] = {1, 2, 5, 16, 64};
    static const uint32_t level_counts[] = {2, 3, 17, 128};
    struct lf_priority_queue q;
    uint64_t random = seed, bytes, clients = 2 + check_below(&random, 3);
    uint64_t capacity = capacities[check_below(&random, 5)], log_bytes = clients * each * sizeof(struct operation);
    struct campaign *c = (struct campaign *)(void *)check_map(sizeof *c);
    uint64_t fronts = naive == RIGHT ? check_below(&random, 2) * LF_FRONTS : naive == SCANS ? 0 : LF_FRONTS;
    uint64_t levels = level_counts[check_below(&random, 4)];
    unsigned char *memory = map_queue(&q, capacity, 8, fronts != 0 && levels == 128 ? 127 | fronts : levels | fronts,
                                      starts[check_below(&random, STARTS)], &bytes);
    if (naive == SCANS)
        naive_layout(&q, 0);
    struct operation *log = (struct operation *)(void *)check_map(log_bytes);
    struct client all[MAX_CLIENTS];
    pthread_t threads[MAX_CLIENTS];
    pid_t children[MAX_CLIENTS];
    c->each = each;
    c->clients = clients;
    c->levels = q.levels.count;
    c->naive = (uint32_t)naive;
    for (uint64_t i = 0; i < clients; i++) {
        struct client *me = &all[i];
        CHECK(lf_segment_attach_local(&me->q.h, &lf_priority_queue_kind, memory, (uint32_t)i + 1) == LF_OK);
        me->campaign = c;
        me->log = log + i * each;
        me->number = i;
        me->seed = check_random(&random);
    }
    for (uint64_t i = 0; i < clients; i++) {
        if (processes)
            children[i] = check_fork(client_process, &all[i]);
        else
            CHECK(pthread_create(&threads[i], NULL, client_thread, &all[i]) == 0);
    }
    for (uint64_t i = 0; i < clients; i++) {
        if (processes)
            check_join(children[i]);
        else
            CHECK(pthread_join(threads[i], NULL) == 0);
    }
    uint64_t n = clients * each, values = 0, first[MAX_CLIENTS];
    for (uint64_t i = 0; i < clients; i++) { /* the checker wants values without gaps */
        first[i] = values;
        values += c->counts[i];
    }
    for (uint64_t i = 0; i < n; i++)
        if (log[i].kind <= OP_GET)
            log[i].value = log[i].value / clients + first[log[i].value % clients];
    const char *fault = history_fault(log, n, capacity, c->levels);
    check_unmap((unsigned char *)log, log_bytes);
    check_unmap(memory, bytes);
    check_unmap((unsigned char *)c, sizeof *c);
    return fault;
}

static void campaigns(void) {
    uint64_t each = (uint64_t)check_rounds(1500), operations = 0, rejected = 0;
    for (uint64_t seed = 0; seed < 24; seed++) {
        const char *fault = campaign(seed, each, seed % 2, 0);
        if (fault != NULL)
            fprintf(stderr, "seed %" PRIu64 ": %s\n", seed, fault);
        CHECK(fault == NULL);
        operations += 3 * each;
    }
    for (uint64_t seed = 0; rejected == 0 && seed < 400; seed++)
        rejected += campaign(seed, 2000, seed % 2, SCANS) != NULL;
    printf("about %" PRIu64 " operations checked\n", operations);
    CHECK(rejected > 0); /* scanned bins do not pass the same check */
    rejected = 0;
    for (uint64_t seed = 0; rejected == 0 && seed < 400; seed++)
        rejected += campaign(seed, 2000, seed % 2, REQUEUES_AT_THE_TAIL) != NULL;
    CHECK(rejected > 0); /* nor do records that should stand in front and do not */
}

/* ---- sleeping ---- */

static void *sleeping_producer(void *argument) {
    struct lf_priority_queue *q = (struct lf_priority_queue *)argument;
    for (uint64_t i = 0; i < 2000; i++) {
        int status;
        do
            status = lf_priority_queue_put(q, &i, sizeof i, (uint32_t)(i % 3), LF_FOREVER);
        while (status == LF_INTERRUPTED);
        CHECK(status == LF_OK);
    }
    return NULL;
}

static void blocking(void) {
    struct lf_priority_queue q, other;
    uint64_t bytes, value = 0, sum = 0, before;
    uint32_t level = 0;
    unsigned char *memory = map_queue(&q, 2, 8, 3, starts[1], &bytes);
    CHECK(lf_segment_attach_local(&other.h, &lf_priority_queue_kind, memory, 2) == LF_OK);
    pthread_t producer;
    CHECK(pthread_create(&producer, NULL, sleeping_producer, &other) == 0);
    for (int i = 0; i < 2000; i++) {
        int64_t length;
        do
            length = lf_priority_queue_get(&q, &value, &level, LF_FOREVER);
        while (length == LF_INTERRUPTED);
        CHECK(length == 8 && level == value % 3);
        sum += value;
    }
    CHECK(pthread_join(producer, NULL) == 0);
    CHECK(sum == UINT64_C(2000) * 1999 / 2);
    before = lf_now();
    CHECK(lf_priority_queue_get(&q, &value, &level, before + 5000000) == LF_EMPTY);
    CHECK(lf_now() >= before + 5000000);
    CHECK(lf_priority_queue_try_put(&q, &value, 8, 0) == LF_OK && lf_priority_queue_try_put(&q, &value, 8, 0) == LF_OK);
    CHECK(lf_priority_queue_put(&q, &value, 8, 0, lf_now() + 1000000) == LF_FULL);
    lf_priority_queue_shutdown(&other, 1);
    CHECK(lf_priority_queue_try_get(&q, &value, &level) == LF_CLOSED);
    check_unmap(memory, bytes);
}

/* ---- real deaths ---- */

static void hammer(void *argument) {
    struct lf_priority_queue *q = (struct lf_priority_queue *)argument;
    uint64_t random = (uint64_t)getpid(), value = 0, values[4] = {0, 0, 0, 0}, length;
    uint32_t level = 0, levels[4] = {2, 0, 1, 0};
    CHECK(lf_after_fork(&q->h) == LF_OK);
    for (;;) {
        int64_t slot;
        switch (check_below(&random, 6)) {
        case 0:
        case 1:
            lf_priority_queue_try_put(q, &value, 8, (uint32_t)check_below(&random, 3));
            break;
        case 2:
            lf_priority_queue_put_many(q, values, 8, 8, NULL, levels, 4);
            break;
        case 3:
        case 4:
            CHECK(lf_priority_queue_try_get(q, &value, &level) != LF_CORRUPT);
            break;
        default:
            slot = lf_priority_queue_peek(q, LF_LEASE, &level, &length);
            CHECK(slot != LF_CORRUPT);
            if (slot >= 0)
                CHECK(lf_priority_queue_release(q, slot) == LF_OK);
        }
    }
}

/* Processes are killed at random instants while they use the queue; after that all of its capacity is there. */
static void kills(void) {
    long rounds = check_rounds(60);
    for (long round = 0; round < rounds; round++) {
        struct lf_priority_queue q;
        uint64_t random = (uint64_t)round, value = 0, capacity = round % 2 ? 16 : 3;
        uint32_t level = 0;
        pid_t children[3];
        CHECK(lf_priority_queue_create(&q, NULL, capacity, 8, 3, starts[round % STARTS]) == LF_OK);
        for (int i = 0; i < 3; i++)
            children[i] = check_fork(hammer, &q);
        for (int i = 0; i < 3; i++) {
            check_sleep(500000 + check_below(&random, 3000000));
            check_kill(children[i]);
            for (int n = 0; n < 20; n++) { /* a survivor is not disturbed */
                CHECK(lf_priority_queue_try_put(&q, &value, 8, 1) != LF_CORRUPT);
                CHECK(lf_priority_queue_try_get(&q, &value, &level) != LF_CORRUPT);
            }
        }
        lf_reap(&q.h);
        while (lf_priority_queue_try_get(&q, &value, &level) >= 0)
            CHECK(level < 3);
        CHECK(lf_priority_queue_size(&q) == 0);
        for (uint64_t i = 0; i < capacity; i++)
            CHECK(lf_priority_queue_put(&q, &i, 8, 2, lf_now() + UINT64_C(1000000000)) == LF_OK);
        CHECK(lf_priority_queue_try_put(&q, &value, 8, 2) == LF_FULL);
        for (uint64_t i = 0; i < capacity; i++)
            CHECK(lf_priority_queue_try_get(&q, &value, &level) == 8 && value == i);
        lf_detach(&q.h);
    }
}

static void die_with_a_lease(void *argument) {
    struct lf_priority_queue *q = (struct lf_priority_queue *)argument;
    uint64_t length;
    uint32_t level;
    CHECK(lf_after_fork(&q->h) == LF_OK);
    CHECK(lf_priority_queue_peek(q, LF_LEASE, &level, &length) >= 0);
    CHECK(lf_priority_queue_peek(q, 0, &level, &length) >= 0);
    kill(getpid(), SIGKILL);
}

/* A blocked getter receives what a dead process had leased, and not what that had taken for good. */
static void lease_of_the_dead(void) {
    struct lf_priority_queue q;
    uint64_t value;
    uint32_t level;
    int status;
    CHECK(lf_priority_queue_create(&q, NULL, 2, 8, 20, 0) == LF_OK);
    for (value = 0; value < 2; value++)
        CHECK(lf_priority_queue_try_put(&q, &value, 8, 17) == LF_OK);
    pid_t child = check_fork(die_with_a_lease, &q);
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    CHECK(lf_priority_queue_get(&q, &value, &level, lf_now() + UINT64_C(1000000000)) == 8 && value == 0 && level == 17);
    CHECK(lf_priority_queue_try_get(&q, &value, &level) == LF_EMPTY);
    CHECK(lf_priority_queue_try_put(&q, &value, 8, 1) == LF_OK && lf_priority_queue_try_put(&q, &value, 8, 1) == LF_OK);
    lf_detach(&q.h);
}

static void leaving_with_records_in_hand(void) {
    struct lf_priority_queue q;
    char name[64];
    uint64_t value = 7, length;
    uint32_t level;
    snprintf(name, sizeof name, "test_priority_queue.%d", (int)getpid());
    CHECK(lf_priority_queue_create(&q, name, 2, 8, 3, 0) == LF_OK);
    struct lf_priority_queue other;
    CHECK(lf_priority_queue_attach(&other, name) == LF_OK && other.levels.count == 3 && other.capacity == 2);
    CHECK(lf_priority_queue_try_put(&other, &value, 8, 2) == LF_OK);
    CHECK(lf_priority_queue_peek(&other, LF_LEASE, &level, &length) >= 0);
    CHECK(lf_priority_queue_reserve(&other) >= 0);
    CHECK(lf_priority_queue_try_get(&q, &value, &level) == LF_EMPTY);
    CHECK(lf_priority_queue_try_put(&q, &value, 8, 0) == LF_FULL);
    lf_detach(&other.h);
    CHECK(lf_priority_queue_try_put(&q, &value, 8, 0) == LF_OK);
    CHECK(lf_priority_queue_try_get(&q, &value, &level) == 8 && level == 0);
    CHECK(lf_priority_queue_try_get(&q, &value, &level) == 8 && level == 2);
    CHECK(lf_segment_unlink(&q.h, name) == LF_OK);
    lf_detach(&q.h);
}

/* ---- corruption: nothing is trusted, nothing loops ---- */

static void a_record_of_impossible_length_leaves_room(void) {
    struct lf_priority_queue q;
    uint64_t bytes, length, record = 1;
    uint32_t level;
    unsigned char *memory = map_queue(&q, 1, 8, 2, 0, &bytes);
    CHECK_EQ(lf_priority_queue_try_put(&q, &record, 8, 1), LF_OK);
    lf_priority_queue_slot(&q, 0)->length = 9;
    CHECK_EQ(lf_priority_queue_try_get(&q, &record, &level), LF_CORRUPT);
    CHECK_EQ(lf_priority_queue_try_get(&q, &record, &level), LF_EMPTY);
    CHECK_EQ(lf_priority_queue_try_put(&q, &record, 8, 1), LF_OK);
    lf_priority_queue_slot(&q, 0)->length = 9;
    CHECK_EQ(lf_priority_queue_peek(&q, 0, &level, &length), LF_CORRUPT);
    CHECK_EQ(lf_priority_queue_try_put(&q, &record, 8, 1), LF_OK);
    CHECK_EQ(lf_priority_queue_try_get(&q, &record, &level), 8);
    check_unmap(memory, bytes);
}

static void who_gives_up_is_no_waiter_any_more(void) {
    struct lf_priority_queue q;
    uint64_t bytes, record = 1;
    uint32_t level;
    unsigned char *memory = map_queue(&q, 1, 8, 2, 0, &bytes);
    CHECK_EQ(lf_priority_queue_get(&q, &record, &level, lf_now() + UINT64_C(3000000)), LF_EMPTY);
    CHECK_EQ(q.body->not_empty.word >> 32, 0);
    CHECK_EQ(lf_priority_queue_put(&q, &record, 8, 1, lf_now() + UINT64_C(3000000)), LF_OK);
    CHECK_EQ(lf_priority_queue_put(&q, &record, 8, 1, lf_now() + UINT64_C(3000000)), LF_FULL);
    CHECK_EQ(q.body->not_full.word >> 32, 0);
    check_unmap(memory, bytes);
}

static void corruption(void) {
    long rounds = check_rounds(4000);
    for (long round = 0; round < rounds; round++) {
        struct lf_priority_queue q;
        uint64_t bytes, random = (uint64_t)round, value = 0, record[2], length, corrupt = 0;
        uint32_t level = 0, lengths[4], levels[4] = {0, 1, 2, 0};
        unsigned char batch[64];
        unsigned char *memory = map_queue(&q, 1 + check_below(&random, 17), 16, 3 + check_below(&random, 20),
                                          starts[check_below(&random, STARTS)], &bytes);
        for (uint64_t i = check_below(&random, 30); i > 0; i--) {
            lf_priority_queue_try_put(&q, record, 8, (uint32_t)check_below(&random, 3));
            if (check_below(&random, 2))
                lf_priority_queue_try_get(&q, record, &level);
        }
        for (uint64_t i = 1 + check_below(&random, 8); i > 0; i--) {
            uint64_t *word = (uint64_t *)(void *)(q.h.body + 8 * check_below(&random, (bytes - LF_BODY_OFFSET) / 8));
            if (check_below(&random, 3) == 0)
                word = &q.body->decision;
            else if (check_below(&random, 3) == 0)
                word = &q.queues[check_below(&random, q.levels.count + 1)].ends->head;
            *word = check_below(&random, 2) ? check_random(&random) : *word ^ UINT64_C(1) << check_below(&random, 64);
        }
        for (int i = 0; i < 60; i++) {
            int64_t slot;
            corrupt += lf_priority_queue_try_put(&q, record, 16, (uint32_t)check_below(&random, 3)) == LF_CORRUPT;
            corrupt += lf_priority_queue_put_many(&q, batch, 16, 16, NULL, levels, 4) == LF_CORRUPT;
            corrupt += lf_priority_queue_try_get(&q, record, &level) == LF_CORRUPT;
            lf_priority_queue_get_many(&q, batch, 16, lengths, levels, 4);
            for (int n = 0; n < 4; n++)
                levels[n] %= 3;
            slot = lf_priority_queue_peek(&q, LF_LEASE, &level, &length);
            CHECK(slot < (int64_t)q.capacity && (slot < 0 || (length <= 16 && level < q.levels.count)));
            CHECK(lf_priority_queue_size(&q) <= q.capacity);
            if (i % 16 == 15)
                lf__recover(&q.h, (uint32_t)check_below(&random, 4));
        }
        value += corrupt;
        check_unmap(memory, bytes);
    }
}

int main(void) {
    static const uint64_t capacities[] = {1, 2, 7, 16, 17, 64};
    static const uint32_t level_counts[] = {1, 2, 16, 17, 70, 127, 128};
    alarm(CHECK_STUCK_S);
    for (int c = 0; c < 6; c++)
        for (int l = 0; l < 7; l++)
            for (int s = 0; s < STARTS; s++)
                for (uint64_t fronts = 0; fronts <= (level_counts[l] < 128 ? LF_FRONTS : 0); fronts += LF_FRONTS)
                    sequential(capacities[c], level_counts[l], fronts, starts[s], check_rounds(600));
    arguments();
    blocking();
    lease_of_the_dead();
    leaving_with_records_in_hand();
    a_record_of_impossible_length_leaves_room();
    who_gives_up_is_no_waiter_any_more();
    corruption();
    kills();
    campaigns();
    return 0;
}
