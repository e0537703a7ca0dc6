/* The MPMC ring: against a model, stopped before every step, interleaved, in threads, in processes that are killed,
 * asleep, and with rubbish in its memory. */
#include "steps.h"

#include "../include/lockfree/mpmc_ring.h"

#include <pthread.h>

static const uint64_t capacities[] = {1, 2, 3, 5, 8, 16, 100};
static const uint64_t starts[] = {0, (UINT64_C(1) << 32) - 3, (UINT64_C(1) << 46) - 3, (UINT64_C(1) << 52) - 3,
                                  UINT64_MAX - 2};
enum { CAPACITIES = 7, STARTS = 5, ROOM = 64 };

static unsigned char *create(struct lf_mpmc_ring *r, uint64_t capacity, uint64_t record_size, uint64_t start) {
    uint64_t bytes;
    CHECK_EQ(lf_mpmc_ring_bytes(capacity, record_size, &bytes), LF_OK);
    unsigned char *memory = check_map(bytes);
    CHECK_EQ(lf_mpmc_ring_create_local(r, memory, capacity, record_size, start), LF_OK);
    r->h.participant = 1;
    return memory;
}
static void attach(struct lf_mpmc_ring *r, void *memory, uint32_t participant) {
    CHECK_EQ(lf_segment_attach_local(&r->h, &lf_mpmc_ring_kind, memory, participant), LF_OK);
}

static void fill(unsigned char *record, uint64_t id, uint64_t length) {
    for (uint64_t i = 0; i < length; i++)
        record[i] = (unsigned char)(id * 31 + i * 7 + 1);
}
static void check_filled(const unsigned char *record, uint64_t id, uint64_t length) {
    for (uint64_t i = 0; i < length; i++)
        CHECK_EQ(record[i], (unsigned char)(id * 31 + i * 7 + 1));
}
static unsigned char *payload(struct lf_mpmc_ring *r, int64_t index) {
    return lf_slot_payload(lf_mpmc_ring_slot(r, (uint64_t)index));
}

/* ---- one thread, beside a model ---- */

struct model {
    uint64_t id[128], length[128], head, count; /* records inside, oldest at head */
    uint64_t next_id;
};
static void model_put(struct model *m, uint64_t id, uint64_t length) {
    uint64_t at = (m->head + m->count++) % 128;
    m->id[at] = id;
    m->length[at] = length;
}
static uint64_t model_get(struct model *m) {
    uint64_t at = m->head;
    m->head = (m->head + 1) % 128;
    m->count--;
    return at;
}

static void test_answers_as_a_model_does(uint64_t capacity, uint64_t record_size, uint64_t start, uint64_t seed) {
    enum { BATCH = 6, HANDS = 3 };
    struct lf_mpmc_ring r;
    struct model m;
    unsigned char *memory = create(&r, capacity, record_size, start), buffer[BATCH * ROOM];
    struct {
        int64_t index;
        uint64_t id, length;
    } reserved[HANDS], peeked[HANDS];
    uint64_t n_reserved = 0, n_peeked = 0, length, at;
    int64_t index;
    memset(&m, 0, sizeof m);
    for (long round = check_rounds(25000); round > 0; round--) {
        uint64_t n = check_below(&seed, BATCH + 1), free = capacity - m.count - n_reserved - n_peeked;
        uint64_t fits = n < free ? n : free, ready = n < m.count ? n : m.count, pick;
        uint32_t sizes[BATCH];
        unsigned char *to = buffer;
        length = check_below(&seed, record_size + 1);
        switch (check_below(&seed, 10)) {
        case 0:
            fill(buffer, m.next_id, length);
            index = check_below(&seed, 2) ? lf_mpmc_ring_try_put(&r, buffer, length)
                                          : lf_mpmc_ring_put(&r, buffer, length, 0);
            CHECK_EQ(index, free > 0 ? LF_OK : LF_FULL); /* what is in hand counts */
            if (free > 0)
                model_put(&m, m.next_id++, length);
            break;
        case 1:
            index = check_below(&seed, 2) ? lf_mpmc_ring_try_get(&r, buffer) : lf_mpmc_ring_get(&r, buffer, 0);
            if (m.count == 0) {
                CHECK_EQ(index, LF_EMPTY);
                break;
            }
            at = model_get(&m);
            CHECK_EQ(index, m.length[at]);
            check_filled(buffer, m.id[at], m.length[at]);
            break;
        case 2:
            for (uint64_t i = 0; i < n; i++)
                fill(buffer + i * ROOM, m.next_id + i, length);
            CHECK_EQ(lf_mpmc_ring_put_many(&r, buffer, ROOM, length, NULL, n), (int64_t)fits);
            for (uint64_t i = 0; i < fits; i++)
                model_put(&m, m.next_id++, length);
            break;
        case 3:
            for (uint64_t i = 0; i < n; i++) {
                sizes[i] = (uint32_t)check_below(&seed, record_size + 1);
                fill(to, m.next_id + i, sizes[i]);
                to += sizes[i];
            }
            CHECK_EQ(lf_mpmc_ring_put_many(&r, buffer, 0, 0, sizes, n), (int64_t)fits);
            for (uint64_t i = 0; i < fits; i++)
                model_put(&m, m.next_id++, sizes[i]);
            break;
        case 4:
            memset(buffer, 0xee, sizeof buffer);
            CHECK_EQ(lf_mpmc_ring_get_many(&r, buffer, ROOM, sizes, n), (int64_t)ready);
            for (uint64_t i = 0; i < ready; i++) {
                at = model_get(&m);
                CHECK_EQ(sizes[i], m.length[at]);
                check_filled(buffer + i * ROOM, m.id[at], sizes[i]);
                for (uint64_t j = sizes[i]; j < ROOM; j++)
                    CHECK_EQ(buffer[i * ROOM + j], 0);
            }
            break;
        case 5:
            if (n_reserved == HANDS)
                break;
            index = lf_mpmc_ring_reserve(&r);
            CHECK_EQ(index >= 0 ? 0 : index, free > 0 ? 0 : LF_FULL);
            if (index < 0)
                break;
            CHECK_EQ((uintptr_t)payload(&r, index) % 16, 0);
            reserved[n_reserved].index = index;
            reserved[n_reserved].id = m.next_id++;
            reserved[n_reserved].length = length;
            memset(payload(&r, index), 0xdd, record_size);
            fill(payload(&r, index), reserved[n_reserved++].id, length);
            break;
        case 6:
            if (n_reserved == 0)
                break;
            pick = check_below(&seed, n_reserved--);
            if (check_below(&seed, 2)) {
                CHECK_EQ(lf_mpmc_ring_commit(&r, reserved[pick].index, reserved[pick].length), LF_OK);
                model_put(&m, reserved[pick].id, reserved[pick].length);
            } else {
                CHECK_EQ(lf_mpmc_ring_cancel(&r, reserved[pick].index), LF_OK);
            }
            reserved[pick] = reserved[n_reserved];
            break;
        case 7:
            if (n_peeked == HANDS)
                break;
            index = lf_mpmc_ring_peek(&r, check_below(&seed, 2) ? LF_LEASE : 0, &length);
            CHECK_EQ(index >= 0 ? 0 : index, m.count > 0 ? 0 : LF_EMPTY);
            if (index < 0)
                break;
            at = model_get(&m);
            CHECK_EQ(length, m.length[at]);
            peeked[n_peeked].index = index;
            peeked[n_peeked].id = m.id[at];
            peeked[n_peeked++].length = length;
            break;
        case 8:
            if (n_peeked == 0)
                break;
            pick = check_below(&seed, n_peeked--);
            check_filled(payload(&r, peeked[pick].index), peeked[pick].id, peeked[pick].length);
            if (check_below(&seed, 2)) {
                CHECK_EQ(lf_mpmc_ring_release(&r, peeked[pick].index), LF_OK);
            } else {
                CHECK_EQ(lf_mpmc_ring_requeue(&r, peeked[pick].index), LF_OK);
                model_put(&m, peeked[pick].id, peeked[pick].length);
            }
            peeked[pick] = peeked[n_peeked];
            break;
        default:
            sizes[0] = 0;
            sizes[1] = (uint32_t)record_size + 1;
            CHECK_EQ(lf_mpmc_ring_try_put(&r, buffer, record_size + 1), LF_TOO_LONG);
            CHECK_EQ(lf_mpmc_ring_put(&r, buffer, record_size + 1, LF_FOREVER), LF_TOO_LONG);
            CHECK_EQ(lf_mpmc_ring_put_many(&r, buffer, ROOM, record_size + 1, NULL, 1), LF_TOO_LONG);
            CHECK_EQ(lf_mpmc_ring_put_many(&r, buffer, 0, 0, sizes, 2), LF_TOO_LONG);
            CHECK(record_size == 0 || lf_mpmc_ring_get_many(&r, buffer, record_size - 1, sizes, 1) == LF_INVALID);
            break;
        }
        CHECK_EQ(lf_mpmc_ring_size(&r), m.count);
    }
    CHECK(m.next_id > capacity);
    check_unmap(memory, r.h.bytes);
}

static void test_geometry_out_of_bounds_is_refused(void) {
    uint64_t bytes;
    CHECK_EQ(lf_mpmc_ring_bytes(0, 8, &bytes), LF_INVALID);
    CHECK_EQ(lf_mpmc_ring_bytes(LF_MPMC_MAX_CAPACITY + 1, 8, &bytes), LF_INVALID);
    CHECK_EQ(lf_mpmc_ring_bytes(1, LF_MAX_RECORD + 1, &bytes), LF_INVALID);
    CHECK_EQ(lf_mpmc_ring_bytes(LF_MPMC_MAX_CAPACITY, LF_MAX_RECORD, &bytes), LF_INVALID);
    CHECK_EQ(lf_mpmc_ring_bytes(1, 0, &bytes), LF_OK);
}

/* ---- stopped before every step ---- */

/* What is known about each number that was put, by the calls that returned; a call that was cut off leaves MAYBE. */
enum fate { UNBORN, MAYBE, INSIDE, GONE };
static struct {
    unsigned char fate[512];
    uint64_t next;
} ledger;

struct actor {
    struct lf_mpmc_ring r;
    int what;
};
enum { PUT, PUT_MANY, RESERVE_CANCEL, GET, GET_MANY, LEASE, LEASE_REQUEUE, KINDS };

static void came(uint64_t number, enum fate fate) {
    CHECK(ledger.fate[number] == INSIDE || ledger.fate[number] == MAYBE);
    ledger.fate[number] = (unsigned char)fate;
}

static void act(void *argument) {
    struct actor *a = (struct actor *)argument;
    uint64_t numbers[3], length, before = ledger.next;
    int64_t n, index;
    switch (a->what) {
    case PUT:
    case PUT_MANY:
        for (int i = 0; i < 3; i++) {
            numbers[i] = ledger.next++;
            ledger.fate[numbers[i]] = MAYBE;
        }
        n = a->what == PUT_MANY ? lf_mpmc_ring_put_many(&a->r, numbers, 8, 8, NULL, 3)
                                : lf_mpmc_ring_try_put(&a->r, numbers, 8) == LF_OK;
        for (int64_t i = 0; i < 3; i++)
            if (i >= n)
                ledger.fate[before + (uint64_t)i] = UNBORN;
            else if (ledger.fate[before + (uint64_t)i] == MAYBE)
                ledger.fate[before + (uint64_t)i] = INSIDE;
        break;
    case RESERVE_CANCEL:
        if ((index = lf_mpmc_ring_reserve(&a->r)) >= 0)
            CHECK_EQ(lf_mpmc_ring_cancel(&a->r, index), LF_OK);
        break;
    case GET:
    case GET_MANY:
        n = a->what == GET_MANY ? lf_mpmc_ring_get_many(&a->r, numbers, 8, NULL, 3)
                                : lf_mpmc_ring_try_get(&a->r, numbers);
        if (a->what == GET && n != LF_EMPTY)
            n = n == 8 ? 1 : LF_CORRUPT;
        CHECK(n >= 0 || n == LF_EMPTY);
        for (int64_t i = 0; i < n; i++)
            came(numbers[i], GONE);
        break;
    default:
        if ((index = lf_mpmc_ring_peek(&a->r, LF_LEASE, &length)) < 0)
            break;
        CHECK_EQ(length, 8);
        memcpy(numbers, payload(&a->r, index), 8);
        if (a->what == LEASE) {
            came(numbers[0], MAYBE);
            CHECK_EQ(lf_mpmc_ring_release(&a->r, index), LF_OK);
            ledger.fate[numbers[0]] = GONE;
        } else {
            came(numbers[0], INSIDE);
            CHECK_EQ(lf_mpmc_ring_requeue(&a->r, index), LF_OK);
        }
        break;
    }
}

static void recover_one(void *argument) {
    struct actor *a = (struct actor *)argument;
    lf_recover_wholly(&a->r.h, (uint32_t)a->what);
}

/* Everything that must be inside comes, nothing comes twice, and every slot is free in the end. */
static void check_the_rest(struct lf_mpmc_ring *r, uint64_t lost) {
    uint64_t number, missing = 0;
    CHECK_EQ(lf_mpmc_ring_size(r) + lf_mpmc_ring_free_slots(r), r->capacity);
    while (lf_mpmc_ring_try_get(r, &number) == 8)
        came(number, GONE);
    for (uint64_t i = 0; i < ledger.next; i++)
        missing += ledger.fate[i] == INSIDE;
    CHECK(missing <= lost);
    for (uint64_t i = 0; i < r->capacity; i++)
        CHECK_EQ(lf_mpmc_ring_try_put(r, &i, 8), LF_OK);
    CHECK_EQ(lf_mpmc_ring_try_put(r, &number, 8), LF_FULL);
    for (uint64_t i = 0; i < r->capacity; i++)
        CHECK_EQ(lf_mpmc_ring_try_get(r, &number), 8);
    CHECK_EQ(lf_mpmc_ring_try_get(r, &number), LF_EMPTY);
}

#ifndef __SANITIZE_THREAD__ /* it does not follow a change of stacks */
static void put_four(void *argument) {
    struct actor *a = (struct actor *)argument;
    static const uint64_t numbers[4] = {1, 2, 3, 4};
    a->what = (int)lf_mpmc_ring_put_many(&a->r, numbers, 8, 8, NULL, 4);
}
/* A batch of four in a ring for three stops before its k-th step. If a reader takes one or two of its records then, and no
 * more are there, the others come later. From then on there is room for all of them. */
static void test_a_refusal_comes_behind_what_went_in(uint64_t start) {
    for (uint64_t k = 0, ended = 0, seen = 0; !ended; k++) {
        static struct steps_fiber fiber;
        static struct actor a, b;
        uint64_t number, got = 0;
        unsigned char *memory = create(&a.r, 3, 8, start);
        CHECK_EQ(lf_segment_attach_local(&b.r.h, &lf_mpmc_ring_kind, memory, 2), LF_OK);
        for (int64_t i = 0; i < 3; i++)
            CHECK_EQ(lf_mpmc_ring_reserve(&b.r), i);
        for (int64_t i = 0; i < 3; i++) /* no two neighbours follow each other */
            CHECK_EQ(lf_mpmc_ring_cancel(&b.r, 2 - i), LF_OK);
        steps_prepare(&fiber, put_four, &a);
        for (uint64_t i = 0; i < k && !fiber.done; i++)
            steps_resume(&fiber);
        ended = (uint64_t)fiber.done;
        while (lf_mpmc_ring_try_get(&b.r, &number) == 8)
            CHECK_EQ(number, ++got);
        while (!fiber.done)
            steps_resume(&fiber);
        CHECK(got == 0 || got == 3 || a.what == 4);
        seen += got == 1 || got == 2;
        CHECK(!ended || seen > 0);
        check_unmap(memory, a.r.h.bytes);
    }
}
#endif

/* One of each call killed before its k-th step with `inside` records inside; the recovery killed before its j-th. */
static void test_killed_before_every_step(uint64_t capacity, uint64_t start, uint64_t inside) {
    enum { VICTIM = 1, SURVIVOR = 2, FIRST = 3, SECOND = 4 };
    for (int what = 0; what < KINDS; what++) {
        for (uint64_t k = 1, ended = 0; !ended; k++) {
            for (uint64_t j = 1, recovered = 0; !recovered; j++) {
                static struct actor a[5];
                uint64_t lost = what == GET ? 1 : what == GET_MANY ? 3 : 0;
                unsigned char *memory = create(&a[VICTIM].r, capacity, 8, start);
                memset(&ledger, 0, sizeof ledger);
                for (int i = SURVIVOR; i <= SECOND; i++)
                    attach(&a[i].r, memory, (uint32_t)i);
                a[VICTIM].what = PUT;
                for (uint64_t i = 0; i < inside; i++)
                    act(&a[VICTIM]);
                a[VICTIM].what = what;
                ended = (uint64_t)steps_until(k, act, &a[VICTIM]);
                for (int i = 0; i < KINDS && k % 2; i++) { /* nobody waits for the recovery */
                    a[SURVIVOR].what = i;
                    act(&a[SURVIVOR]);
                }
                a[FIRST].what = VICTIM;
                recovered = (uint64_t)steps_until(j, recover_one, &a[FIRST]);
                for (int i = 0; i < KINDS && j % 2; i++) {
                    a[SURVIVOR].what = i;
                    act(&a[SURVIVOR]);
                }
                a[SECOND].what = VICTIM;
                recover_one(&a[SECOND]);
                a[SECOND].what = FIRST;
                recover_one(&a[SECOND]);
                check_the_rest(&a[SECOND].r, ended ? 0 : lost);
                check_unmap(memory, a[SECOND].r.h.bytes);
            }
        }
    }
}

/* ---- threads ---- */

enum { PRODUCERS = 3, CONSUMERS = 3 };
static struct lf_mpmc_ring shared;
static uint64_t per_producer, left_to_get;
static unsigned char *delivered; /* by record: how often */

struct record {
    uint32_t producer, sequence;
    unsigned char rest[40];
};
static uint64_t make_record(struct record *record, uint32_t producer, uint32_t sequence) {
    record->producer = producer;
    record->sequence = sequence;
    fill(record->rest, producer + 3u * sequence, sizeof record->rest);
    return 8 + (producer + sequence) % 41;
}
static void check_record(const struct record *record, int64_t length) {
    CHECK_EQ(length, 8 + (record->producer + record->sequence) % 41);
    check_filled(record->rest, record->producer + 3u * record->sequence, (uint64_t)length - 8);
}

static void *produce(void *number) {
    uint32_t me = (uint32_t)(uintptr_t)number, next = 0, sizes[5];
    unsigned char buffer[5 * sizeof(struct record)];
    uint64_t seed = me;
    while (next < per_producer) {
        struct record record;
        uint64_t length = make_record(&record, me, next), n = 1 + check_below(&seed, 5), at = 0;
        int64_t index;
        switch (check_below(&seed, 3)) {
        case 0:
            index = lf_mpmc_ring_put(&shared, &record, length, LF_FOREVER);
            CHECK(index == LF_OK || index == LF_INTERRUPTED);
            next += index == LF_OK;
            break;
        case 1:
            index = lf_mpmc_ring_reserve_wait(&shared, lf_now() + 1000000);
            CHECK(index >= 0 || index == LF_FULL || index == LF_INTERRUPTED);
            if (index < 0)
                break;
            if (check_below(&seed, 4) == 0) {
                CHECK_EQ(lf_mpmc_ring_cancel(&shared, index), LF_OK);
                break;
            }
            memcpy(payload(&shared, index), &record, length);
            CHECK_EQ(lf_mpmc_ring_commit(&shared, index, length), LF_OK);
            next++;
            break;
        default:
            n = n < per_producer - next ? n : per_producer - next;
            for (uint32_t i = 0; i < n; i++) {
                sizes[i] = (uint32_t)make_record(&record, me, next + i);
                memcpy(buffer + at, &record, sizes[i]);
                at += sizes[i];
            }
            index = lf_mpmc_ring_put_many(&shared, buffer, 0, 0, sizes, n);
            CHECK(index >= 0);
            if (index == 0)
                sched_yield(); /* the others may need this core */
            next += (uint32_t)index;
            break;
        }
    }
    return NULL;
}

static void deliver(const struct record *record, int64_t length, int64_t last[]) {
    check_record(record, length);
    CHECK(record->producer < PRODUCERS && record->sequence < per_producer);
    CHECK((int64_t)record->sequence > last[record->producer]); /* one consumer sees each producer's order */
    last[record->producer] = record->sequence;
    CHECK_EQ(lf_exchange_acq_rel(&delivered[record->producer * per_producer + record->sequence], (unsigned char)1), 0);
    __atomic_fetch_sub(&left_to_get, 1, __ATOMIC_RELAXED);
}

static void *consume(void *number) {
    int64_t last[PRODUCERS] = {-1, -1, -1};
    struct record records[5];
    uint32_t sizes[5];
    uint64_t seed = (uintptr_t)number + 100, length;
    while (lf_load_relaxed(&left_to_get) > 0) {
        int64_t index;
        switch (check_below(&seed, 3)) {
        case 0:
            index = lf_mpmc_ring_get(&shared, records, lf_now() + 2000000);
            CHECK(index >= 0 || index == LF_EMPTY || index == LF_INTERRUPTED);
            if (index >= 0)
                deliver(records, index, last);
            break;
        case 1:
            index = lf_mpmc_ring_peek_wait(&shared, LF_LEASE, &length, lf_now() + 2000000);
            CHECK(index >= 0 || index == LF_EMPTY || index == LF_INTERRUPTED);
            if (index < 0)
                break;
            memcpy(records, payload(&shared, index), length);
            deliver(records, (int64_t)length, last);
            CHECK_EQ(lf_mpmc_ring_release(&shared, index), LF_OK);
            break;
        default:
            index = lf_mpmc_ring_get_many(&shared, records, sizeof *records, sizes, 5);
            CHECK(index >= 0);
            if (index == 0)
                sched_yield();
            for (int64_t i = 0; i < index; i++)
                deliver(&records[i], sizes[i], last);
            break;
        }
    }
    return NULL;
}

static void test_threads_lose_and_double_nothing(uint64_t capacity, uint64_t start) {
    pthread_t threads[PRODUCERS + CONSUMERS];
    unsigned char *memory = create(&shared, capacity, sizeof(struct record), start);
    per_producer = (uint64_t)check_rounds(5000);
    left_to_get = PRODUCERS * per_producer;
    delivered = (unsigned char *)calloc(PRODUCERS, per_producer);
    CHECK(delivered != NULL);
    for (uintptr_t i = 0; i < PRODUCERS + CONSUMERS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, i < PRODUCERS ? produce : consume, (void *)i), 0);
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(left_to_get, 0);
    CHECK_EQ(lf_mpmc_ring_size(&shared), 0);
    CHECK_EQ(lf_mpmc_ring_free_slots(&shared), capacity);
    free(delivered);
    check_unmap(memory, shared.h.bytes);
}

/* ---- sleeping ---- */

static void *get_for_ever(void *status) {
    uint64_t number;
    int64_t answer;
    do
        answer = lf_mpmc_ring_get(&shared, &number, LF_FOREVER);
    while (answer == LF_INTERRUPTED);
    *(int64_t *)status = answer;
    return NULL;
}

static void test_deadlines_and_the_end(void) {
    uint64_t number = 1, before = lf_now();
    int64_t status[2] = {1, 1};
    pthread_t threads[2];
    unsigned char *memory = create(&shared, 1, 8, 0);
    CHECK_EQ(lf_mpmc_ring_get(&shared, &number, before + 30000000u), LF_EMPTY);
    CHECK(lf_now() - before >= 30000000u);
    CHECK_EQ(lf_mpmc_ring_put(&shared, &number, 8, lf_now() + 1000000u), LF_OK);
    before = lf_now();
    CHECK_EQ(lf_mpmc_ring_put(&shared, &number, 8, before + 30000000u), LF_FULL);
    CHECK(lf_now() - before >= 30000000u);
    CHECK_EQ(lf_mpmc_ring_get(&shared, &number, LF_FOREVER), 8);
    CHECK_EQ(lf_mpmc_ring_get(&shared, &number, LF_FOREVER), LF_INTERRUPTED); /* so that signals are served */
    for (int i = 0; i < 2; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, get_for_ever, &status[i]), 0);
    check_sleep(10000000);
    CHECK_EQ(lf_mpmc_ring_put(&shared, &number, 8, LF_FOREVER), LF_OK);
    check_sleep(10000000);
    lf_mpmc_ring_close(&shared);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    CHECK(status[0] + status[1] == 8 + LF_CLOSED); /* one got it, the other was told */
    CHECK_EQ(lf_mpmc_ring_try_put(&shared, &number, 8), LF_CLOSED);
    attach(&shared, memory, 2);
    CHECK_EQ(pthread_create(&threads[0], NULL, get_for_ever, &status[0]), 0);
    check_sleep(10000000);
    lf_mpmc_ring_shutdown(&shared, 1);
    pthread_join(threads[0], NULL);
    CHECK_EQ(status[0], LF_CLOSED);
    CHECK_EQ(lf_mpmc_ring_try_get(&shared, &number), LF_CLOSED);
    check_unmap(memory, shared.h.bytes);
}

/* ---- processes, and their death ---- */

enum { WORKERS = 3, LIVES = 256, NUMBERS = 4096, BATCH = 4 };
static struct board {
    uint32_t stop;
    uint32_t taking[LIVES];    /* how many records a call that runs may take for good */
    uint32_t published[LIVES]; /* puts that returned */
    unsigned char delivered[LIVES * NUMBERS];
} *board;

struct life {
    uint32_t number;
    int leases; /* takes by lease alone: such a record may come again, later, so the order is not checked */
};
static int64_t seen[LIVES]; /* by this process */

static void mark(const struct record *record, int64_t length, int in_order) {
    check_record(record, length);
    CHECK(record->producer < LIVES && record->sequence < NUMBERS);
    CHECK(!in_order || (int64_t)record->sequence >= seen[record->producer]);
    seen[record->producer] = record->sequence + 1;
    unsigned char *place = &board->delivered[record->producer * NUMBERS + record->sequence];
    CHECK_EQ(lf_exchange_acq_rel(place, (unsigned char)1), 0);
}

static int64_t worker_puts(uint32_t me, uint32_t next, uint64_t what) {
    struct record records[BATCH];
    uint64_t length = make_record(records, me, next), at = 0;
    unsigned char packed[sizeof records];
    uint32_t sizes[BATCH];
    int64_t index;
    switch (what) {
    case 0:
        index = lf_mpmc_ring_put(&shared, records, length, lf_now() + 1000000);
        CHECK(index == LF_OK || index == LF_FULL || index == LF_INTERRUPTED);
        return index == LF_OK;
    case 1:
        index = lf_mpmc_ring_reserve(&shared);
        CHECK(index >= 0 || index == LF_FULL);
        if (index < 0)
            return 0;
        memcpy(payload(&shared, index), records, length);
        if (index % 3 == 0) {
            CHECK_EQ(lf_mpmc_ring_cancel(&shared, index), LF_OK);
            return 0;
        }
        CHECK_EQ(lf_mpmc_ring_commit(&shared, index, length), LF_OK);
        return 1;
    default:
        for (uint32_t i = 0; i < BATCH; i++) {
            sizes[i] = (uint32_t)make_record(records, me, next + i);
            memcpy(packed + at, records, sizes[i]);
            at += sizes[i];
        }
        index = lf_mpmc_ring_put_many(&shared, packed, 0, 0, sizes, BATCH);
        CHECK(index >= 0);
        return index;
    }
}

/* `taking`: how many records die with us from here to there. */
static void worker_gets(uint32_t *taking, uint64_t what, int leases) {
    struct record records[BATCH];
    uint32_t sizes[BATCH];
    uint64_t length;
    int64_t n;
    if (leases) {
        n = lf_mpmc_ring_peek_wait(&shared, LF_LEASE, &length, lf_now() + 1000000);
        CHECK(n >= 0 || n == LF_EMPTY || n == LF_INTERRUPTED);
        if (n < 0)
            return;
        memcpy(records, payload(&shared, n), length);
        lf_store_release(taking, 1u);
        CHECK_EQ(lf_mpmc_ring_release(&shared, n), LF_OK);
        mark(records, (int64_t)length, 0);
    } else if (what % 2) {
        lf_store_release(taking, 1u);
        n = lf_mpmc_ring_get(&shared, records, lf_now() + 1000000);
        CHECK(n >= 0 || n == LF_EMPTY || n == LF_INTERRUPTED);
        if (n >= 0)
            mark(records, n, 1);
    } else {
        lf_store_release(taking, (uint32_t)BATCH);
        n = lf_mpmc_ring_get_many(&shared, records, sizeof *records, sizes, BATCH);
        CHECK(n >= 0);
        for (int64_t i = 0; i < n; i++)
            mark(&records[i], sizes[i], 1);
    }
    lf_store_release(taking, 0u);
}

static void work(void *argument) {
    struct life life = *(struct life *)argument;
    uint32_t next = 0;
    uint64_t seed = life.number * 77u + 5;
    CHECK_EQ(lf_after_fork(&shared.h), LF_OK);
    while (!lf_load_acquire(&board->stop)) {
        uint64_t what = check_below(&seed, 6);
        if (what < 3 && next + BATCH <= NUMBERS) {
            next += (uint32_t)worker_puts(life.number, next, what);
            lf_store_release(&board->published[life.number], next);
        } else {
            worker_gets(&board->taking[life.number], what, life.leases);
        }
    }
    lf_detach(&shared.h);
}

static void test_killed_workers(uint64_t capacity, int leases, uint64_t seed) {
    enum { SELF = LIVES - 1 };
    struct life life = {0, leases};
    struct record record;
    pid_t workers[WORKERS];
    uint32_t who[WORKERS], own = 0;
    uint64_t lost = 0, missing = 0;
    int64_t n;
    CHECK_EQ(lf_mpmc_ring_create(&shared, NULL, capacity, sizeof record, (UINT64_C(1) << 52) - 1000), LF_OK);
    memset(board, 0, sizeof *board);
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < WORKERS; i++) {
        who[i] = life.number;
        workers[i] = check_fork(work, &life);
        life.number++;
    }
    for (long round = check_rounds(60); round > 0 && life.number < SELF; round--) {
        uint64_t victim = check_below(&seed, WORKERS), length = make_record(&record, SELF, own);
        check_sleep(check_below(&seed, 1500000));
        check_kill(workers[victim]);
        lost += lf_load_acquire(&board->taking[who[victim]]);
        do /* survivors go on: so can we */
            n = lf_mpmc_ring_put(&shared, &record, length, lf_now() + UINT64_C(5000000000));
        while (n == LF_INTERRUPTED);
        CHECK_EQ(n, LF_OK);
        board->published[SELF] = ++own;
        if ((n = lf_mpmc_ring_try_get(&shared, &record)) != LF_EMPTY)
            mark(&record, n, !leases);
        who[victim] = life.number;
        workers[victim] = check_fork(work, &life);
        life.number++;
    }
    lf_store_release(&board->stop, 1u);
    for (int i = 0; i < WORKERS; i++)
        check_join(workers[i]);
    lf_reap(&shared.h);
    /* Nothing is in the hands of the dead. */
    CHECK_EQ(lf_mpmc_ring_size(&shared) + lf_mpmc_ring_free_slots(&shared), capacity);
    while ((n = lf_mpmc_ring_try_get(&shared, &record)) != LF_EMPTY)
        mark(&record, n, !leases);
    for (uint32_t i = 0; i < LIVES; i++)
        for (uint32_t j = 0; j < board->published[i]; j++)
            missing += board->delivered[i * NUMBERS + j] == 0;
    CHECK(missing <= lost);
    for (uint64_t i = 0; i < capacity; i++)
        CHECK_EQ(lf_mpmc_ring_try_put(&shared, &record, 8), LF_OK);
    CHECK_EQ(lf_mpmc_ring_try_put(&shared, &record, 8), LF_FULL);
    lf_detach(&shared.h);
}

/* ---- leases ---- */

static void lease_all(void *count) {
    uint64_t length;
    CHECK_EQ(lf_after_fork(&shared.h), LF_OK);
    for (uint64_t i = 0; i < *(uint64_t *)count; i++)
        CHECK(lf_mpmc_ring_peek(&shared, LF_LEASE, &length) >= 0);
    CHECK(lf_mpmc_ring_peek(&shared, 0, &length) >= 0); /* this one it has for good */
    lf_store_release(&board->stop, 1u);
    for (;;)
        pause();
}

static void test_leases_of_a_killed_process_come_again_once(uint64_t capacity, uint64_t leased) {
    uint64_t number;
    board->stop = 0;
    CHECK_EQ(lf_mpmc_ring_create(&shared, NULL, capacity, 8, 0), LF_OK);
    for (uint64_t i = 0; i < capacity; i++)
        CHECK_EQ(lf_mpmc_ring_try_put(&shared, &i, 8), LF_OK);
    pid_t child = check_fork(lease_all, &leased);
    while (!lf_load_acquire(&board->stop))
        check_sleep(50000);
    CHECK_EQ(lf_mpmc_ring_try_put(&shared, &number, 8), LF_FULL); /* records in hand count */
    check_kill(child);
    for (uint64_t i = 0; i + 1 < capacity; i++) { /* what was never taken, then what was leased; nobody need reap */
        CHECK_EQ(lf_mpmc_ring_get(&shared, &number, lf_now() + UINT64_C(2000000000)), 8);
        CHECK_EQ(number, i < capacity - leased - 1 ? leased + 1 + i : i - (capacity - leased - 1));
    }
    CHECK_EQ(lf_mpmc_ring_try_get(&shared, &number), LF_EMPTY);
    for (uint64_t i = 0; i < capacity; i++)
        CHECK_EQ(lf_mpmc_ring_try_put(&shared, &i, 8), LF_OK);
    lf_detach(&shared.h);
}

static void reserve_all(void *unused) {
    (void)unused;
    CHECK_EQ(lf_after_fork(&shared.h), LF_OK);
    while (lf_mpmc_ring_reserve(&shared) >= 0)
        ;
    lf_store_release(&board->stop, 1u);
    for (;;)
        pause();
}

static void test_refused_calls_find_what_the_dead_held(void) {
    uint64_t number = 0, deadline;
    int status;
    board->stop = 0;
    CHECK_EQ(lf_mpmc_ring_create(&shared, NULL, 5, 8, 0), LF_OK);
    pid_t child = check_fork(reserve_all, NULL);
    while (!lf_load_acquire(&board->stop))
        check_sleep(50000);
    CHECK_EQ(lf_mpmc_ring_try_put(&shared, &number, 8), LF_FULL);
    check_kill(child);
    deadline = lf_now() + UINT64_C(2000000000);
    while ((status = lf_mpmc_ring_try_put(&shared, &number, 8)) == LF_FULL)
        CHECK(lf_now() < deadline);
    for (int i = 1; i < 5; i++)
        CHECK_EQ(lf_mpmc_ring_try_put(&shared, &number, 8), LF_OK);
    CHECK_EQ(lf_mpmc_ring_try_put(&shared, &number, 8), LF_FULL);
    lf_detach(&shared.h);
}

/* ---- rubbish ---- */

static void test_a_record_of_impossible_length_leaves_room(void) {
    struct lf_mpmc_ring r;
    unsigned char *memory = create(&r, 1, 8, 0);
    uint64_t record = 1;
    CHECK_EQ(lf_mpmc_ring_try_put(&r, &record, 8), LF_OK);
    lf_mpmc_ring_slot(&r, 0)->length = 9;
    CHECK_EQ(lf_mpmc_ring_try_get(&r, &record), LF_CORRUPT);
    CHECK_EQ(lf_mpmc_ring_try_get(&r, &record), LF_EMPTY);
    CHECK_EQ(lf_mpmc_ring_try_put(&r, &record, 8), LF_OK);
    CHECK_EQ(lf_mpmc_ring_try_get(&r, &record), 8);
    check_unmap(memory, r.h.bytes);
}

static void test_rubbish_is_survived(uint64_t capacity, uint64_t seed) {
    struct lf_mpmc_ring r;
    unsigned char *memory = create(&r, capacity, 20, 0), buffer[8 * 20];
    uint32_t sizes[8];
    uint64_t length, body = (uint64_t)(r.h.body - memory), corrupt = 0;
    for (long round = check_rounds(10000); round > 0; round--) {
        for (uint64_t n = check_below(&seed, 4); n > 0; n--) {
            uint64_t at = body + check_below(&seed, r.h.bytes - LF_BODY_OFFSET);
            memory[at] = (unsigned char)check_random(&seed);
        }
        int64_t slot = lf_mpmc_ring_reserve(&r), record = lf_mpmc_ring_peek(&r, LF_LEASE, &length);
        CHECK(slot < (int64_t)capacity && record < (int64_t)capacity);
        CHECK(record < 0 || length <= 20);
        int64_t answers[] = {slot < 0 ? slot : lf_mpmc_ring_commit(&r, slot, 20),
                             record < 0 ? record : lf_mpmc_ring_requeue(&r, record),
                             lf_mpmc_ring_try_put(&r, buffer, check_below(&seed, 21)),
                             lf_mpmc_ring_try_get(&r, buffer),
                             lf_mpmc_ring_put_many(&r, buffer, 20, 20, NULL, 8),
                             lf_mpmc_ring_get_many(&r, buffer, 20, sizes, 8),
                             lf_mpmc_ring_put(&r, buffer, 20, 1),
                             lf_mpmc_ring_get(&r, buffer, 1)};
        for (unsigned i = 0; i < sizeof answers / sizeof *answers; i++) {
            CHECK(answers[i] >= 0 || answers[i] == LF_FULL || answers[i] == LF_EMPTY || answers[i] == LF_CORRUPT);
            corrupt += answers[i] == LF_CORRUPT;
        }
        CHECK(lf_mpmc_ring_size(&r) <= capacity);
        lf_recover_wholly(&r.h, (uint32_t)check_below(&seed, 3));
        if (check_below(&seed, 4) == 0) {
            memset(r.h.body, 0, r.h.bytes - LF_BODY_OFFSET);
            lf__mpmc_layout(&r, check_random(&seed));
        }
    }
    CHECK(corrupt > 0);
    check_unmap(memory, r.h.bytes);
}

/* A record of up to 64 bytes does not straddle cache lines, and small ones share a line. */
static void test_records_do_not_straddle_lines(void) {
    for (uint64_t size = 0; size <= 200; size++) {
        struct lf_mpmc_ring r;
        uint64_t bytes;
        CHECK_EQ(lf_mpmc_ring_bytes(5, size, &bytes), LF_OK);
        unsigned char *memory = check_map(bytes);
        CHECK_EQ(lf_mpmc_ring_create_local(&r, memory, 5, size, 0), LF_OK);
        for (uint64_t i = 0; i < 5; i++) {
            uint64_t first = (uint64_t)(lf_slot_payload(lf_mpmc_ring_slot(&r, i)) - memory);
            CHECK_EQ(first % 16, 0);
            CHECK(size == 0 || size > 64 || first / 64 == (first + size - 1) / 64);
            CHECK(first + size <= bytes);
        }
        check_unmap(memory, bytes);
    }
    CHECK_EQ(lf_slot_stride(8), 32);
}

/* ---- positions of a long life ---- */

/* As if so many more positions had been used, a multiple of the cells, by runs that begin where those of the last lap did:
 * the cells that these do not touch stay what they were. */
static void live_on(struct lf_mpmc_ring *r, uint64_t positions) {
    for (uint32_t id = 0; id < 2; id++) {
        struct lf_queue *q = &r->queues[id];
        for (uint64_t i = 0; i <= q->mask; i++) {
            uint64_t *cell = lf__cell_place(q, i), at = (*cell >> LF__POSITION_SHIFT & ~q->mask) | i;
            if (((q->ends->tail - at) & LF__CUSTODY_POSITION) <= q->mask + 1)
                *cell += positions << LF__POSITION_SHIFT;
        }
        q->ends->head += positions;
        q->ends->tail += positions;
    }
    for (uint64_t i = 0; i < r->capacity; i++) {
        uint64_t *custody = lf__custody(&r->store, i), word = *custody;
        *custody = (word & ~LF__CUSTODY_POSITION) | ((word + positions) & LF__CUSTODY_POSITION);
    }
}

static void put_and_get(struct lf_mpmc_ring *r, uint64_t batch, uint64_t records) {
    uint64_t values[LF_QUEUE_RUN], got[LF_QUEUE_RUN];
    for (uint64_t done = 0; done < records; done += batch) {
        for (uint64_t i = 0; i < batch; i++)
            values[i] = done + i;
        CHECK_EQ(lf_mpmc_ring_put_many(r, values, 8, 8, NULL, batch), (int64_t)batch);
        CHECK_EQ(lf_mpmc_ring_size(r), batch);
        CHECK_EQ(lf_mpmc_ring_get_many(r, got, 8, NULL, batch), (int64_t)batch);
        CHECK(memcmp(values, got, 8 * batch) == 0);
        CHECK_EQ(lf_mpmc_ring_get_many(r, got, 8, NULL, batch), 0);
        CHECK_EQ(lf_mpmc_ring_size(r), 0);
        CHECK(lf_queue_is_whole(&r->queues[LF__FREE]));
    }
}

/* Batches of whole runs, and so many periods later records alone: they find the cells that no run began at. */
static void test_cells_that_runs_pass_over_are_renewed(uint64_t capacity, uint64_t periods) {
    struct lf_mpmc_ring r;
    unsigned char *memory = create(&r, capacity, 8, 0);
    uint64_t cells = r.queues[0].mask + 1;
    for (uint64_t period = 0; period < periods; period++) {
        uint64_t tail = r.queues[LF__RECORDS].ends->tail;
        put_and_get(&r, LF_QUEUE_RUN, 4 * cells);
        live_on(&r, LF__RENEWAL * (period + 1) - 8 * cells - tail);
        CHECK_EQ(r.queues[LF__RECORDS].ends->tail, LF__RENEWAL * (period + 1) - 4 * cells);
        put_and_get(&r, LF_QUEUE_RUN, 8 * cells);
    }
    uint64_t oldest = 0;
    for (uint32_t id = 0; id < 2; id++)
        for (uint64_t i = 0; i < cells; i++) {
            const struct lf_queue *q = &r.queues[id];
            uint64_t at = (*lf__cell_place(q, i) >> LF__POSITION_SHIFT & ~q->mask) | i;
            uint64_t age = (q->ends->tail - at) & LF__CUSTODY_POSITION;
            oldest = age > oldest ? age : oldest;
        }
    CHECK(oldest > 2 * cells && oldest < LF__RENEWAL); /* some were passed over; each was renewed before the period */
    put_and_get(&r, 1, 4 * cells);
    put_and_get(&r, 5, 20 * cells);
    check_unmap(memory, r.h.bytes);
}

/* Batches of any length, from before the lap that renews the cells until behind it: no cell is left out [I6]. */
static void test_the_renewal_leaves_no_cell_out(uint64_t capacity, uint64_t offset) {
    enum { MOST = 40 };
    struct lf_mpmc_ring r;
    uint64_t cells, values[MOST], got[MOST], next = 0, first = 0, seed = offset, longest = 0;
    unsigned char *memory = create(&r, capacity, 8, LF__RENEWAL - 6 * lf__mpmc_cells(capacity) - offset);
    cells = r.queues[0].mask + 1;
    while (r.queues[LF__RECORDS].ends->tail < LF__RENEWAL || r.queues[LF__FREE].ends->tail < LF__RENEWAL) {
        uint64_t batch = longest == 0 ? (uint64_t)MOST : 1 + check_below(&seed, MOST), cell = 0;
        for (uint64_t i = 0; i < batch; i++)
            values[i] = next + i;
        next += (uint64_t)lf_mpmc_ring_put_many(&r, values, 8, 8, NULL, batch);
        lf__walk_to_head(&r.queues[LF__RECORDS], r.queues[LF__RECORDS].ends->head, &cell);
        longest = lf__cell_count(cell) > longest ? lf__cell_count(cell) : longest;
        int64_t n = lf_mpmc_ring_get_many(&r, got, 8, NULL, 1 + check_below(&seed, MOST));
        for (int64_t i = 0; i < n; i++)
            CHECK_EQ(got[i], first++);
        CHECK_EQ(lf_mpmc_ring_size(&r), next - first);
    }
    CHECK_EQ(longest, LF_QUEUE_RUN);
    for (uint32_t id = 0; id < 2; id++)
        for (uint64_t i = 0; i < cells; i++) {
            uint64_t at = (*lf__cell_place(&r.queues[id], i) >> LF__POSITION_SHIFT & ~r.queues[id].mask) | i;
            CHECK(at >= LF__RENEWAL - cells);
        }
    check_unmap(memory, r.h.bytes);
}

int main(void) {
    alarm(CHECK_STUCK_S);
    board = (struct board *)(void *)check_map(sizeof *board);
    test_records_do_not_straddle_lines();
    test_geometry_out_of_bounds_is_refused();
    test_a_record_of_impossible_length_leaves_room();
    for (uint64_t periods = 1; periods < 80; periods += 13) /* beyond a wrap of the positions */
        test_cells_that_runs_pass_over_are_renewed(periods % 2 ? 16 : 64, periods);
    for (uint64_t offset = 0; offset < 40; offset++)
        test_the_renewal_leaves_no_cell_out(offset % 2 ? 17 : 100, offset);
    for (unsigned i = 0; i < CAPACITIES * STARTS; i++) {
        uint64_t capacity = capacities[i / STARTS], start = starts[i % STARTS];
        test_answers_as_a_model_does(capacity, i % 3 == 0 ? 0 : i % 3 == 1 ? 13 : 64, start, i);
        if ((capacity <= 3 || capacity == 16) && check_rounds(100) == 100)
            test_killed_before_every_step(capacity, start, i % (capacity + 1));
        if (i % STARTS == 3)
            test_threads_lose_and_double_nothing(capacity, start);
        test_rubbish_is_survived(capacity, i);
    }
#ifndef __SANITIZE_THREAD__
    test_a_refusal_comes_behind_what_went_in(0);
    test_a_refusal_comes_behind_what_went_in((UINT64_C(1) << 42) - 3);
#endif
    test_deadlines_and_the_end();
    test_refused_calls_find_what_the_dead_held();
    test_leases_of_a_killed_process_come_again_once(8, 3);
    test_leases_of_a_killed_process_come_again_once(16, 15);
    for (unsigned i = 0; i < CAPACITIES; i += 2) {
        test_killed_workers(capacities[i], 0, i);
        test_killed_workers(capacities[i], 1, i);
    }
    return 0;
}
