/* RWLock between threads and processes: exclusion, writers before readers, deadlines, close, and the deaths of both. */
#include <lockfree/rwlock.h>

#include "check.h"

#include <pthread.h>
#include <sched.h>

#define MS UINT64_C(1000000)

static int take(int (*call)(struct lf_rwlock *l, uint64_t deadline), struct lf_rwlock *l, uint64_t deadline) {
    int status;
    do
        status = call(l, deadline);
    while (status == LF_INTERRUPTED);
    return status;
}

static void test_answers(void) {
    struct lf_rwlock l, other;
    CHECK_EQ(lf_rwlock_create(&l, NULL), LF_OK);
    CHECK_EQ(lf_rwlock_attach_fd(&other, dup(l.h.fd)), LF_OK);
    CHECK_EQ(lf_rwlock_end_read(&l), LF_NOT_OWNER);
    CHECK_EQ(lf_rwlock_end_write(&l), LF_NOT_OWNER);
    CHECK_EQ(lf_rwlock_read(&l, LF_FOREVER), LF_OK);
    CHECK_EQ(lf_rwlock_read(&other, 0), LF_OK);
    CHECK_EQ(lf_rwlock_readers(&l), 2);
    CHECK_EQ(lf_rwlock_write(&l, 0), LF_TIMEDOUT);
    CHECK_EQ(take(lf_rwlock_write, &other, lf_now() + 130 * MS), LF_TIMEDOUT);
    CHECK_EQ(lf_rwlock_locked(&l), 0);
    CHECK_EQ(lf_rwlock_read(&l, 0), LF_OK); /* the writer has given up */
    CHECK_EQ(lf_rwlock_end_read(&l), LF_OK);
    CHECK_EQ(lf_rwlock_end_read(&l), LF_OK);
    CHECK_EQ(lf_rwlock_end_read(&l), LF_NOT_OWNER);
    CHECK_EQ(lf_rwlock_end_read(&other), LF_OK);
    CHECK_EQ(lf_rwlock_write(&l, LF_FOREVER), LF_OK);
    CHECK_EQ(lf_rwlock_locked(&other), 1);
    CHECK_EQ(lf_rwlock_write(&l, LF_FOREVER), LF_DEADLOCK);
    CHECK_EQ(lf_rwlock_read(&l, LF_FOREVER), LF_DEADLOCK);
    CHECK_EQ(lf_rwlock_read(&l, 0), LF_TIMEDOUT);
    CHECK_EQ(lf_rwlock_write(&other, 0), LF_TIMEDOUT);
    CHECK_EQ(take(lf_rwlock_read, &other, lf_now() + 130 * MS), LF_TIMEDOUT);
    CHECK_EQ(lf_rwlock_readers(&l), 0);
    CHECK_EQ(lf_rwlock_end_write(&other), LF_NOT_OWNER);
    CHECK_EQ(lf_rwlock_recover(&l), LF_OK);
    CHECK_EQ(lf_rwlock_end_write(&l), LF_OK);
    for (uint32_t a = 1; a < LF_PARTICIPANTS; a++) /* each participant has a count of its own, within the segment */
        CHECK(lf__rwlock_readers(l.body, a) != lf__rwlock_readers(l.body, a - 1) &&
              lf__rwlock_readers(l.body, a) < l.body->readers + LF_PARTICIPANTS);
    lf_rwlock_close(&l);
    CHECK_EQ(lf_rwlock_read(&l, LF_FOREVER), LF_CLOSED);
    CHECK_EQ(lf_rwlock_write(&l, LF_FOREVER), LF_CLOSED);
    CHECK_EQ(lf_rwlock_end_read(&l), LF_CLOSED);
    lf_detach(&l.h);
    lf_detach(&other.h);
}

struct table {
    struct lf_rwlock *l;
    long plain, mirror, rounds;
};
static void *user(void *argument) {
    struct table *t = (struct table *)argument;
    for (long i = 0; i < t->rounds; i++) {
        if (i % 4 == 0) {
            CHECK_EQ(take(lf_rwlock_write, t->l, LF_FOREVER), LF_OK);
            CHECK_EQ(t->plain, t->mirror);
            t->plain++;
            if (i % 64 == 0)
                sched_yield();
            t->mirror++;
            CHECK_EQ(lf_rwlock_end_write(t->l), LF_OK);
        } else {
            CHECK_EQ(take(lf_rwlock_read, t->l, LF_FOREVER), LF_OK);
            CHECK_EQ(t->plain, t->mirror);
            CHECK_EQ(lf_rwlock_end_read(t->l), LF_OK);
        }
    }
    return NULL;
}
static void test_threads(void) {
    struct lf_rwlock l;
    struct table t = {&l, 0, 0, check_rounds(6000)};
    pthread_t threads[4];
    CHECK_EQ(lf_rwlock_create(&l, NULL), LF_OK);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, user, &t) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK_EQ(t.plain, 4 * ((t.rounds + 3) / 4));
    lf_detach(&l.h);
}

static void child_reads_for_ever(void *argument) {
    CHECK_EQ(lf_rwlock_read((struct lf_rwlock *)argument, LF_FOREVER), LF_OK);
    for (;;)
        pause();
}
static void child_writes_for_ever(void *argument) {
    CHECK_EQ(take(lf_rwlock_write, (struct lf_rwlock *)argument, LF_FOREVER), LF_OK);
    for (;;)
        pause();
}
static void test_deaths(void) {
    struct lf_rwlock l;
    CHECK_EQ(lf_rwlock_create(&l, NULL), LF_OK);
    pid_t child = check_fork(child_reads_for_ever, &l);
    while (lf_rwlock_readers(&l) != 1)
        check_sleep(MS);
    pid_t waiting = check_fork(child_writes_for_ever, &l); /* a writer that waits for the reader */
    while (lf_rwlock_locked(&l) != 1)
        check_sleep(MS);
    CHECK_EQ(lf_rwlock_read(&l, 0), LF_TIMEDOUT); /* it holds new readers off */
    check_kill(waiting);
    CHECK_EQ(take(lf_rwlock_read, &l, LF_FOREVER), LF_OK); /* and leaves no trace */
    CHECK_EQ(lf_rwlock_end_read(&l), LF_OK);
    check_kill(child);
    CHECK_EQ(take(lf_rwlock_write, &l, LF_FOREVER), LF_OK);
    CHECK_EQ(lf_rwlock_end_write(&l), LF_OK);
    child = check_fork(child_writes_for_ever, &l);
    while (lf_load_relaxed(&l.body->writing) != 1)
        check_sleep(MS);
    check_kill(child);
    CHECK_EQ(take(lf_rwlock_read, &l, LF_FOREVER), LF_OWNER_DIED);
    CHECK_EQ(lf_rwlock_readers(&l), 0);
    CHECK_EQ(take(lf_rwlock_write, &l, LF_FOREVER), LF_OWNER_DIED);
    lf_rwlock_give_up(&l); /* the next one is told again */
    CHECK_EQ(take(lf_rwlock_write, &l, LF_FOREVER), LF_OWNER_DIED);
    CHECK_EQ(lf_rwlock_recover(&l), LF_OK);
    CHECK_EQ(lf_rwlock_end_write(&l), LF_OK);
    CHECK_EQ(lf_rwlock_read(&l, 0), LF_OK);
    CHECK_EQ(lf_rwlock_end_read(&l), LF_OK);
    child = check_fork(child_writes_for_ever, &l);
    while (lf_load_relaxed(&l.body->writing) != 1)
        check_sleep(MS);
    check_kill(child);
    CHECK_EQ(take(lf_rwlock_write, &l, LF_FOREVER), LF_OWNER_DIED);
    CHECK_EQ(lf_rwlock_end_write(&l), LF_OK); /* without recover */
    CHECK_EQ(take(lf_rwlock_read, &l, LF_FOREVER), LF_NOT_RECOVERABLE);
    CHECK_EQ(take(lf_rwlock_write, &l, LF_FOREVER), LF_NOT_RECOVERABLE);
    lf_detach(&l.h);
}

static void *reads_until_closed(void *argument) {
    CHECK_EQ(take(lf_rwlock_read, (struct lf_rwlock *)argument, LF_FOREVER), LF_CLOSED);
    return NULL;
}
static void test_close_wakes(void) {
    struct lf_rwlock l, other;
    pthread_t thread;
    CHECK_EQ(lf_rwlock_create(&l, NULL), LF_OK);
    CHECK_EQ(lf_rwlock_attach_fd(&other, dup(l.h.fd)), LF_OK);
    CHECK_EQ(lf_rwlock_write(&l, LF_FOREVER), LF_OK);
    CHECK(pthread_create(&thread, NULL, reads_until_closed, &other) == 0);
    check_sleep(10 * MS);
    lf_rwlock_close(&other);
    CHECK(pthread_join(thread, NULL) == 0);
    lf_detach(&other.h);
    CHECK_EQ(lf_rwlock_end_write(&l), LF_OK);
    lf_detach(&l.h);
}

int main(void) {
    test_answers();
    test_threads();
    test_deaths();
    test_close_wakes();
    return 0;
}
