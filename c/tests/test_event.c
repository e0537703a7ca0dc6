/* Event between threads and processes: answers, deadlines, sleepers, a set that is cleared at once, close, kill -9. */
#include <lockfree/event.h>

#include "check.h"
#include "participants.h"

#include <pthread.h>

#define MS UINT64_C(1000000)

static int wait_until_done(struct lf_event *e, uint64_t deadline) {
    uint64_t first = lf_event_now(e);
    int status;
    do
        status = lf_event_wait_since(e, first, deadline);
    while (status == LF_INTERRUPTED);
    return status;
}

static void test_answers(void) {
    struct lf_event e, other;
    CHECK_EQ(lf_event_create(&e, NULL), LF_OK);
    CHECK_EQ(lf_event_attach_fd(&other, dup(e.h.fd)), LF_OK);
    CHECK_EQ(lf_event_is_set(&e), 0);
    CHECK_EQ(lf_event_wait(&e, 0), LF_TIMEDOUT);
    uint64_t start = lf_now();
    CHECK_EQ(wait_until_done(&e, start + 30 * MS), LF_TIMEDOUT);
    CHECK(lf_now() - start >= 30 * MS);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(lf_event_set(&other), LF_OK);
        CHECK_EQ(lf_event_set(&other), LF_OK);
        CHECK_EQ(lf_event_is_set(&e), 1);
        CHECK_EQ(lf_event_wait(&e, LF_FOREVER), LF_OK);
        CHECK_EQ(lf_event_clear(&e), LF_OK);
        CHECK_EQ(lf_event_clear(&e), LF_OK);
        CHECK_EQ(lf_event_is_set(&other), 0);
    }
    lf_event_close(&e);
    CHECK_EQ(lf_event_set(&e), LF_CLOSED);
    CHECK_EQ(lf_event_clear(&e), LF_CLOSED);
    CHECK_EQ(lf_event_is_set(&e), LF_CLOSED);
    CHECK_EQ(lf_event_wait(&e, LF_FOREVER), LF_CLOSED);
    CHECK_EQ(lf_event_set(&other), LF_OK); /* closing is local */
    lf_detach(&e.h);
    lf_detach(&other.h);
}

/* A wait that began before a set and its clear has seen the flag set. */
static void test_a_set_that_is_cleared_at_once(void) {
    struct lf_event e;
    CHECK_EQ(lf_event_create(&e, NULL), LF_OK);
    uint64_t first = lf_event_now(&e);
    CHECK_EQ(lf_event_set(&e), LF_OK);
    CHECK_EQ(lf_event_clear(&e), LF_OK);
    CHECK_EQ(lf_event_wait_since(&e, first, 0), LF_OK);
    CHECK_EQ(lf_event_wait_since(&e, lf_event_now(&e), 0), LF_TIMEDOUT);
    lf_detach(&e.h);
}

struct pair {
    struct lf_event ping, pong;
    long plain, rounds; /* plain: only the events order its accesses */
};
static void *answer(void *argument) {
    struct pair *p = (struct pair *)argument;
    for (long i = 0; i < p->rounds; i++) {
        CHECK_EQ(wait_until_done(&p->ping, LF_FOREVER), LF_OK);
        CHECK_EQ(lf_event_clear(&p->ping), LF_OK);
        CHECK_EQ(p->plain, 2 * i + 1);
        p->plain++;
        CHECK_EQ(lf_event_set(&p->pong), LF_OK);
    }
    return NULL;
}
static void test_threads_take_turns(void) {
    struct pair p;
    pthread_t thread;
    p.plain = 0;
    p.rounds = check_rounds(20000);
    CHECK_EQ(lf_event_create(&p.ping, NULL), LF_OK);
    CHECK_EQ(lf_event_create(&p.pong, NULL), LF_OK);
    CHECK(pthread_create(&thread, NULL, answer, &p) == 0);
    for (long i = 0; i < p.rounds; i++) {
        p.plain++;
        CHECK_EQ(lf_event_set(&p.ping), LF_OK);
        CHECK_EQ(wait_until_done(&p.pong, lf_now() + CHECK_STUCK), LF_OK);
        CHECK_EQ(lf_event_clear(&p.pong), LF_OK);
        CHECK_EQ(p.plain, 2 * i + 2);
    }
    CHECK(pthread_join(thread, NULL) == 0);
    lf_detach(&p.ping.h);
    lf_detach(&p.pong.h);
}

static void child_waits(void *argument) {
    struct lf_event *e = (struct lf_event *)argument;
    CHECK_EQ(wait_until_done(e, LF_FOREVER), LF_OK);
    lf_detach(&e->h);
}
static void test_one_set_wakes_all_processes(void) {
    struct lf_event e;
    pid_t children[4], doomed;
    CHECK_EQ(lf_event_create(&e, NULL), LF_OK);
    for (int i = 0; i < 4; i++)
        children[i] = check_fork(child_waits, &e);
    doomed = check_fork(child_waits, &e);
    while (lf_load_relaxed(&e.body->changed.word) >> 32 < 5)
        check_sleep(MS);
    check_kill(doomed); /* its announcement stays behind and does no harm */
    CHECK_EQ(lf_event_set(&e), LF_OK);
    for (int i = 0; i < 4; i++)
        check_join(children[i]);
    CHECK(lf_reap(&e.h) >= 0); /* if none of the sleepers has found it dead already */
    CHECK_EQ(participants(&e.h), 1);
    CHECK_EQ(lf_event_is_set(&e), 1);
    lf_detach(&e.h);
}

static void *wait_until_closed(void *argument) {
    CHECK_EQ(wait_until_done((struct lf_event *)argument, LF_FOREVER), LF_CLOSED);
    return NULL;
}
static void test_close_wakes(void) {
    struct lf_event e;
    pthread_t thread;
    CHECK_EQ(lf_event_create(&e, NULL), LF_OK);
    CHECK(pthread_create(&thread, NULL, wait_until_closed, &e) == 0);
    check_sleep(5 * MS);
    lf_event_close(&e);
    CHECK(pthread_join(thread, NULL) == 0);
    lf_detach(&e.h);
}

int main(void) {
    test_answers();
    test_a_set_that_is_cleared_at_once();
    test_threads_take_turns();
    test_one_set_wakes_all_processes();
    test_close_wakes();
    return 0;
}
