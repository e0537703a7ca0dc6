/* Condition between threads and processes: order, depth, deadlines, a lock of the caller's, close, kill -9. */
#include <lockfree/condition.h>
#include <lockfree/mutex.h>

#include "check.h"

#include <pthread.h>

#define MS UINT64_C(1000000)

static int wait_until_done(struct lf_condition *c, uint64_t deadline) {
    int status;
    do
        status = lf_condition_wait(c, deadline);
    while (status == LF_INTERRUPTED);
    return status;
}
static void acquire(struct lf_condition *c) {
    int status;
    do
        status = lf_condition_acquire(c, LF_FOREVER);
    while (status == LF_INTERRUPTED);
    CHECK_EQ(status, LF_OK);
}

static void test_answers(void) {
    struct lf_condition c;
    CHECK_EQ(lf_condition_create(&c, NULL, 2), LF_INVALID);
    CHECK_EQ(lf_condition_create(&c, NULL, 0), LF_OK);
    CHECK_EQ(lf_condition_wait(&c, LF_FOREVER), LF_NOT_OWNER);
    CHECK_EQ(lf_condition_notify(&c, 1), LF_NOT_OWNER);
    CHECK_EQ(lf_condition_release(&c), LF_NOT_OWNER);
    acquire(&c);
    acquire(&c);
    CHECK_EQ(lf_condition_notify(&c, UINT32_MAX), 0);
    uint64_t start = lf_now();
    CHECK_EQ(wait_until_done(&c, start + 130 * MS), LF_TIMEDOUT);
    CHECK(lf_now() - start >= 130 * MS);
    CHECK_EQ(lf_condition_release(&c), LF_OK);
    CHECK_EQ(lf_condition_is_owned(&c), 1); /* to the same depth again */
    CHECK_EQ(lf_condition_release(&c), LF_OK);
    CHECK_EQ(lf_condition_is_owned(&c), 0);
    for (int i = 0; i < (int)LF_WAITERS; i++)
        CHECK_EQ(lf_condition_begin(&c), i);
    CHECK_EQ(lf_condition_begin(&c), LF_BUSY);
    CHECK_EQ(lf_condition_sleep(&c, LF_WAITERS, 0), LF_INVALID);
    CHECK_EQ(lf_condition_notify_unlocked(&c, 7), 7);
    CHECK_EQ(lf_condition_notify_unlocked(&c, UINT32_MAX), LF_WAITERS - 7);
    for (int i = 0; i < (int)LF_WAITERS; i++)
        CHECK_EQ(lf_condition_end(&c, i), 1);
    CHECK_EQ(lf_waiters_count(&c.body->waiters, c.places), 0);
    lf_condition_close(&c);
    CHECK_EQ(lf_condition_wait(&c, LF_FOREVER), LF_CLOSED);
    CHECK_EQ(lf_condition_notify(&c, 1), LF_CLOSED);
    CHECK_EQ(lf_condition_begin(&c), LF_CLOSED);
    lf_detach(&c.h);
}

/* The oldest is notified first, and a waiter that gives up passes its notify on; places are used again. */
static void test_order(void) {
    struct lf_condition c;
    int64_t places[4];
    CHECK_EQ(lf_condition_create(&c, NULL, 0), LF_OK);
    for (int i = 0; i < 4; i++)
        places[i] = lf_condition_begin(&c);
    CHECK_EQ(lf_condition_end(&c, places[0]), 0);
    places[0] = lf_condition_begin(&c); /* the youngest now, in the first place */
    CHECK_EQ(lf_condition_notify_unlocked(&c, 1), 1);
    lf_condition_pass_on(&c, places[1]); /* to 2 */
    CHECK_EQ(lf_condition_sleep(&c, places[2], 0), LF_OK);
    CHECK_EQ(lf_condition_sleep(&c, places[3], 0), LF_TIMEDOUT);
    lf_condition_pass_on(&c, places[3]); /* nothing to pass on */
    CHECK_EQ(lf_condition_sleep(&c, places[0], 0), LF_TIMEDOUT);
    lf_condition_pass_on(&c, places[2]);
    CHECK_EQ(lf_condition_end(&c, places[0]), 1);
    lf_detach(&c.h);
}

struct monitor {
    struct lf_condition c;
    struct lf_mutex mutex; /* the lock of the second run */
    long permits, taken, rounds;
};
static void *taker(void *argument) {
    struct monitor *m = (struct monitor *)argument;
    for (long i = 0; i < m->rounds; i++) {
        acquire(&m->c);
        while (m->permits == 0)
            CHECK_EQ(wait_until_done(&m->c, LF_FOREVER), LF_OK);
        m->permits--;
        m->taken++;
        CHECK_EQ(lf_condition_release(&m->c), LF_OK);
    }
    return NULL;
}
static void test_a_monitor(void) {
    struct monitor m;
    pthread_t threads[3];
    memset(&m, 0, sizeof m);
    m.rounds = check_rounds(4000);
    CHECK_EQ(lf_condition_create(&m.c, NULL, 0), LF_OK);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, taker, &m) == 0);
    for (long i = 0; i < 3 * m.rounds; i++) {
        acquire(&m.c);
        m.permits++;
        CHECK(lf_condition_notify(&m.c, 1) >= 0);
        CHECK_EQ(lf_condition_release(&m.c), LF_OK);
    }
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(m.taken == 3 * m.rounds && m.permits == 0);
    lf_detach(&m.c.h);
}

static void *taker_with_mutex(void *argument) {
    struct monitor *m = (struct monitor *)argument;
    for (long i = 0; i < m->rounds; i++) {
        CHECK_EQ(lf_mutex_acquire(&m->mutex, LF_FOREVER), LF_OK);
        while (m->permits == 0) {
            int status;
            int64_t place = lf_condition_begin(&m->c);
            CHECK(place >= 0);
            CHECK_EQ(lf_mutex_release(&m->mutex), LF_OK);
            do
                status = lf_condition_sleep(&m->c, place, LF_FOREVER);
            while (status == LF_INTERRUPTED);
            CHECK_EQ(status, LF_OK);
            CHECK_EQ(lf_mutex_acquire(&m->mutex, LF_FOREVER), LF_OK);
            CHECK_EQ(lf_condition_end(&m->c, place), 1);
        }
        m->permits--;
        CHECK_EQ(lf_mutex_release(&m->mutex), LF_OK);
    }
    return NULL;
}
static void test_a_lock_of_the_caller(void) {
    struct monitor m;
    pthread_t thread;
    memset(&m, 0, sizeof m);
    m.rounds = check_rounds(3000);
    CHECK_EQ(lf_condition_create(&m.c, NULL, 1), LF_OK);
    CHECK_EQ(m.c.foreign, 1);
    CHECK_EQ(lf_mutex_create(&m.mutex, NULL), LF_OK);
    CHECK(pthread_create(&thread, NULL, taker_with_mutex, &m) == 0);
    for (long i = 0; i < m.rounds; i++) {
        CHECK_EQ(lf_mutex_acquire(&m.mutex, LF_FOREVER), LF_OK);
        m.permits++;
        CHECK(lf_condition_notify_unlocked(&m.c, 1) >= 0);
        CHECK_EQ(lf_mutex_release(&m.mutex), LF_OK);
    }
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_EQ(m.permits, 0);
    lf_detach(&m.c.h);
    lf_detach(&m.mutex.h);
}

static void child_waits(void *argument) {
    struct lf_condition *c = (struct lf_condition *)argument;
    acquire(c);
    CHECK_EQ(wait_until_done(c, LF_FOREVER), LF_OK);
    CHECK_EQ(lf_condition_release(c), LF_OK);
    lf_detach(&c->h);
}
static void child_dies_with_the_lock(void *argument) {
    acquire((struct lf_condition *)argument);
    raise(SIGKILL);
}
static void wait_for_waiters(struct lf_condition *c, uint32_t n) {
    while (lf_waiters_count(&c->body->waiters, c->places) != n)
        check_sleep(MS);
}
static void test_deaths(void) {
    struct lf_condition c;
    CHECK_EQ(lf_condition_create(&c, NULL, 0), LF_OK);
    pid_t doomed = check_fork(child_waits, &c);
    wait_for_waiters(&c, 1);
    pid_t child = check_fork(child_waits, &c);
    wait_for_waiters(&c, 2);
    CHECK(kill(doomed, SIGSTOP) == 0);
    acquire(&c);
    CHECK_EQ(lf_condition_notify(&c, 1), 1); /* the one that is about to die */
    check_kill(doomed);
    CHECK_EQ(lf_condition_release(&c), LF_OK);
    check_join(child); /* it was passed on */
    doomed = check_fork(child_dies_with_the_lock, &c);
    CHECK(waitpid(doomed, NULL, 0) == doomed);
    CHECK_EQ(lf_condition_acquire(&c, LF_FOREVER), LF_OWNER_DIED);
    CHECK_EQ(lf_condition_recover(&c), LF_OK);
    doomed = check_fork(child_dies_with_the_lock, &c);
    CHECK_EQ(wait_until_done(&c, LF_FOREVER), LF_OWNER_DIED); /* a waiter is told, too */
    CHECK_EQ(lf_condition_recover(&c), LF_OK);
    CHECK_EQ(lf_condition_release(&c), LF_OK);
    CHECK(waitpid(doomed, NULL, 0) == doomed);
    lf_detach(&c.h);
}

static void *wait_until_closed(void *argument) {
    struct lf_condition *c = (struct lf_condition *)argument;
    acquire(c);
    CHECK_EQ(wait_until_done(c, LF_FOREVER), LF_CLOSED);
    return NULL;
}
static void test_close_wakes(void) {
    struct lf_condition c;
    pthread_t threads[2];
    CHECK_EQ(lf_condition_create(&c, NULL, 0), LF_OK);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, wait_until_closed, &c) == 0);
    wait_for_waiters(&c, 2);
    lf_condition_close(&c);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    lf_detach(&c.h);
}

int main(void) {
    test_answers();
    test_order();
    test_a_monitor();
    test_a_lock_of_the_caller();
    test_deaths();
    test_close_wakes();
    return 0;
}
