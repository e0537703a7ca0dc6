/* Barrier between threads and processes: rounds near the wraps, places, time-outs, abort, reset, deaths, leaving. */
#include <lockfree/barrier.h>

#include "check.h"
#include "participants.h"

#include <pthread.h>

#define MS UINT64_C(1000000)
#define PARTIES 4

static void test_answers(void) {
    struct lf_barrier b;
    CHECK_EQ(lf_barrier_create(&b, NULL, 0), LF_INVALID);
    CHECK_EQ(lf_barrier_create(&b, NULL, LF_BARRIER_MOST + 1), LF_INVALID);
    CHECK_EQ(lf_barrier_create(&b, NULL, 1), LF_OK);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(lf_barrier_wait(&b, 0), 0);
    lf_detach(&b.h);
    CHECK_EQ(lf_barrier_create(&b, NULL, 2), LF_OK);
    CHECK_EQ(lf_barrier_waiting(&b), 0);
    CHECK_EQ(lf_barrier_reset(&b), LF_OK); /* of a new one: nothing */
    uint64_t start = lf_now();
    CHECK_EQ(lf_barrier_wait(&b, start + 130 * MS), LF_BROKEN);
    CHECK(lf_now() - start >= 130 * MS);
    CHECK_EQ(lf_barrier_broken(&b), 1);
    CHECK_EQ(lf_barrier_wait(&b, LF_FOREVER), LF_BROKEN);
    for (int era = 0; era < 70000; era++) { /* eras wrap */
        CHECK_EQ(lf_barrier_abort(&b), LF_OK);
        CHECK_EQ(lf_barrier_reset(&b), LF_OK);
    }
    CHECK_EQ(lf_barrier_broken(&b), 0);
    uint64_t round, other;
    CHECK_EQ(lf_barrier_arrive(&b, 1, &round), 0);
    CHECK_EQ(lf_barrier_waiting(&b), 1);
    CHECK_EQ(lf_barrier_arrive(&b, 1, &other), 1);
    CHECK_EQ(lf_barrier_arrive(&b, 1, &other), LF_BUSY);      /* the action runs */
    CHECK_EQ(lf_barrier_sleep(&b, round, 1), LF_INTERRUPTED); /* no time-out meanwhile */
    CHECK_EQ(lf_barrier_open(&b, round), LF_OK);
    CHECK_EQ(lf_barrier_open(&b, round), LF_BROKEN); /* it is over */
    CHECK_EQ(lf_barrier_sleep(&b, round, 0), LF_OK);
    CHECK_EQ(lf_barrier_abort(&b), LF_OK);
    for (int era = 0; era < 10; era++) { /* a complete round stays complete through many resets */
        CHECK_EQ(lf_barrier_reset(&b), LF_OK);
        CHECK_EQ(lf_barrier_abort(&b), LF_OK);
        CHECK_EQ(lf_barrier_sleep(&b, round, 0), LF_OK);
        CHECK_EQ(lf_barrier_give_up(&b, round), LF_OK);
    }
    lf_barrier_close(&b);
    CHECK_EQ(lf_barrier_wait(&b, LF_FOREVER), LF_CLOSED);
    CHECK_EQ(lf_barrier_abort(&b), LF_CLOSED);
    CHECK_EQ(lf_barrier_reset(&b), LF_CLOSED);
    lf_detach(&b.h);
}

struct run {
    struct lf_barrier b;
    uint64_t counts[2]; /* of the even and the odd rounds */
    uint64_t places;
    long rounds;
};
static void *pass(void *argument) {
    struct run *r = (struct run *)argument;
    for (long i = 0; i < r->rounds; i++) {
        lf_fetch_add_relaxed(&r->counts[i % 2], (uint64_t)1);
        int64_t place = lf_barrier_wait(&r->b, LF_FOREVER);
        CHECK(place >= 0 && place < PARTIES);
        lf_fetch_add_relaxed(&r->places, (uint64_t)place);
        CHECK_EQ(lf_load_relaxed(&r->counts[i % 2]), (uint64_t)PARTIES * (uint64_t)(i / 2 + 1));
    }
    return NULL;
}
static void test_rounds(void) {
    struct run r;
    pthread_t threads[PARTIES];
    memset(&r, 0, sizeof r);
    r.rounds = check_rounds(3000);
    CHECK_EQ(lf_barrier_create(&r.b, NULL, PARTIES), LF_OK);
    r.b.body->word = ((UINT64_C(1) << 30) - 2) << 18; /* rounds wrap in the second one */
    for (int i = 0; i < PARTIES; i++)
        CHECK(pthread_create(&threads[i], NULL, pass, &r) == 0);
    for (int i = 0; i < PARTIES; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK_EQ(r.places, (uint64_t)r.rounds * (PARTIES * (PARTIES - 1) / 2));
    CHECK_EQ(lf_barrier_waiting(&r.b), 0);
    lf_detach(&r.b.h);
}

static void child_waits(void *argument) {
    struct lf_barrier *b = (struct lf_barrier *)argument;
    CHECK(lf_barrier_wait(b, LF_FOREVER) >= 0);
    lf_detach(&b->h);
}
static void child_is_told(void *argument) {
    struct lf_barrier *b = (struct lf_barrier *)argument;
    CHECK_EQ(lf_barrier_wait(b, LF_FOREVER), LF_BROKEN);
    lf_detach(&b->h);
}
static void child_looks_and_waits(void *argument) {
    CHECK_EQ(lf_barrier_broken((struct lf_barrier *)argument), 0);
    for (;;)
        pause();
}
static void wait_for(struct lf_barrier *b, int64_t n) {
    while (lf_barrier_waiting(b) != n)
        check_sleep(MS);
}
static void test_deaths(void) {
    struct lf_barrier b;
    CHECK_EQ(lf_barrier_create(&b, NULL, 3), LF_OK);
    pid_t first = check_fork(child_waits, &b), second = check_fork(child_waits, &b);
    CHECK(lf_barrier_wait(&b, LF_FOREVER) >= 0);
    check_join(first); /* they have left: that is no death */
    check_join(second);
    CHECK_EQ(lf_reap(&b.h), 0);
    CHECK_EQ(lf_barrier_broken(&b), 0);
    for (int waits = 0; waits < 2; waits++) { /* it dies while it waits, or while the others wait for it */
        first = check_fork(child_is_told, &b);
        second = check_fork(waits ? child_is_told : child_looks_and_waits, &b);
        wait_for(&b, 1 + waits);
        wait_for_participants(&b.h, 3);
        check_kill(second);
        check_join(first);
        CHECK_EQ(lf_barrier_broken(&b), 1);
        CHECK_EQ(lf_barrier_reset(&b), LF_OK);
        CHECK_EQ(lf_barrier_broken(&b), 0);
    }
    lf_detach(&b.h);
}

static void *until_closed(void *argument) {
    CHECK_EQ(lf_barrier_wait((struct lf_barrier *)argument, LF_FOREVER), LF_CLOSED);
    return NULL;
}
static void test_closing_while_waiting_breaks_it(void) {
    struct lf_barrier b, other;
    pthread_t thread;
    CHECK_EQ(lf_barrier_create(&b, NULL, 2), LF_OK);
    CHECK_EQ(lf_barrier_attach_fd(&other, dup(b.h.fd)), LF_OK);
    CHECK(pthread_create(&thread, NULL, until_closed, &other) == 0);
    wait_for(&b, 1);
    lf_barrier_close(&other);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_EQ(lf_barrier_broken(&b), 1);
    lf_detach(&other.h);
    lf_detach(&b.h);
}

int main(void) {
    test_answers();
    test_rounds();
    test_deaths();
    test_closing_while_waiting_breaks_it();
    return 0;
}
