/* The message ring: against a model, stopped before every step, in threads, and with rubbish in its memory. */
#include "steps.h"

#include "../include/lockfree/message_ring.h"

#include <pthread.h>

static const uint64_t starts[] = {0, (UINT64_C(1) << 42) - 3, (UINT64_C(1) << 50) - 3, UINT64_MAX - 5};

static unsigned char *create_within(struct lf_message_ring *r, uint64_t blocks, uint64_t block_bytes, uint64_t most,
                                    uint64_t start) {
    uint64_t bytes;
    CHECK_EQ(lf_message_ring_bytes(blocks, block_bytes, &bytes), LF_OK);
    unsigned char *memory = check_map(bytes);
    CHECK_EQ(lf_message_ring_create_local(r, memory, blocks, block_bytes, most, start), LF_OK);
    r->h.participant = 1;
    return memory;
}
static unsigned char *create(struct lf_message_ring *r, uint64_t blocks, uint64_t block_bytes, uint64_t start) {
    return create_within(r, blocks, block_bytes, 0, start);
}
static void attach(struct lf_message_ring *r, void *memory, uint32_t participant) {
    CHECK_EQ(lf_segment_attach_local(&r->h, &lf_message_ring_kind, memory, participant), LF_OK);
}
static void fill(unsigned char *message, uint64_t id, uint64_t length) {
    for (uint64_t i = 0; i < length; i++)
        message[i] = (unsigned char)(id * 31 + i * 7 + 1);
}
static void check_filled(const unsigned char *message, uint64_t id, uint64_t length) {
    for (uint64_t i = 0; i < length; i++)
        CHECK_EQ(message[i], (unsigned char)(id * 31 + i * 7 + 1));
}

/* ---- one thread, beside a model ---- */

static void test_answers_as_a_model_does(uint64_t blocks, uint64_t start, uint64_t seed) {
    enum { KEPT = 256, ROOM = 4096 };
    struct lf_message_ring r;
    unsigned char *memory = create(&r, blocks, 48, start), buffer[3 * ROOM];
    uint64_t lengths[KEPT], put = 0, got = 0, used = 0, found = 0;
    uint32_t sizes[3];
    for (long round = check_rounds(20000); round > 0; round--) {
        uint64_t count = check_below(&seed, 4) == 0 ? 3 : 1, at = 0;
        if (check_below(&seed, 2) && put - got < KEPT - 4) {
            for (uint64_t i = 0; i < count; i++) {
                sizes[i] = (uint32_t)check_below(&seed, check_below(&seed, 2) ? 33 : r.max_message + 1);
                fill(buffer + at, put + i, sizes[i]);
                at += sizes[i];
            }
            uint64_t fits = 0, needs = used;
            while (fits < count && needs + lf__message_blocks(&r, sizes[fits]) <= blocks)
                needs += lf__message_blocks(&r, sizes[fits++]);
            int64_t done = count == 1 ? lf_message_ring_try_put(&r, buffer, sizes[0])
                                      : lf_message_ring_put_many(&r, buffer, sizes, count);
            if (count == 1)
                done = done == LF_OK ? 1 : done == LF_FULL ? 0 : done;
            CHECK_EQ(done, fits);
            for (uint64_t i = 0; i < fits; i++)
                lengths[put++ % KEPT] = sizes[i];
            used = needs;
        } else {
            int64_t first = lf_message_ring_peek(&r, 0, &found);
            if (put == got) {
                CHECK_EQ(first, LF_EMPTY);
                continue;
            }
            CHECK(first >= 0);
            CHECK_EQ(found, lengths[got % KEPT]);
            if (check_below(&seed, 8) == 0) { /* it goes to the tail */
                uint64_t tasks = lf_message_ring_unfinished(&r);
                CHECK_EQ(lf_message_ring_put_back(&r, first), LF_OK);
                CHECK_EQ(lf_message_ring_unfinished(&r), tasks);
                if (put - got > 1) { /* its id is forgotten: empty the ring */
                    while (lf_message_ring_try_get(&r, buffer, sizeof buffer) >= 0)
                        ;
                    got = put;
                    used = 0;
                }
                continue;
            }
            CHECK_EQ(lf_message_ring_take(&r, first, buffer, found), (int64_t)found);
            check_filled(buffer, got++, found);
            used -= lf__message_blocks(&r, found);
        }
        CHECK_EQ(lf_message_ring_free(&r), blocks - used);
        CHECK_EQ(lf_message_ring_size(&r), put - got);
    }
    check_unmap(memory, r.h.bytes);
}

static void test_what_is_out_of_bounds_is_refused(void) {
    struct lf_message_ring r;
    uint64_t bytes;
    char out[200] = {0};
    CHECK_EQ(lf_message_ring_bytes(0, 64, &bytes), LF_INVALID);
    CHECK_EQ(lf_message_ring_bytes(4, 16, &bytes), LF_INVALID);
    CHECK_EQ(lf_message_ring_bytes(4, 72, &bytes), LF_INVALID);
    CHECK_EQ(lf_message_ring_bytes(UINT64_MAX, 64, &bytes), LF_INVALID);
    unsigned char *memory = create(&r, 4, 48, 0);
    CHECK_EQ(r.max_message, 128);
    CHECK_EQ(lf_message_ring_try_put(&r, out, 129), LF_TOO_LONG);
    CHECK_EQ(lf_message_ring_reserve(&r, 129), LF_TOO_LONG);
    CHECK_EQ(lf_message_ring_try_put(&r, out, 100), LF_OK);
    CHECK_EQ(lf_message_ring_try_put(&r, out, 1), LF_FULL);
    CHECK_EQ(lf_message_ring_try_get(&r, out, 99), LF_TOO_LONG);
    CHECK_EQ(lf_message_ring_get(&r, out, 99, 0), LF_TOO_LONG);
    CHECK_EQ(lf_message_ring_unfinished(&r), 1); /* it stays one task */
    CHECK_EQ(lf_message_ring_try_get(&r, out, 100), 100);
    int64_t first = lf_message_ring_reserve(&r, 70);
    CHECK_EQ(lf_message_ring_shorten(&r, first, 71), LF_TOO_LONG);
    CHECK_EQ(lf_message_ring_shorten(&r, first, 3), LF_OK);
    CHECK_EQ(lf_message_ring_commit(&r, first), LF_OK);
    CHECK_EQ(lf_message_ring_try_get(&r, out, 100), 3);
    CHECK_EQ(lf_message_ring_free(&r), 4);
    first = lf_message_ring_reserve(&r, 128);
    CHECK_EQ(lf_message_ring_reserve(&r, 0), LF_FULL);
    CHECK_EQ(lf_message_ring_cancel(&r, first), LF_OK);
    CHECK_EQ(lf_message_ring_free(&r), 4);
    CHECK_EQ(lf_message_ring_try_put(&r, out, 60), LF_OK);
    lf_message_ring_shutdown(&r, 0);
    CHECK_EQ(lf_message_ring_try_put(&r, out, 1), LF_CLOSED);
    CHECK_EQ(lf_message_ring_try_get(&r, out, 100), 60);
    CHECK_EQ(lf_message_ring_try_get(&r, out, 100), LF_CLOSED);
    check_unmap(memory, r.h.bytes);
}

/* ---- stopped before every step ---- */

#ifndef __SANITIZE_THREAD__
static struct lf_message_ring doomed;
static unsigned char room[256];
static void put_some(void *length) { lf_message_ring_try_put(&doomed, room, *(uint64_t *)length); }
static void get_one(void *length) { *(uint64_t *)length = (uint64_t)lf_message_ring_try_get(&doomed, room, 256); }
static void lease_and_release(void *length) {
    int64_t first = lf_message_ring_peek(&doomed, LF_LEASE, (uint64_t *)length);
    if (first >= 0)
        lf_message_ring_release(&doomed, first);
}
static void reserve_and_cancel(void *length) {
    int64_t first = lf_message_ring_reserve(&doomed, *(uint64_t *)length);
    if (first >= 0)
        lf_message_ring_cancel(&doomed, first);
}

static struct lf_message_ring second;
static void recover_it(void *unused) {
    (void)unused;
    lf_recover_wholly(&second.h, 2);
}

/* The doomed one is killed before its k-th step, and so is who recovers it, before its j-th. In the end all blocks are
 * there, and every message that came is whole. */
static void test_killed_before_every_step(void (*act)(void *), uint64_t inside, uint64_t length, uint64_t start) {
    for (uint64_t k = 1, ended = 0; !ended; k++) {
        for (uint64_t j = 1, recovered = 0; !recovered; j += 7) {
            struct lf_message_ring w;
            unsigned char *memory = create(&w, 8, 48, start), message[256];
            uint64_t number = length;
            attach(&doomed, memory, 2);
            attach(&second, memory, 3);
            for (uint64_t i = 0; i < inside; i++) {
                fill(message, i, 40);
                CHECK_EQ(lf_message_ring_try_put(&w, message, 40), LF_OK);
            }
            fill(room, 99, length);
            ended = (uint64_t)steps_until(k, act, &number);
            recovered = (uint64_t)steps_until(j, recover_it, NULL);
            if (!recovered) { /* the one that recovered is dead, too; first the second, then the first, or the other way */
                if (j % 2)
                    lf_recover_wholly(&w.h, 3);
                lf_recover_wholly(&w.h, 2);
                lf_recover_wholly(&w.h, 3);
            }
            int64_t got;
            uint64_t seen = 0;
            while ((got = lf_message_ring_try_get(&w, message, sizeof message)) >= 0) {
                CHECK(got == 40 || (got == (int64_t)length && act == put_some));
                if (got != 40)
                    check_filled(message, 99, (uint64_t)got);
                seen++;
            }
            CHECK_EQ(got, LF_EMPTY);
            CHECK(seen + 1 >= inside && seen <= inside + 1);
            CHECK_EQ(lf_message_ring_free(&w), 8);
            fill(message, 5, 250);
            CHECK_EQ(lf_message_ring_try_put(&w, message, 250), LF_OK);
            memset(message, 0, sizeof message);
            CHECK_EQ(lf_message_ring_try_get(&w, message, sizeof message), 250);
            check_filled(message, 5, 250);
            check_unmap(memory, w.h.bytes);
        }
    }
}
#endif

/* ---- threads ---- */

enum { PRODUCERS = 2, CONSUMERS = 2 };
struct task {
    struct lf_message_ring r;
    uint64_t number, sum, count;
};
static uint64_t each;

static void *produce(void *argument) {
    struct task *t = (struct task *)argument;
    unsigned char message[300];
    for (uint64_t i = 0; i < each; i++) {
        uint64_t id = t->number * each + i, length = 8 + id * 13 % 240;
        int status;
        memcpy(message, &id, 8);
        fill(message + 8, id, length - 8);
        do
            status = lf_message_ring_put(&t->r, message, length, LF_FOREVER);
        while (status == LF_INTERRUPTED);
        CHECK_EQ(status, LF_OK);
        t->sum += id;
    }
    return NULL;
}
static void *consume(void *argument) {
    struct task *t = (struct task *)argument;
    unsigned char message[300];
    uint64_t last[PRODUCERS] = {0}, id;
    for (;;) {
        int64_t length = lf_message_ring_get(&t->r, message, sizeof message, LF_FOREVER);
        if (length == LF_INTERRUPTED)
            continue;
        if (length == LF_CLOSED)
            return NULL;
        memcpy(&id, message, 8);
        CHECK_EQ(length, 8 + id * 13 % 240);
        check_filled(message + 8, id, (uint64_t)length - 8);
        CHECK(last[id / each] <= id % each);
        last[id / each] = id % each + 1;
        t->sum += id;
        t->count++;
    }
}

static void test_threads(uint64_t blocks) {
    static struct lf_message_ring w;
    static struct task tasks[PRODUCERS + CONSUMERS];
    pthread_t threads[PRODUCERS + CONSUMERS];
    unsigned char *memory = create(&w, blocks, 48, UINT64_MAX - 100);
    uint64_t sent = 0, got = 0, count = 0;
    each = (uint64_t)check_rounds(5000);
    memset(tasks, 0, sizeof tasks);
    for (uint32_t i = 0; i < PRODUCERS + CONSUMERS; i++) {
        attach(&tasks[i].r, memory, i + 2);
        tasks[i].number = i;
    }
    for (uint32_t i = 0; i < PRODUCERS + CONSUMERS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, i < PRODUCERS ? produce : consume, &tasks[i]), 0);
    for (uint32_t i = 0; i < PRODUCERS + CONSUMERS; i++) {
        if (i == PRODUCERS)
            lf_message_ring_shutdown(&w, 0);
        pthread_join(threads[i], NULL);
        sent += i < PRODUCERS ? tasks[i].sum : 0;
        got += i < PRODUCERS ? 0 : tasks[i].sum;
        count += tasks[i].count;
    }
    CHECK_EQ(sent, got);
    CHECK_EQ(count, PRODUCERS * each);
    CHECK_EQ(lf_message_ring_free(&w), blocks);
    check_unmap(memory, w.h.bytes);
}

/* ---- a bound on messages, and tasks ---- */

static void test_no_more_messages_than_the_bound(uint64_t most, uint64_t start) {
    struct lf_message_ring r;
    unsigned char message[8] = {0};
    unsigned char *memory = create_within(&r, 8, 48, most, start);
    uint64_t inside = 0, seed = start + most;
    CHECK_EQ(r.most, most < 8 ? most : 0);
    uint64_t room = r.most ? r.most : 8;
    for (long round = check_rounds(2000); round > 0; round--) {
        if (check_below(&seed, 2)) {
            CHECK_EQ(lf_message_ring_try_put(&r, message, 8), inside < room ? LF_OK : LF_FULL);
            inside += inside < room;
        } else {
            CHECK_EQ(lf_message_ring_try_get(&r, message, 8), inside > 0 ? 8 : LF_EMPTY);
            inside -= inside > 0;
        }
        CHECK_EQ(lf_message_ring_size(&r), inside);
        CHECK_EQ(lf_message_ring_free(&r), 8 - inside);
    }
    check_unmap(memory, r.h.bytes);
}

static void test_tasks(uint64_t start) {
    struct lf_message_ring r;
    unsigned char message[8] = {0};
    unsigned char *memory = create(&r, 4, 48, start);
    CHECK_EQ(lf_message_ring_join(&r, LF_FOREVER), LF_OK);
    CHECK_EQ(lf_message_ring_task_done(&r), LF_OVERFLOW);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3; i++)
            CHECK_EQ(lf_message_ring_try_put(&r, message, 8), LF_OK);
        CHECK_EQ(lf_message_ring_try_get(&r, message, 8), 8);
        CHECK_EQ(lf_message_ring_unfinished(&r), 3);
        CHECK_EQ(lf_message_ring_join(&r, lf_now() + 1000000), LF_TIMEDOUT);
        while (lf_message_ring_try_get(&r, message, 8) == 8)
            ;
        for (int i = 3; i > 0; i--) {
            CHECK_EQ(lf_message_ring_join(&r, 0), LF_TIMEDOUT);
            CHECK_EQ(lf_message_ring_task_done(&r), LF_OK);
            CHECK_EQ(lf_message_ring_unfinished(&r), i - 1);
        }
        CHECK_EQ(lf_message_ring_join(&r, LF_FOREVER), LF_OK);
        CHECK_EQ(lf_message_ring_task_done(&r), LF_OVERFLOW);
    }
    CHECK_EQ(lf_message_ring_try_put(&r, message, 8), LF_OK);
    CHECK_EQ(lf_message_ring_try_put(&r, message, 8), LF_OK);
    CHECK_EQ(lf_message_ring_try_get(&r, message, 8), 8);
    lf_message_ring_shutdown(&r, 1);
    CHECK_EQ(lf_message_ring_unfinished(&r), 1); /* the other one is taken by nobody any more */
    CHECK_EQ(lf_message_ring_task_done(&r), LF_OK);
    CHECK_EQ(lf_message_ring_join(&r, LF_FOREVER), LF_OK);
    check_unmap(memory, r.h.bytes);
}

#ifndef __SANITIZE_THREAD__
/* A put that was cut off is a task if its message arrives, and only then. */
static void test_killed_puts_are_whole_tasks(uint64_t start) {
    for (uint64_t k = 1, ended = 0, length = 8; !ended; k++) {
        struct lf_message_ring w;
        unsigned char *memory = create_within(&w, 8, 48, 2, start), message[8] = {0};
        attach(&doomed, memory, 2);
        CHECK_EQ(lf_message_ring_try_put(&w, message, 8), LF_OK);
        ended = (uint64_t)steps_until(k, put_some, &length);
        lf_recover_wholly(&w.h, 2);
        uint64_t got = 0;
        while (lf_message_ring_try_get(&w, message, sizeof message) >= 0)
            got++;
        CHECK(got == 2 || (got == 1 && !ended));
        CHECK_EQ(lf_message_ring_unfinished(&w), got);
        CHECK_EQ(lf_message_ring_free(&w), 8);
        while (got-- > 0)
            CHECK_EQ(lf_message_ring_task_done(&w), LF_OK);
        CHECK_EQ(lf_message_ring_join(&w, LF_FOREVER), LF_OK);
        check_unmap(memory, w.h.bytes);
    }
}
#endif

/* ---- rubbish ---- */

static void test_rubbish_is_survived(uint64_t seed) {
    for (long round = check_rounds(1000); round > 0; round--) {
        struct lf_message_ring w;
        unsigned char *memory = create(&w, 6, 48, 0), message[512] = {0};
        for (int i = 0; i < 3; i++)
            lf_message_ring_try_put(&w, message, 50);
        uint64_t *words = (uint64_t *)(void *)w.h.body, n = (w.h.bytes - LF_BODY_OFFSET) / 8;
        for (int i = 0; i < 4; i++)
            words[check_below(&seed, n)] = check_below(&seed, 2) ? check_random(&seed) : check_below(&seed, 256);
        for (int i = 0; i < 6; i++) { /* an answer, and no access outside */
            CHECK(lf_message_ring_try_get(&w, message, sizeof message) <= (int64_t)w.max_message);
            CHECK(lf_message_ring_try_put(&w, message, 30 + 40 * (uint64_t)(i % 2)) <= LF_OK);
        }
        lf_recover_wholly(&w.h, 2);
        check_unmap(memory, w.h.bytes);
    }
}

int main(void) {
    alarm(CHECK_STUCK_S);
    test_what_is_out_of_bounds_is_refused();
    for (uint64_t i = 0; i < 4; i++) {
        for (uint64_t most = 0; most < 10; most++)
            test_no_more_messages_than_the_bound(most, starts[i]);
        test_tasks(starts[i]);
    }
    for (uint64_t i = 0; i < 12; i++)
        test_answers_as_a_model_does(i % 3 == 0 ? 1 : i % 3 == 1 ? 3 : 16, starts[i % 4], i);
#ifndef __SANITIZE_THREAD__
    for (uint64_t i = 0; i < 4; i++) {
        test_killed_before_every_step(put_some, i % 3, 70 + i, starts[i]);
        test_killed_before_every_step(reserve_and_cancel, i % 3, 70, starts[i]);
        test_killed_before_every_step(get_one, 1 + i % 2, 70, starts[i]);
        test_killed_before_every_step(lease_and_release, 1 + i % 2, 70, starts[i]);
        test_killed_puts_are_whole_tasks(starts[i]);
    }
#endif
    test_threads(8);
    test_threads(64);
    test_rubbish_is_survived(1);
    return 0;
}
