/* Semaphore between threads and processes: bounds, all or nothing, deadlines, signals, close, fairness for many permits,
 * and deaths with kill -9. What happens step by step is in test_semaphore_steps.c. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <sys/mman.h>

/* A machine without memory, where a test says so. */
static int no_memory;
static int check_madvise(void *address, size_t bytes, int advice) {
    if (no_memory)
        return errno = ENOMEM, -1;
    return madvise(address, bytes, advice);
}
#define madvise check_madvise
#include <lockfree/semaphore.h>
#undef madvise

#include "check.h"

#include <pthread.h>
#include <string.h>

#define MS UINT64_C(1000000)

struct shared {
    uint32_t stage;
    int64_t inside; /* permits that are certainly out */
    int64_t most;
    uint64_t passed;
};

static int acquire_until_done(struct lf_semaphore *s, uint64_t n, uint64_t deadline) {
    int status;
    do
        status = lf_semaphore_acquire(s, n, deadline);
    while (status == LF_INTERRUPTED);
    return status;
}

static void wait_for_stage(struct shared *shared, uint32_t stage) {
    while (lf_load_acquire(&shared->stage) < stage)
        check_sleep(100000);
}

static void test_answers_without_contention(void) {
    struct lf_semaphore s;
    CHECK_EQ(lf_semaphore_create(&s, NULL, 3, 2, 0), LF_INVALID);
    CHECK_EQ(lf_semaphore_create(&s, NULL, 0, 0, 0), LF_INVALID);
    CHECK_EQ(lf_semaphore_create(&s, NULL, 1, LF_SEMAPHORE_MAX + 1, 0), LF_INVALID);
    CHECK_EQ(lf_semaphore_create(&s, NULL, 3, 5, UINT32_MAX - 3), LF_OK);
    for (int round = 0; round < 20; round++) { /* past the wrap of the operation counters */
        CHECK_EQ(lf_semaphore_value(&s), 3);
        CHECK_EQ(lf_semaphore_try_acquire(&s, 2), LF_OK);
        CHECK_EQ(lf_semaphore_try_acquire(&s, 2), LF_TIMEDOUT);
        CHECK_EQ(lf_semaphore_acquire(&s, 1, LF_FOREVER), LF_OK);
        CHECK_EQ(lf_semaphore_acquire(&s, 1, 0), LF_TIMEDOUT);
        CHECK_EQ(lf_semaphore_release(&s, 3), LF_OK);
    }
    CHECK_EQ(lf_semaphore_release(&s, 3), LF_OVERFLOW);
    CHECK_EQ(lf_semaphore_release(&s, 2), LF_OK);
    CHECK_EQ(lf_semaphore_release(&s, 1), LF_OVERFLOW);
    CHECK_EQ(lf_semaphore_value(&s), 5);
    CHECK_EQ(lf_semaphore_acquire(&s, 0, LF_FOREVER), LF_INVALID);
    CHECK_EQ(lf_semaphore_acquire(&s, 6, LF_FOREVER), LF_INVALID);
    CHECK_EQ(lf_semaphore_try_acquire(&s, UINT64_MAX), LF_INVALID);
    CHECK_EQ(lf_semaphore_release(&s, 0), LF_INVALID);
    CHECK_EQ(lf_semaphore_release(&s, UINT64_MAX), LF_INVALID);
    CHECK_EQ(lf_semaphore_acquire(&s, 5, 1), LF_OK); /* a deadline in the past still takes what is there */
    uint64_t start = lf_now();
    CHECK_EQ(acquire_until_done(&s, 1, start + 130 * MS), LF_TIMEDOUT);
    CHECK(lf_now() - start >= 130 * MS && lf_now() - start < CHECK_STUCK);
    CHECK_EQ(s.body->turnstile, 0);
    lf_semaphore_close(&s);
    CHECK_EQ(lf_semaphore_acquire(&s, 1, LF_FOREVER), LF_CLOSED);
    CHECK_EQ(lf_semaphore_try_acquire(&s, 1), LF_CLOSED);
    CHECK_EQ(lf_semaphore_release(&s, 1), LF_CLOSED);
    CHECK_EQ(lf_semaphore_value(&s), LF_CLOSED);
    lf_detach(&s.h);
    CHECK_EQ(lf_semaphore_try_acquire(&s, 1), LF_CLOSED);
    CHECK_EQ(lf_semaphore_create(&s, NULL, LF_SEMAPHORE_MAX, LF_SEMAPHORE_MAX, 0), LF_OK);
    CHECK_EQ(lf_semaphore_try_acquire(&s, LF_SEMAPHORE_MAX), LF_OK);
    CHECK_EQ(lf_semaphore_value(&s), 0);
    CHECK_EQ(lf_semaphore_release(&s, LF_SEMAPHORE_MAX), LF_OK);
    CHECK_EQ(lf_semaphore_release(&s, 1), LF_OVERFLOW);
    lf_detach(&s.h);
}

struct pool_run {
    struct lf_semaphore *s;
    struct shared *shared;
    long rounds;
    int64_t permits;
    uint64_t seed;
};

static void *use_the_pool(void *argument) {
    struct pool_run run = *(struct pool_run *)argument;
    uint64_t seed = lf_fetch_add_relaxed(&((struct pool_run *)argument)->seed, UINT64_C(1)) * 977 + (uint64_t)getpid();
    for (long i = 0; i < run.rounds; i++) {
        uint64_t n = 1 + check_below(&seed, (uint64_t)run.permits);
        int status = i % 5 == 0   ? lf_semaphore_try_acquire(run.s, n)
                     : i % 5 == 1 ? acquire_until_done(run.s, n, lf_now() + check_below(&seed, 50000))
                                  : acquire_until_done(run.s, n, LF_FOREVER);
        if (status == LF_TIMEDOUT && i % 5 < 2)
            continue;
        CHECK_EQ(status, LF_OK);
        int64_t inside = lf_fetch_add_acq_rel(&run.shared->inside, (int64_t)n) + (int64_t)n;
        CHECK(inside <= run.permits);
        if (i % 256 == 0)
            sched_yield();
        lf_fetch_add_acq_rel(&run.shared->inside, -(int64_t)n);
        lf_fetch_add_relaxed(&run.shared->passed, (uint64_t)1);
        CHECK_EQ(lf_semaphore_release(run.s, n), LF_OK);
    }
    return NULL;
}

static void child_uses_the_pool(void *argument) {
    struct pool_run *run = (struct pool_run *)argument;
    CHECK_EQ(lf_after_fork(&run->s->h), LF_OK);
    use_the_pool(run);
    lf_detach(&run->s->h);
}

static void test_never_more_than_the_permits_are_out(int64_t permits) {
    struct lf_semaphore s;
    struct shared *shared = (struct shared *)(void *)check_map(sizeof *shared);
    pthread_t threads[3];
    pid_t children[2];
    CHECK_EQ(lf_semaphore_create(&s, NULL, (uint64_t)permits, (uint64_t)permits, UINT32_MAX - 99), LF_OK);
    struct pool_run run = {&s, shared, check_rounds(15000), permits, 1};
    for (int i = 0; i < 2; i++)
        children[i] = check_fork(child_uses_the_pool, &run);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, use_the_pool, &run) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < 2; i++)
        check_join(children[i]);
    CHECK_EQ(shared->inside, 0);
    CHECK(shared->passed >= (uint64_t)(5 * (run.rounds * 3 / 5)));
    CHECK_EQ(lf_semaphore_value(&s), permits);
    lf_detach(&s.h);
    check_unmap((unsigned char *)shared, sizeof *shared);
}

struct signal_run {
    struct lf_semaphore *s;
    long rounds;
};
static void consume_signals(void *argument) {
    struct signal_run *run = (struct signal_run *)argument;
    CHECK_EQ(lf_after_fork(&run->s->h), LF_OK);
    for (long i = 0; i < run->rounds; i++)
        CHECK_EQ(acquire_until_done(run->s, 1, LF_FOREVER), LF_OK);
    lf_detach(&run->s->h);
}

/* Released by one process, acquired by others: no wake is lost, and their leaving gives nothing back. */
static void test_signals_between_processes(void) {
    struct lf_semaphore s;
    pid_t children[3];
    CHECK_EQ(lf_semaphore_create(&s, NULL, 0, LF_SEMAPHORE_MAX, 0), LF_OK);
    struct signal_run run = {&s, check_rounds(5000)};
    for (int i = 0; i < 3; i++)
        children[i] = check_fork(consume_signals, &run);
    for (long i = 0; i < 3 * run.rounds; i++) {
        CHECK_EQ(lf_semaphore_release(&s, 1), LF_OK);
        if (i % 100 == 0)
            check_sleep(10000);
    }
    for (int i = 0; i < 3; i++)
        check_join(children[i]);
    CHECK_EQ(lf_semaphore_value(&s), 0);
    lf_detach(&s.h);
}

struct churn {
    struct lf_semaphore *s;
    uint32_t stop;
};
static void *take_one_again_and_again(void *argument) {
    struct churn *churn = (struct churn *)argument;
    while (!lf_load_relaxed(&churn->stop)) {
        CHECK_EQ(acquire_until_done(churn->s, 1, LF_FOREVER), LF_OK);
        for (int i = 0; i < 200; i++)
            lf_pause();
        CHECK_EQ(lf_semaphore_release(churn->s, 1), LF_OK);
    }
    return NULL;
}

/* Four threads keep four permits in motion, so that all four are hardly ever free at once. */
static void test_one_for_all_permits_is_not_starved(void) {
    struct lf_semaphore s;
    struct churn churn = {&s, 0};
    pthread_t threads[5];
    CHECK_EQ(lf_semaphore_create(&s, NULL, 4, 4, 0), LF_OK);
    for (int i = 0; i < 5; i++)
        CHECK(pthread_create(&threads[i], NULL, take_one_again_and_again, &churn) == 0);
    for (long i = 0; i < check_rounds(50); i++) {
        CHECK_EQ(acquire_until_done(&s, 4, lf_now() + CHECK_STUCK), LF_OK);
        CHECK_EQ(lf_semaphore_release(&s, 4), LF_OK);
    }
    lf_store_relaxed(&churn.stop, 1u);
    for (int i = 0; i < 5; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    lf_detach(&s.h);
}

static void *acquire_one(void *argument) {
    return (void *)(intptr_t)acquire_until_done((struct lf_semaphore *)argument, 1, LF_FOREVER);
}

static void test_an_interrupted_waiter_keeps_its_place_or_gives_it_up(void) {
    struct lf_semaphore s;
    pthread_t thread;
    CHECK_EQ(lf_semaphore_create(&s, NULL, 1, 2, 0), LF_OK);
    CHECK_EQ(lf_semaphore_acquire(&s, 2, LF_FOREVER), LF_INTERRUPTED);
    CHECK(lf_owner_lock_is_mine(&s.h, &s.body->turnstile));
    CHECK(pthread_create(&thread, NULL, acquire_one, &s) == 0);
    check_sleep(10 * MS);
    CHECK_EQ(lf_semaphore_value(&s), 1); /* it does not barge */
    CHECK_EQ(lf_semaphore_release(&s, 1), LF_OK);
    CHECK_EQ(lf_semaphore_acquire(&s, 2, LF_FOREVER), LF_OK);
    CHECK_EQ(lf_semaphore_release(&s, 1), LF_OK);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_EQ(lf_semaphore_acquire(&s, 2, LF_FOREVER), LF_INTERRUPTED);
    lf_semaphore_give_up(&s);
    lf_semaphore_give_up(&s);
    CHECK_EQ(s.body->turnstile, 0);
    lf_detach(&s.h);
}

static void test_close_wakes_sleepers(void) {
    struct lf_semaphore s;
    pthread_t threads[3];
    CHECK_EQ(lf_semaphore_create(&s, NULL, 0, 1, 0), LF_OK);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, acquire_one, &s) == 0);
    check_sleep(5 * MS);
    lf_semaphore_close(&s);
    for (int i = 0; i < 3; i++) {
        void *status;
        CHECK(pthread_join(threads[i], &status) == 0);
        CHECK_EQ((intptr_t)status, LF_CLOSED);
    }
    lf_detach(&s.h);
}

struct doomed {
    struct lf_semaphore *s;
    struct shared *shared;
    uint64_t n;
};
static void die_with_permits(void *argument) {
    struct doomed *doomed = (struct doomed *)argument;
    CHECK_EQ(lf_after_fork(&doomed->s->h), LF_OK);
    CHECK_EQ(acquire_until_done(doomed->s, doomed->n, LF_FOREVER), LF_OK);
    lf_store_release(&doomed->shared->stage, 1u);
    for (;;)
        pause();
}
static void die_waiting(void *argument) {
    struct doomed *doomed = (struct doomed *)argument;
    CHECK_EQ(lf_after_fork(&doomed->s->h), LF_OK);
    lf_store_release(&doomed->shared->stage, 1u);
    acquire_until_done(doomed->s, doomed->n, LF_FOREVER);
    for (;;)
        pause();
}

static void test_permits_of_the_killed_come_back(void) {
    struct lf_semaphore s;
    struct shared *shared = (struct shared *)(void *)check_map(sizeof *shared);
    CHECK_EQ(lf_semaphore_create(&s, NULL, 5, 5, 0), LF_OK);
    for (uint64_t n = 1; n <= 5; n++) {
        struct doomed doomed = {&s, shared, n};
        shared->stage = 0;
        pid_t child = check_fork(die_with_permits, &doomed);
        wait_for_stage(shared, 1);
        CHECK_EQ(lf_semaphore_value(&s), 5 - (int64_t)n);
        CHECK_EQ(lf_semaphore_acquire(&s, 5, lf_now() + 5 * MS), LF_TIMEDOUT); /* it is alive */
        check_kill(child);
        uint64_t start = lf_now();
        CHECK_EQ(acquire_until_done(&s, 5, LF_FOREVER), LF_OK);
        CHECK(lf_now() - start < CHECK_STUCK);
        CHECK_EQ(lf_semaphore_release(&s, 5), LF_OK);
    }
    lf_detach(&s.h);
    check_unmap((unsigned char *)shared, sizeof *shared);
}

static void test_a_killed_waiter_does_not_keep_the_turnstile(void) {
    struct lf_semaphore s;
    struct shared *shared = (struct shared *)(void *)check_map(sizeof *shared);
    struct doomed doomed = {&s, shared, 3};
    CHECK_EQ(lf_semaphore_create(&s, NULL, 2, 3, 0), LF_OK);
    for (long round = 0; round < check_rounds(20); round++) {
        shared->stage = 0;
        pid_t child = check_fork(die_waiting, &doomed);
        wait_for_stage(shared, 1);
        check_sleep((uint64_t)(round % 4) * MS);
        check_kill(child);
        CHECK_EQ(acquire_until_done(&s, 2, lf_now() + CHECK_STUCK), LF_OK);
        CHECK_EQ(lf_semaphore_release(&s, 2), LF_OK);
        CHECK_EQ(lf_semaphore_value(&s), 2);
    }
    lf_detach(&s.h);
    check_unmap((unsigned char *)shared, sizeof *shared);
}

static void take_and_give_for_ever(void *argument) {
    struct doomed *doomed = (struct doomed *)argument;
    uint64_t seed = (uint64_t)getpid();
    CHECK_EQ(lf_after_fork(&doomed->s->h), LF_OK);
    for (;;) {
        uint64_t n = 1 + check_below(&seed, 3);
        CHECK_EQ(acquire_until_done(doomed->s, n, LF_FOREVER), LF_OK);
        CHECK_EQ(lf_semaphore_release(doomed->s, n), LF_OK);
    }
}

/* Killed at random while three take and give, and one of them may be recovering another one. */
static void test_random_kills_under_load(void) {
    struct lf_semaphore s;
    struct shared *shared = (struct shared *)(void *)check_map(sizeof *shared);
    struct doomed doomed = {&s, shared, 0};
    pid_t children[3];
    uint64_t seed = 11;
    CHECK_EQ(lf_semaphore_create(&s, NULL, 4, 100, 0), LF_OK);
    for (int i = 0; i < 3; i++)
        children[i] = check_fork(take_and_give_for_ever, &doomed);
    for (long round = 0; round < check_rounds(150); round++) {
        int victim = (int)check_below(&seed, 3);
        check_sleep(check_below(&seed, 2 * MS));
        check_kill(children[victim]);
        if (round % 3 == 0) {
            CHECK_EQ(acquire_until_done(&s, 4, lf_now() + CHECK_STUCK), LF_OK); /* all four are there */
            CHECK_EQ(lf_semaphore_value(&s), 0);
            CHECK_EQ(lf_semaphore_release(&s, 4), LF_OK);
        }
        children[victim] = check_fork(take_and_give_for_ever, &doomed);
    }
    for (int i = 0; i < 3; i++)
        check_kill(children[i]);
    lf_reap(&s.h);
    CHECK_EQ(lf_semaphore_value(&s), 4);
    CHECK_EQ(s.body->debt, 0);
    lf_detach(&s.h);
    check_unmap((unsigned char *)shared, sizeof *shared);
}

static void *take_and_end(void *argument) {
    CHECK_EQ(lf_semaphore_try_acquire((struct lf_semaphore *)argument, 1), LF_OK);
    return NULL;
}
/* Threads come and go, more of them than there are seats, each with a permit that another one gives back. What they keep
 * is inherited. Another participant finds seats, too. */
static void test_threads_that_end_leave_their_seats(void) {
    struct lf_semaphore s, other;
    CHECK_EQ(lf_semaphore_create(&s, NULL, 1, 1, 0), LF_OK);
    CHECK_EQ(lf_semaphore_attach_fd(&other, dup(s.h.fd)), LF_OK);
    for (uint32_t i = 0; i < LF_SEATS + LF_SEATS / 2; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, take_and_end, &s) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK_EQ(lf_semaphore_release(&s, 1), LF_OK);
    }
    CHECK_EQ(lf_semaphore_try_acquire(&other, 1), LF_OK);
    CHECK_EQ(lf_semaphore_release(&other, 1), LF_OK);
    lf_detach(&s.h);
    CHECK_EQ(lf_semaphore_value(&other), 1);
    lf_detach(&other.h);
}

/* Without memory for further seats each of the first 22 is taken by a participant with a permit. Then LF_BUSY, until one of
 * those that nobody keeps is empty, or there is memory. A refusal for want of permits needs no seat. */
static void test_busy_when_the_first_seats_are_taken_and_there_is_no_memory(void) {
    enum { FIRST = 22, ALL = 30 };
    static struct lf_semaphore s[ALL];
    char name[64];
    snprintf(name, sizeof name, "lf-test-busy-%d", (int)getpid());
    CHECK_EQ(lf_semaphore_create(&s[0], name, ALL, ALL, 0), LF_OK);
    for (int i = 1; i < ALL; i++)
        CHECK_EQ(lf_semaphore_attach(&s[i], name), LF_OK);
    CHECK_EQ(lf_segment_unlink(&s[0].h, name), LF_OK);
    no_memory = 1;
    for (int i = 0; i < FIRST; i++)
        CHECK_EQ(lf_semaphore_try_acquire(&s[i], 1), LF_OK);
    CHECK_EQ(lf_semaphore_try_acquire(&s[FIRST], 1), LF_BUSY);
    CHECK_EQ(lf_semaphore_acquire(&s[FIRST], 1, LF_FOREVER), LF_BUSY);
    CHECK_EQ(lf_semaphore_release(&s[FIRST], 1), LF_BUSY);
    CHECK_EQ(lf_semaphore_try_acquire(&s[FIRST], ALL), LF_TIMEDOUT);
    CHECK_EQ(lf_semaphore_value(&s[FIRST]), ALL - FIRST);
    CHECK_EQ(lf_semaphore_release(&s[FIRST - 1], 1), LF_OK); /* a seat that nobody keeps */
    CHECK_EQ(lf_semaphore_try_acquire(&s[FIRST], 1), LF_OK);
    CHECK_EQ(lf_semaphore_try_acquire(&s[FIRST + 1], 1), LF_BUSY);
    no_memory = 0;
    for (int i = FIRST + 1; i < ALL; i++)
        CHECK_EQ(lf_semaphore_try_acquire(&s[i], 1), LF_OK);
    CHECK_EQ(lf_semaphore_value(&s[0]), 1); /* that of the released one */
    for (int i = 1; i < ALL; i++)
        lf_detach(&s[i].h); /* all that they hold comes back */
    CHECK_EQ(lf_semaphore_value(&s[0]), ALL - 1);
    lf_detach(&s[0].h);
}

int main(void) {
    test_busy_when_the_first_seats_are_taken_and_there_is_no_memory();
    test_threads_that_end_leave_their_seats();
    test_answers_without_contention();
    test_never_more_than_the_permits_are_out(1);
    test_never_more_than_the_permits_are_out(4);
    test_signals_between_processes();
    test_one_for_all_permits_is_not_starved();
    test_an_interrupted_waiter_keeps_its_place_or_gives_it_up();
    test_close_wakes_sleepers();
    test_permits_of_the_killed_come_back();
    test_a_killed_waiter_does_not_keep_the_turnstile();
    test_random_kills_under_load();
    return 0;
}
