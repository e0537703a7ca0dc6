/* lock_contract.h: what Mutex and SpinLock promise alike. Before including it, define LOCK(name) as the lock's prefix
 * with that name, and LOCK_STRUCT. */
#ifndef LOCKFREE_TESTS_LOCK_CONTRACT_H
#define LOCKFREE_TESTS_LOCK_CONTRACT_H

#include "check.h"

#include <pthread.h>
#include <string.h>

typedef struct LOCK_STRUCT lock_handle;

#define MS UINT64_C(1000000)

static int lock_until_done(lock_handle *lock, uint64_t deadline) { /* as a caller serves its signals */
    int status;
    do
        status = LOCK(acquire)(lock, deadline);
    while (status == LF_INTERRUPTED);
    return status;
}

/* What stands beside the lock, in memory that processes share. */
struct guarded {
    long counter;
    long mirror; /* equal to counter whenever nobody is in the section */
    uint32_t stage;
    uint32_t pad;
};

static void wait_for_stage(struct guarded *g, uint32_t stage) {
    while (lf_load_acquire(&g->stage) < stage)
        check_sleep(100000);
}

static void in_the_section(struct guarded *g) {
    CHECK_EQ(g->mirror, g->counter);
    g->counter++;
    if (g->counter % 512 == 0)
        sched_yield(); /* be preempted inside, too */
    g->mirror++;
}

/* Be preempted outside as often as inside. Else the lock is held nearly always on a busy machine, and a thread that wants
 * it may wait for as long as the others go on. */
static void outside_the_section(long turn) {
    if (turn % 512 == 256)
        sched_yield();
}

struct section_run {
    lock_handle *lock;
    struct guarded *g;
    long rounds;
};

static void *run_sections(void *argument) {
    struct section_run *run = (struct section_run *)argument;
    for (long i = 0; i < run->rounds; i++) {
        outside_the_section(i);
        if (i % 7 == 3) {
            int status = LOCK(try_acquire)(run->lock);
            if (status == LF_TIMEDOUT)
                continue;
            CHECK_EQ(status, LF_OK);
        } else {
            CHECK_EQ(lock_until_done(run->lock, i % 3 ? LF_FOREVER : lf_now() + 20000 * MS), LF_OK);
        }
        in_the_section(run->g);
        CHECK_EQ(LOCK(release)(run->lock), LF_OK);
    }
    return NULL;
}

static void test_threads_exclude_each_other(void) {
    lock_handle lock;
    struct guarded g;
    memset(&g, 0, sizeof g);
    CHECK_EQ(LOCK(create)(&lock, NULL), LF_OK);
    struct section_run run = {&lock, &g, check_rounds(100000)};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, run_sections, &run) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(g.counter >= 4 * run.rounds * 5 / 7 && g.counter == g.mirror);
    CHECK_EQ(LOCK(locked)(&lock), 0);
    lf_detach(&lock.h);
}

static void child_runs_sections(void *argument) {
    struct section_run *run = (struct section_run *)argument;
    CHECK_EQ(lf_after_fork(&run->lock->h), LF_OK);
    run_sections(run);
    lf_detach(&run->lock->h);
}

static void test_processes_exclude_each_other(void) {
    lock_handle lock;
    struct guarded *g = (struct guarded *)(void *)check_map(sizeof *g);
    pid_t children[3];
    CHECK_EQ(LOCK(create)(&lock, NULL), LF_OK);
    struct section_run run = {&lock, g, check_rounds(60000)};
    for (int i = 0; i < 3; i++)
        children[i] = check_fork(child_runs_sections, &run);
    run_sections(&run);
    for (int i = 0; i < 3; i++)
        check_join(children[i]);
    CHECK(g->counter >= 4 * run.rounds * 5 / 7 && g->counter == g->mirror);
    lf_detach(&lock.h);
    check_unmap((unsigned char *)g, sizeof *g);
}

static void *release_by_another_thread(void *argument) {
    lock_handle *lock = (lock_handle *)argument;
    CHECK_EQ(LOCK(release)(lock), LF_NOT_OWNER);
    CHECK_EQ(LOCK(recover)(lock), LF_NOT_OWNER);
    CHECK_EQ(LOCK(try_acquire)(lock), LF_TIMEDOUT);
    return NULL;
}

static void test_answers_without_contention(void) {
    lock_handle lock;
    pthread_t thread;
    CHECK_EQ(LOCK(create)(&lock, NULL), LF_OK);
    CHECK_EQ(LOCK(release)(&lock), LF_NOT_OWNER);
    CHECK_EQ(LOCK(locked)(&lock), 0);
    CHECK_EQ(LOCK(acquire)(&lock, LF_FOREVER), LF_OK);
    CHECK_EQ(LOCK(locked)(&lock), 1);
    CHECK_EQ(LOCK(recover)(&lock), LF_OK); /* nothing to recover is no error */
#ifdef LOCK_REENTRANT
    CHECK_EQ(LOCK(acquire)(&lock, LF_FOREVER), LF_OK);
    CHECK_EQ(LOCK(try_acquire)(&lock), LF_OK);
    CHECK_EQ(LOCK(release)(&lock), LF_OK);
    CHECK_EQ(LOCK(release)(&lock), LF_OK);
#else
    CHECK_EQ(LOCK(acquire)(&lock, LF_FOREVER), LF_DEADLOCK);
    CHECK_EQ(LOCK(try_acquire)(&lock), LF_TIMEDOUT);
    uint64_t start = lf_now();
    CHECK_EQ(lock_until_done(&lock, start + 30 * MS), LF_TIMEDOUT);
    CHECK(lf_now() - start >= 30 * MS && lf_now() - start < 2000 * MS);
#endif
    CHECK(pthread_create(&thread, NULL, release_by_another_thread, &lock) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_EQ(LOCK(release)(&lock), LF_OK);
    CHECK_EQ(LOCK(release)(&lock), LF_NOT_OWNER);
    CHECK_EQ(LOCK(acquire)(&lock, 1), LF_OK); /* a deadline in the past still takes a free lock */
    CHECK_EQ(LOCK(release)(&lock), LF_OK);
    LOCK(close)(&lock);
    CHECK_EQ(LOCK(acquire)(&lock, LF_FOREVER), LF_CLOSED);
    CHECK_EQ(LOCK(try_acquire)(&lock), LF_CLOSED);
    CHECK_EQ(LOCK(release)(&lock), LF_CLOSED);
    CHECK_EQ(LOCK(locked)(&lock), LF_CLOSED);
    lf_detach(&lock.h);
    CHECK_EQ(LOCK(try_acquire)(&lock), LF_CLOSED);
}

struct shared_lock {
    lock_handle *lock;
    struct guarded *g;
};

static void die_holding(void *argument) {
    struct shared_lock *shared = (struct shared_lock *)argument;
    CHECK_EQ(lf_after_fork(&shared->lock->h), LF_OK);
    CHECK_EQ(LOCK(acquire)(shared->lock, LF_FOREVER), LF_OK);
    lf_store_release(&shared->g->stage, 1u);
    for (;;)
        pause();
}

static void *wait_and_report(void *argument) {
    lock_handle *lock = (lock_handle *)argument;
    int status = lock_until_done(lock, LF_FOREVER);
    if (status == LF_OWNER_DIED)
        CHECK_EQ(LOCK(recover)(lock), LF_OK);
    if (status == LF_OK || status == LF_OWNER_DIED)
        CHECK_EQ(LOCK(release)(lock), LF_OK);
    return (void *)(intptr_t)status;
}

/* Killed while others sleep on it: one of them is told, and the lock is normal again. */
static void test_the_next_holder_learns_of_a_death(void) {
    lock_handle lock;
    struct guarded *g = (struct guarded *)(void *)check_map(sizeof *g);
    struct shared_lock shared = {&lock, g};
    CHECK_EQ(LOCK(create)(&lock, NULL), LF_OK);
    for (long round = 0; round < check_rounds(20); round++) {
        g->stage = 0;
        pid_t child = check_fork(die_holding, &shared);
        wait_for_stage(g, 1);
        CHECK_EQ(LOCK(locked)(&lock), 1);
        CHECK_EQ(LOCK(try_acquire)(&lock), LF_TIMEDOUT);
        pthread_t sleepers[2];
        int told = 0, asleep = round % 2 ? 2 : 0;
        for (int i = 0; i < asleep; i++)
            CHECK(pthread_create(&sleepers[i], NULL, wait_and_report, &lock) == 0);
        check_sleep(asleep ? 3 * MS : 0);
        check_kill(child);
        uint64_t start = lf_now();
        while (round % 4 == 0 && LOCK(locked)(&lock) == 1) /* a thread that only asks learns of it as well */
            CHECK(lf_now() - start < 2000 * MS);
        if (asleep == 0)
            told += (int)(intptr_t)wait_and_report(&lock) == LF_OWNER_DIED;
        for (int i = 0; i < asleep; i++) {
            void *status;
            CHECK(pthread_join(sleepers[i], &status) == 0);
            CHECK((intptr_t)status == LF_OK || (intptr_t)status == LF_OWNER_DIED);
            told += (intptr_t)status == LF_OWNER_DIED;
        }
        CHECK_EQ(told, 1);
        CHECK(lf_now() - start < 2000 * MS);
        CHECK_EQ(LOCK(acquire)(&lock, LF_FOREVER), LF_OK);
        CHECK_EQ(LOCK(release)(&lock), LF_OK);
    }
    lf_detach(&lock.h);
    check_unmap((unsigned char *)g, sizeof *g);
}

static void test_released_without_recover_it_stays_broken(void) {
    lock_handle lock;
    struct guarded *g = (struct guarded *)(void *)check_map(sizeof *g);
    struct shared_lock shared = {&lock, g};
    pthread_t sleepers[3];
    CHECK_EQ(LOCK(create)(&lock, NULL), LF_OK);
    pid_t child = check_fork(die_holding, &shared);
    wait_for_stage(g, 1);
    check_kill(child);
    CHECK_EQ(lock_until_done(&lock, LF_FOREVER), LF_OWNER_DIED);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&sleepers[i], NULL, wait_and_report, &lock) == 0);
    check_sleep(5 * MS);
    CHECK_EQ(LOCK(release)(&lock), LF_OK);
    for (int i = 0; i < 3; i++) {
        void *status;
        CHECK(pthread_join(sleepers[i], &status) == 0);
        CHECK_EQ((intptr_t)status, LF_NOT_RECOVERABLE);
    }
    CHECK_EQ(LOCK(acquire)(&lock, LF_FOREVER), LF_NOT_RECOVERABLE);
    CHECK_EQ(LOCK(try_acquire)(&lock), LF_NOT_RECOVERABLE);
    CHECK_EQ(LOCK(locked)(&lock), 0);
    lf_detach(&lock.h);
    check_unmap((unsigned char *)g, sizeof *g);
}

static void hold_until_stage_two(void *argument) {
    struct shared_lock *shared = (struct shared_lock *)argument;
    CHECK_EQ(lf_after_fork(&shared->lock->h), LF_OK);
    CHECK_EQ(LOCK(acquire)(shared->lock, LF_FOREVER), LF_OK);
    lf_store_release(&shared->g->stage, 1u);
    wait_for_stage(shared->g, 2);
    lf_detach(&shared->lock->h); /* leaves without releasing */
}

static void test_leaving_with_the_lock_is_a_death(void) {
    lock_handle lock;
    struct guarded *g = (struct guarded *)(void *)check_map(sizeof *g);
    struct shared_lock shared = {&lock, g};
    CHECK_EQ(LOCK(create)(&lock, NULL), LF_OK);
    pid_t child = check_fork(hold_until_stage_two, &shared);
    wait_for_stage(g, 1);
    CHECK_EQ(lock_until_done(&lock, lf_now() + 30 * MS), LF_TIMEDOUT);
    lf_store_release(&g->stage, 2u);
    CHECK_EQ(lock_until_done(&lock, LF_FOREVER), LF_OWNER_DIED);
    CHECK_EQ(LOCK(recover)(&lock), LF_OK);
    CHECK_EQ(LOCK(release)(&lock), LF_OK);
    check_join(child);
    lf_detach(&lock.h);
    check_unmap((unsigned char *)g, sizeof *g);
}

static void *hold_until_told(void *argument) {
    struct shared_lock *shared = (struct shared_lock *)argument;
    CHECK_EQ(LOCK(acquire)(shared->lock, LF_FOREVER), LF_OK);
    lf_store_release(&shared->g->stage, 1u);
    wait_for_stage(shared->g, 2);
    CHECK_EQ(LOCK(release)(shared->lock), LF_OK);
    return NULL;
}
static int signals;
static void on_signal(int number) { lf_store_relaxed(&signals, number); }

static void test_a_sleeper_comes_back_for_its_signals(void) {
    lock_handle lock;
    struct guarded g;
    struct shared_lock shared = {&lock, &g};
    struct sigaction action;
    pthread_t holder;
    memset(&g, 0, sizeof g);
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal; /* no SA_RESTART */
    CHECK_EQ(LOCK(create)(&lock, NULL), LF_OK);
    CHECK(pthread_create(&holder, NULL, hold_until_told, &shared) == 0);
    wait_for_stage(&g, 1);
    CHECK_EQ(LOCK(acquire_awhile)(&lock, LF_FOREVER), LF_INTERRUPTED); /* after its slices, without a signal */
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(ualarm(8000, 0) == 0);
    CHECK_EQ(LOCK(acquire_awhile)(&lock, LF_FOREVER), LF_INTERRUPTED);
    lf_store_relaxed(&signals, 0);
    CHECK(ualarm(150000, 5000) == 0); /* longer than a while; again, since one may come between two slices */
    CHECK_EQ(LOCK(acquire)(&lock, LF_FOREVER), LF_INTERRUPTED);
    ualarm(0, 0);
    CHECK_EQ(lf_load_relaxed(&signals), SIGALRM); /* and not before */
    lf_store_release(&g.stage, 2u);
    CHECK_EQ(lock_until_done(&lock, LF_FOREVER), LF_OK);
    CHECK_EQ(LOCK(release)(&lock), LF_OK);
    CHECK(pthread_join(holder, NULL) == 0);
    lf_detach(&lock.h);
}

static void test_close_wakes_sleepers(void) {
    lock_handle lock;
    pthread_t sleepers[3];
    CHECK_EQ(LOCK(create)(&lock, NULL), LF_OK);
    CHECK_EQ(LOCK(acquire)(&lock, LF_FOREVER), LF_OK);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&sleepers[i], NULL, wait_and_report, &lock) == 0);
    check_sleep(5 * MS);
    LOCK(close)(&lock);
    for (int i = 0; i < 3; i++) {
        void *status;
        CHECK(pthread_join(sleepers[i], &status) == 0);
        CHECK_EQ((intptr_t)status, LF_CLOSED);
    }
    lf_detach(&lock.h);
}

static void sleep_on_it(void *argument) {
    struct shared_lock *shared = (struct shared_lock *)argument;
    CHECK_EQ(lf_after_fork(&shared->lock->h), LF_OK);
    lf_store_release(&shared->g->stage, 1u);
    lock_until_done(shared->lock, LF_FOREVER);
    for (;;)
        pause();
}

static void test_a_killed_sleeper_costs_nothing(void) {
    lock_handle lock;
    struct guarded *g = (struct guarded *)(void *)check_map(sizeof *g);
    struct shared_lock shared = {&lock, g};
    CHECK_EQ(LOCK(create)(&lock, NULL), LF_OK);
    for (long round = 0; round < check_rounds(30); round++) {
        g->stage = 0;
        CHECK_EQ(LOCK(acquire)(&lock, LF_FOREVER), LF_OK);
        pid_t child = check_fork(sleep_on_it, &shared);
        wait_for_stage(g, 1);
        check_sleep((uint64_t)round % 4 * MS);
        int released_first = round % 2 == 0;
        if (released_first)
            CHECK_EQ(LOCK(release)(&lock), LF_OK); /* it dies asleep, on its way, or with the lock */
        check_kill(child);
        if (!released_first)
            CHECK_EQ(LOCK(release)(&lock), LF_OK);
        int status = lock_until_done(&lock, lf_now() + 5000 * MS);
        CHECK(status == LF_OK || (status == LF_OWNER_DIED && released_first));
        if (status == LF_OWNER_DIED)
            CHECK_EQ(LOCK(recover)(&lock), LF_OK);
        CHECK_EQ(LOCK(release)(&lock), LF_OK);
    }
    lf_detach(&lock.h);
    check_unmap((unsigned char *)g, sizeof *g);
}

static void fight_for_it(void *argument) {
    struct shared_lock *shared = (struct shared_lock *)argument;
    CHECK_EQ(lf_after_fork(&shared->lock->h), LF_OK);
    lf_store_release(&shared->g->stage, 1u);
    for (long turn = 0;; turn++) {
        outside_the_section(turn);
        int status = lock_until_done(shared->lock, LF_FOREVER);
        CHECK(status == LF_OK || status == LF_OWNER_DIED);
        if (status == LF_OWNER_DIED) {
            shared->g->mirror = shared->g->counter; /* the dead one may have been between the two */
            CHECK_EQ(LOCK(recover)(shared->lock), LF_OK);
        }
        in_the_section(shared->g);
        CHECK_EQ(LOCK(release)(shared->lock), LF_OK);
    }
}

/* Killed at random while three fight for it: exclusion holds and the lock moves on. */
static void test_random_kills_under_load(void) {
    lock_handle lock;
    struct guarded *g = (struct guarded *)(void *)check_map(sizeof *g);
    struct shared_lock shared = {&lock, g};
    uint64_t seed = 20;
    pid_t children[3];
    CHECK_EQ(LOCK(create)(&lock, NULL), LF_OK);
    for (int i = 0; i < 3; i++)
        children[i] = check_fork(fight_for_it, &shared);
    wait_for_stage(g, 1);
    long rounds = check_rounds(150), deaths_noticed = 0;
    for (long round = 0; round < rounds; round++) {
        int victim = (int)check_below(&seed, 3);
        check_sleep(check_below(&seed, 2 * MS));
        check_kill(children[victim]);
        int status = lock_until_done(&lock, lf_now() + 5000 * MS);
        CHECK(status == LF_OK || status == LF_OWNER_DIED);
        if (status == LF_OWNER_DIED) {
            deaths_noticed++;
            g->mirror = g->counter;
            CHECK_EQ(LOCK(recover)(&lock), LF_OK);
        }
        CHECK_EQ(g->mirror, g->counter);
        CHECK_EQ(LOCK(release)(&lock), LF_OK);
        children[victim] = check_fork(fight_for_it, &shared);
    }
    for (int i = 0; i < 3; i++)
        check_kill(children[i]);
    CHECK(g->counter > rounds);
    lf_detach(&lock.h);
    check_unmap((unsigned char *)g, sizeof *g);
}

static int lock_contract(void) {
    test_answers_without_contention();
    test_threads_exclude_each_other();
    test_processes_exclude_each_other();
    test_the_next_holder_learns_of_a_death();
    test_released_without_recover_it_stays_broken();
    test_leaving_with_the_lock_is_a_death();
    test_a_sleeper_comes_back_for_its_signals();
    test_close_wakes_sleepers();
    test_a_killed_sleeper_costs_nothing();
    test_random_kills_under_load();
    return 0;
}

#endif
