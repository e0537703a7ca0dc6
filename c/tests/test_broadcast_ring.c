/* The broadcast ring: against a model, stopped before every step, in threads, in processes that are killed, asleep, and
 * with rubbish in its memory. */
#include "steps.h"

#include "../include/lockfree/broadcast_ring.h"

#include <pthread.h>
#include <sched.h>

enum { READERS = 3, HISTORY = 4096 };
static const uint64_t sizes[] = {64, 80, 128, 208, 1024};
static const uint64_t starts[] = {0, (UINT64_C(1) << 32) - 32, UINT64_MAX - 63};

static unsigned char *create(struct lf_broadcast_ring *r, uint64_t size, uint64_t slow, uint64_t start) {
    uint64_t bytes;
    CHECK_EQ(lf_broadcast_ring_bytes(size, READERS, slow, start, &bytes), LF_OK);
    unsigned char *memory = check_map(bytes);
    CHECK_EQ(lf_broadcast_ring_create_local(r, memory, size, READERS, slow, start), LF_OK);
    r->h.participant = 1;
    return memory;
}
static void attach(struct lf_broadcast_ring *r, void *memory, uint32_t participant) {
    CHECK_EQ(lf_segment_attach_local(&r->h, &lf_broadcast_ring_kind, memory, participant), LF_OK);
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

struct sent {
    uint64_t length, to;
};
struct place {
    struct lf_broadcast_ring r;
    int joined;
    uint64_t next, missed; /* of all messages */
};

/* Gets one message in one of the ways there are. Returns its length, or a refusal. */
static int64_t get_somehow(struct place *p, uint32_t k, unsigned char *out, uint64_t room, uint64_t way) {
    uint64_t length = 0;
    uint32_t one = 0;
    if (way == 0)
        return lf_broadcast_ring_try_get(&p->r, k, out, room);
    if (way == 1) {
        int64_t n = lf_broadcast_ring_get_many(&p->r, k, out, room, &one, 1);
        return n == 1 ? (int64_t)one : n == 0 ? (int64_t)LF_EMPTY : n;
    }
    for (;;) {
        int64_t at = lf_broadcast_ring_peek(&p->r, k, &length);
        if (at < 0)
            return at;
        int status = lf_broadcast_ring_take(&p->r, k, at, out, length);
        if (status == LF_OK)
            return (int64_t)length;
        CHECK_EQ(status, LF_BUSY);
    }
}

static void test_answers_as_a_model_does(uint64_t size, uint64_t slow, uint64_t start, uint64_t seed) {
    static struct sent sent[HISTORY];
    struct place places[READERS];
    struct lf_broadcast_ring w;
    unsigned char *memory = create(&w, size, slow, start), buffer[2048];
    uint64_t put = 0, refused = 0;
    memset(places, 0, sizeof places);
    for (uint32_t k = 0; k < READERS; k++)
        attach(&places[k].r, memory, k + 2);
    while (put < HISTORY - 8) {
        uint32_t k = (uint32_t)check_below(&seed, READERS), lengths[3];
        struct place *p = &places[k];
        uint64_t what = check_below(&seed, 16),
                 to = check_below(&seed, 4) ? LF_BROADCAST_TO_ALL : check_below(&seed, 8);
        if (what == 0 && !p->joined) {
            CHECK_EQ(lf_broadcast_ring_join(&p->r, k), k);
            p->joined = 1;
            p->next = put;
            p->missed = 0;
        } else if (what == 1 && p->joined && check_below(&seed, 4) == 0) {
            CHECK_EQ(lf_broadcast_ring_leave(&p->r, k), LF_OK);
            p->joined = 0;
        } else if (what < 7) {
            uint64_t count = what == 2 ? 3 : 1, at = 0;
            int64_t done;
            for (uint64_t i = 0; i < count; i++) {
                lengths[i] = (uint32_t)check_below(&seed, w.max_message + 1);
                fill(buffer + at, put + i, lengths[i]);
                at += lengths[i];
            }
            if (what == 3 && slow <= LF_SLOW_RAISE) {
                int64_t place = lf_broadcast_ring_reserve(&w, w.max_message);
                done = place;
                if (place >= 0) {
                    memcpy(w.bytes + place, buffer, lengths[0]);
                    CHECK_EQ(lf_broadcast_ring_commit(&w, place, w.max_message, lengths[0], to), LF_OK);
                    CHECK_EQ(lf_broadcast_ring_commit(&w, place, w.max_message, w.max_message + 1, to), LF_TOO_LONG);
                    done = 1;
                }
            } else {
                done = lf_broadcast_ring_put_many(&w, buffer, lengths, count, to);
            }
            if (done < 0) { /* somebody has something to read */
                CHECK_EQ(done, LF_FULL);
                CHECK(slow <= LF_SLOW_RAISE && places[w.late].joined && places[w.late].next < put && w.behind > 0);
                done = 0;
                refused++;
            }
            for (int64_t i = 0; i < done; i++) {
                sent[put].length = lengths[i];
                sent[put++].to = to;
            }
        } else if (p->joined) {
            int64_t length = get_somehow(p, k, buffer, sizeof buffer, what % 3);
            uint64_t missed = p->r.body->readers[k].missed - p->missed;
            if (length == LF_DROPPED) {
                CHECK_EQ(slow, LF_SLOW_DROP);
                CHECK_EQ(get_somehow(p, k, buffer, sizeof buffer, what % 3), LF_DROPPED);
                CHECK_EQ(lf_broadcast_ring_join(&p->r, k), k);
                p->next = put;
                p->missed = 0;
                continue;
            }
            CHECK(missed == 0 || slow == LF_SLOW_OVERWRITE);
            p->missed += missed;
            p->next += missed; /* those may have been for anybody */
            while (p->next < put && !(sent[p->next].to >> k & 1))
                p->next++;
            if (length == LF_EMPTY) {
                CHECK_EQ(p->next, put);
                continue;
            }
            CHECK(p->next < put);
            CHECK_EQ(length, sent[p->next].length);
            check_filled(buffer, p->next, (uint64_t)length);
            p->next++;
        }
    }
    CHECK((refused > 0) == (slow <= LF_SLOW_RAISE));
    check_unmap(memory, w.h.bytes);
}

static void test_what_is_out_of_bounds_is_refused(void) {
    struct lf_broadcast_ring r;
    uint64_t bytes, length = 0;
    CHECK_EQ(lf_broadcast_ring_bytes(48, 1, 0, 0, &bytes), LF_INVALID);
    CHECK_EQ(lf_broadcast_ring_bytes(72, 1, 0, 0, &bytes), LF_INVALID);
    CHECK_EQ(lf_broadcast_ring_bytes(64, 0, 0, 0, &bytes), LF_INVALID);
    CHECK_EQ(lf_broadcast_ring_bytes(64, 65, 0, 0, &bytes), LF_INVALID);
    CHECK_EQ(lf_broadcast_ring_bytes(64, 1, 4, 0, &bytes), LF_INVALID);
    CHECK_EQ(lf_broadcast_ring_bytes(64, 1, 0, 8, &bytes), LF_INVALID);
    unsigned char *memory = create(&r, 64, LF_SLOW_WAIT, 0), message[64] = {0};
    CHECK_EQ(r.max_message, 16);
    CHECK_EQ(lf_broadcast_ring_try_put(&r, message, 17, LF_BROADCAST_TO_ALL), LF_TOO_LONG);
    CHECK_EQ(lf_broadcast_ring_join(&r, READERS), LF_INVALID);
    CHECK_EQ(lf_broadcast_ring_try_get(&r, 0, message, 64), LF_NOT_OWNER);
    CHECK_EQ(lf_broadcast_ring_try_get(&r, READERS, message, 64), LF_NOT_OWNER);
    CHECK_EQ(lf_broadcast_ring_leave(&r, 0), LF_NOT_OWNER);
    CHECK_EQ(lf_broadcast_ring_join(&r, LF_ANY_READER), 0);
    CHECK_EQ(lf_broadcast_ring_join(&r, LF_ANY_READER), 1);
    CHECK_EQ(lf_broadcast_ring_try_put(&r, message, 16, 1), LF_OK);
    CHECK_EQ(lf_broadcast_ring_try_get(&r, 0, message, 15), LF_TOO_LONG); /* and it stays */
    int64_t place = lf_broadcast_ring_peek(&r, 0, &length);
    CHECK_EQ(lf_broadcast_ring_take(&r, 0, place + 1, message, length), LF_BUSY);
    CHECK_EQ(lf_broadcast_ring_take(&r, 0, place, message, length), LF_OK);
    CHECK_EQ(lf_broadcast_ring_take(&r, 0, place, message, length), LF_BUSY);
    CHECK_EQ(lf_broadcast_ring_try_get(&r, 0, message, 64), LF_EMPTY);
    check_unmap(memory, r.h.bytes);
}

/* ---- roles, the dead, the end ---- */

static void test_places_have_one_holder_alive(void) {
    struct lf_broadcast_ring w, a, b;
    unsigned char *memory = create(&w, 128, LF_SLOW_WAIT, 0), message[64] = {0};
    attach(&a, memory, 2);
    attach(&b, memory, 3);
    CHECK_EQ(lf_broadcast_ring_join(&a, 1), 1);
    CHECK_EQ(lf_broadcast_ring_join(&b, 1), LF_ROLE_TAKEN);
    CHECK_EQ(lf_broadcast_ring_join(&b, LF_ANY_READER), 0);
    CHECK_EQ(lf__log_joined(&w), 3);
    while (lf_broadcast_ring_try_put(&w, message, 48, LF_BROADCAST_TO_ALL) == LF_OK)
        ;
    CHECK_EQ(lf_broadcast_ring_try_put(&a, message, 1, LF_BROADCAST_TO_ALL), LF_ROLE_TAKEN);
    CHECK_EQ(lf_broadcast_ring_try_get(&b, 0, message, 64), 48);
    CHECK_EQ(lf_broadcast_ring_try_put(&w, message, 48, LF_BROADCAST_TO_ALL), LF_FULL);
    CHECK_EQ(w.late, 1);
    lf_recover_wholly(&b.h, 2); /* a is dead */
    CHECK_EQ(lf_broadcast_ring_try_put(&w, message, 48, LF_BROADCAST_TO_ALL), LF_OK);
    lf_recover_wholly(&b.h, 1);                 /* so is the writer */
    CHECK_EQ(lf_broadcast_ring_join(&b, 1), 1); /* from here on */
    CHECK_EQ(lf_broadcast_ring_try_get(&b, 1, message, 64), LF_EMPTY);
    CHECK_EQ(lf_broadcast_ring_try_get(&b, 0, message, 64), 48);
    CHECK_EQ(lf_broadcast_ring_try_put(&b, message, 1, LF_BROADCAST_TO_ALL), LF_OK);
    CHECK_EQ(lf_broadcast_ring_release_role(&w), LF_NOT_OWNER);
    CHECK_EQ(lf_broadcast_ring_release_role(&b), LF_OK);
    CHECK_EQ(lf_broadcast_ring_try_put(&w, message, 2, LF_BROADCAST_TO_ALL), LF_OK);
    CHECK_EQ(lf_broadcast_ring_try_get(&b, 1, message, 64), 1);
    CHECK_EQ(lf_broadcast_ring_try_get(&b, 1, message, 64), 2);
    lf_broadcast_ring_shutdown(&w, 0);
    CHECK_EQ(lf_broadcast_ring_try_put(&w, message, 2, LF_BROADCAST_TO_ALL), LF_CLOSED);
    CHECK_EQ(lf_broadcast_ring_try_get(&b, 1, message, 64), LF_CLOSED);
    CHECK_EQ(lf_broadcast_ring_try_get(&b, 0, message, 64), 1);
    CHECK_EQ(lf_broadcast_ring_try_get(&b, 0, message, 64), 2);
    CHECK_EQ(lf_broadcast_ring_try_get(&b, 0, message, 64), LF_CLOSED);
    check_unmap(memory, w.h.bytes);
}

/* ---- stopped before every step ---- */

#ifndef __SANITIZE_THREAD__
static struct lf_broadcast_ring doomed;
static unsigned char room[64];
static void put_one(void *length) {
    lf_broadcast_ring_try_put(&doomed, room, *(uint64_t *)length, LF_BROADCAST_TO_ALL);
}
static void put_two(void *length) {
    const uint32_t lengths[2] = {(uint32_t)*(uint64_t *)length, 3};
    lf_broadcast_ring_put_many(&doomed, room, lengths, 2, LF_BROADCAST_TO_ALL);
}
static void get_one(void *length) { *(uint64_t *)length = (uint64_t)lf_broadcast_ring_try_get(&doomed, 0, room, 64); }
static void join_anew(void *length) {
    lf_broadcast_ring_leave(&doomed, 0);
    *(uint64_t *)length = (uint64_t)lf_broadcast_ring_join(&doomed, 0);
}

/* The doomed one is killed before its k-th step; a survivor reads, then writes: it finds whole messages in order. */
static void test_killed_before_every_step(void (*act)(void *), uint64_t slow, uint64_t start, uint64_t before) {
    for (uint64_t k = 1, ended = 0; !ended; k++) {
        struct lf_broadcast_ring w;
        unsigned char *memory = create(&w, 160, slow, start), message[64];
        uint64_t length = 20, next = 0, put;
        attach(&doomed, memory, 2);
        CHECK_EQ(lf_broadcast_ring_join(&w, 1), 1);
        CHECK_EQ(lf_broadcast_ring_join(&doomed, 0), 0);
        for (put = 0; put < before; put++) {
            fill(message, put, 13);
            CHECK_EQ(lf_broadcast_ring_try_put(&w, message, 13, LF_BROADCAST_TO_ALL), LF_OK);
            CHECK_EQ(lf_broadcast_ring_try_get(&w, 1, message, 64), 13);
            if (put % 2)
                CHECK_EQ(lf_broadcast_ring_try_get(&doomed, 0, message, 64), 13);
        }
        CHECK_EQ(lf_broadcast_ring_release_role(&w), before > 0 ? LF_OK : LF_NOT_OWNER);
        fill(room, 77, 20);
        ended = (uint64_t)steps_until(k, act, &length);
        lf_recover_wholly(&w.h, 2);
        int64_t got = lf_broadcast_ring_try_get(&w, 1, message, 64);
        if (got == 20) {
            check_filled(message, 77, 20);
            got = lf_broadcast_ring_try_get(&w, 1, message, 64);
        }
        CHECK(got == LF_EMPTY || got == 3);
        for (next = 0; next < 9; next++) { /* more than the ring holds: the dead one holds nothing back */
            fill(message, next, 13);
            CHECK_EQ(lf_broadcast_ring_try_put(&w, message, 13, LF_BROADCAST_TO_ALL), LF_OK);
            do
                got = lf_broadcast_ring_try_get(&w, 1, message, 64);
            while (got == 3);
            CHECK_EQ(got, 13);
            check_filled(message, next, 13);
        }
        CHECK_EQ(lf__log_joined(&w), 2);
        CHECK_EQ(lf_broadcast_ring_join(&w, 0), 0);
        check_unmap(memory, w.h.bytes);
    }
}
#endif

/* ---- threads ---- */

struct task {
    struct lf_broadcast_ring r;
    uint32_t number;
    uint64_t got, missed;
};
static uint64_t total;

static void *read_all(void *argument) {
    struct task *task = (struct task *)argument;
    unsigned char out[256];
    CHECK_EQ(lf_broadcast_ring_join(&task->r, task->number), task->number);
    for (;;) {
        int64_t length = lf_broadcast_ring_get(&task->r, task->number, out, sizeof out, LF_FOREVER);
        if (length == LF_INTERRUPTED)
            continue;
        if (length == LF_CLOSED)
            break;
        uint64_t id;
        CHECK(length >= 8);
        memcpy(&id, out, 8);
        uint64_t missed = task->r.body->readers[task->number].missed;
        CHECK_EQ(id, task->got + missed);
        check_filled(out + 8, id, (uint64_t)length - 8);
        CHECK_EQ(length, 8 + id % 60);
        task->got++;
        task->missed = missed;
        if (task->number == 2 && id % 64 == 0)
            sched_yield();
    }
    return NULL;
}

static void test_threads_get_everything(uint64_t size, uint64_t slow) {
    static struct lf_broadcast_ring w;
    static struct task tasks[READERS];
    pthread_t threads[READERS];
    unsigned char *memory = create(&w, size, slow, UINT64_MAX - 4095), message[256];
    total = (uint64_t)check_rounds(20000);
    memset(tasks, 0, sizeof tasks);
    for (uint32_t k = 0; k < READERS; k++) {
        attach(&tasks[k].r, memory, k + 2);
        tasks[k].number = k;
    }
    for (uint32_t k = 0; k < READERS; k++)
        CHECK_EQ(pthread_create(&threads[k], NULL, read_all, &tasks[k]), 0);
    while (lf_broadcast_ring_wait_readers(&w, 7, LF_FOREVER) != LF_OK)
        ;
    for (uint64_t id = 0; id < total; id++) {
        int status;
        memcpy(message, &id, 8);
        fill(message + 8, id, id % 60);
        do
            status = lf_broadcast_ring_put(&w, message, 8 + id % 60, LF_BROADCAST_TO_ALL, LF_FOREVER);
        while (status == LF_INTERRUPTED);
        CHECK_EQ(status, LF_OK);
    }
    lf_broadcast_ring_shutdown(&w, 0);
    for (uint32_t k = 0; k < READERS; k++) {
        pthread_join(threads[k], NULL);
        CHECK_EQ(tasks[k].got + tasks[k].missed, total);
        CHECK(slow == LF_SLOW_OVERWRITE || tasks[k].missed == 0);
    }
    check_unmap(memory, w.h.bytes);
}

/* ---- processes ---- */

static void stand_still(void *name) {
    struct lf_broadcast_ring r;
    CHECK_EQ(lf_broadcast_ring_attach(&r, (const char *)name), LF_OK);
    CHECK_EQ(lf_broadcast_ring_join(&r, 1), 1);
    for (;;)
        pause();
}
static void write_and_wait(void *name) {
    struct lf_broadcast_ring r;
    CHECK_EQ(lf_broadcast_ring_attach(&r, (const char *)name), LF_OK);
    CHECK_EQ(lf_broadcast_ring_put(&r, "abc", 3, LF_BROADCAST_TO_ALL, LF_FOREVER), LF_OK);
    for (;;)
        pause();
}

static void test_the_dead_hold_nobody_back(void) {
    static char name[64];
    struct lf_broadcast_ring r;
    unsigned char message[32] = {0};
    snprintf(name, sizeof name, "test-broadcast-%d", (int)getpid());
    CHECK_EQ(lf_broadcast_ring_create(&r, name, 256, 4, LF_SLOW_WAIT, 0), LF_OK);
    pid_t child = check_fork(stand_still, name);
    while (lf_broadcast_ring_wait_readers(&r, 2, LF_FOREVER) != LF_OK)
        ;
    while (lf_broadcast_ring_try_put(&r, message, 32, LF_BROADCAST_TO_ALL) == LF_OK)
        ;
    CHECK_EQ(r.late, 1);
    CHECK_EQ(lf_broadcast_ring_put(&r, message, 32, LF_BROADCAST_TO_ALL, lf_now() + 20000000u), LF_FULL);
    check_kill(child);
    int status;
    do
        status = lf_broadcast_ring_put(&r, message, 32, LF_BROADCAST_TO_ALL, LF_FOREVER);
    while (status == LF_INTERRUPTED);
    CHECK_EQ(status, LF_OK);
    CHECK_EQ(lf__log_joined(&r), 0);
    CHECK_EQ(lf_broadcast_ring_release_role(&r), LF_OK);
    CHECK_EQ(lf_broadcast_ring_join(&r, 0), 0);
    child = check_fork(write_and_wait, name);
    int64_t length;
    do
        length = lf_broadcast_ring_get(&r, 0, message, 32, LF_FOREVER);
    while (length == LF_INTERRUPTED);
    CHECK_EQ(length, 3);
    CHECK_EQ(lf_broadcast_ring_try_put(&r, message, 1, LF_BROADCAST_TO_ALL), LF_ROLE_TAKEN);
    check_kill(child);
    CHECK_EQ(lf_broadcast_ring_try_put(&r, message, 1, LF_BROADCAST_TO_ALL), LF_OK);
    CHECK_EQ(lf_broadcast_ring_try_get(&r, 0, message, 32), 1);
    CHECK_EQ(lf_segment_unlink(&r.h, name), LF_OK);
    lf_detach(&r.h);
}

/* ---- rubbish ---- */

static void test_rubbish_is_survived(uint64_t slow, uint64_t seed) {
    for (long round = check_rounds(300); round > 0; round--) {
        struct lf_broadcast_ring w, a;
        unsigned char *memory = create(&w, 208, slow, 0), message[256];
        attach(&a, memory, 2);
        CHECK_EQ(lf_broadcast_ring_join(&a, 0), 0);
        for (int i = 0; i < 3; i++)
            lf_broadcast_ring_try_put(&w, message, 30, LF_BROADCAST_TO_ALL);
        uint64_t *words = (uint64_t *)(void *)w.h.body, n = (w.h.bytes - LF_BODY_OFFSET) / 8;
        for (int i = 0; i < 4; i++)
            words[check_below(&seed, n)] = check_below(&seed, 2) ? check_random(&seed) : check_below(&seed, 256);
        for (int i = 0; i < 6; i++) { /* an answer, and no access outside */
            int64_t got = lf_broadcast_ring_try_get(&a, 0, message, sizeof message);
            CHECK(got >= LF_DROPPED && got <= (int64_t)w.max_message);
            CHECK(lf_broadcast_ring_try_put(&w, message, 30, LF_BROADCAST_TO_ALL) <= LF_OK);
        }
        lf_recover_wholly(&w.h, 2);
        check_unmap(memory, w.h.bytes);
    }
}

int main(void) {
    alarm(CHECK_STUCK_S);
    test_what_is_out_of_bounds_is_refused();
    test_places_have_one_holder_alive();
    for (uint64_t slow = LF_SLOW_WAIT; slow <= LF_SLOW_OVERWRITE; slow++) {
        for (unsigned i = 0; i < 15; i++)
            test_answers_as_a_model_does(sizes[i / 3], slow, starts[i % 3], i + 100 * slow);
#ifndef __SANITIZE_THREAD__
        for (uint64_t before = 0; before < 4; before++) {
            test_killed_before_every_step(put_one, slow, starts[before % 3], before);
            test_killed_before_every_step(put_two, slow, starts[before % 3], before);
            test_killed_before_every_step(get_one, slow, starts[before % 3], before);
            test_killed_before_every_step(join_anew, slow, starts[before % 3], before);
        }
#endif
        test_rubbish_is_survived(slow, slow);
    }
    test_threads_get_everything(256, LF_SLOW_WAIT);
    test_threads_get_everything(4096, LF_SLOW_WAIT);
    test_threads_get_everything(512, LF_SLOW_OVERWRITE);
    test_the_dead_hold_nobody_back();
    return 0;
}
