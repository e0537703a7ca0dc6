/* The event count and the clock: no wake is lost between many threads and processes, deadlines hold, killed waiters
 * cost nothing, and the counters wrap. */
#include <lockfree/blocks/wait.h>

#include "check.h"

#include <pthread.h>
#include <string.h>

#define MS UINT64_C(1000000)

/* A place for one token; a thread that moves it wakes one of the other side. A lost wake stops the test. */
struct place {
    LF_ALIGNED uint64_t token; /* 0: empty */
    LF_ALIGNED struct lf_eventcount filled;
    LF_ALIGNED struct lf_eventcount emptied;
    LF_ALIGNED uint64_t moved;
    long rounds;
    uint32_t stage;
};

static void wait_and_swap(struct place *place, struct lf_eventcount *mine, uint64_t from, uint64_t to) {
    for (;;) {
        uint64_t seen = from;
        if (lf_cas_seq_cst(&place->token, &seen, to))
            return;
        uint32_t ticket = lf_eventcount_prepare(mine);
        if (lf_load_acquire(&place->token) == from)
            lf_eventcount_cancel(mine, ticket);
        else
            lf_eventcount_wait(mine, ticket, 0); /* without limit: only a wake ends it */
    }
}
static void *fill(void *argument) {
    struct place *place = (struct place *)argument;
    for (long i = 0; i < place->rounds; i++) {
        wait_and_swap(place, &place->emptied, 0, 1);
        lf_eventcount_notify(&place->filled, 1);
    }
    return NULL;
}
static void *empty(void *argument) {
    struct place *place = (struct place *)argument;
    for (long i = 0; i < place->rounds; i++) {
        wait_and_swap(place, &place->filled, 1, 0);
        lf_eventcount_notify_after_rmw(&place->emptied, 1);
        lf_fetch_add_relaxed(&place->moved, UINT64_C(1));
    }
    return NULL;
}
static void child_fills(void *argument) { fill(argument); }

static struct place *new_place(long rounds, uint32_t first_epoch) {
    struct place *place = (struct place *)(void *)check_map(sizeof *place);
    memset(place, 0, sizeof *place);
    place->rounds = rounds;
    place->filled.word = first_epoch;
    place->emptied.word = first_epoch;
    return place;
}

static void test_no_wake_is_lost(int pairs, uint32_t first_epoch) {
    struct place *place = new_place(check_rounds(20000) / pairs + 1, first_epoch);
    pthread_t threads[16];
    for (int i = 0; i < pairs; i++) {
        CHECK(pthread_create(&threads[2 * i], NULL, fill, place) == 0);
        CHECK(pthread_create(&threads[2 * i + 1], NULL, empty, place) == 0);
    }
    for (int i = 0; i < 2 * pairs; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK_EQ(place->moved, pairs * place->rounds);
    CHECK_EQ(place->token, 0);
    check_unmap((unsigned char *)place, sizeof *place);
}

static void test_no_wake_is_lost_between_processes(void) {
    struct place *place = new_place(check_rounds(10000), 0);
    pid_t children[2];
    pthread_t thread;
    for (int i = 0; i < 2; i++)
        children[i] = check_fork(child_fills, place);
    CHECK(pthread_create(&thread, NULL, empty, place) == 0);
    empty(place);
    CHECK(pthread_join(thread, NULL) == 0);
    for (int i = 0; i < 2; i++)
        check_join(children[i]);
    CHECK_EQ(place->moved, 2 * place->rounds);
    check_unmap((unsigned char *)place, sizeof *place);
}

static uint64_t waiters(struct lf_eventcount *ec) { return lf_load_relaxed(&ec->word) >> 32; }

struct crowd {
    struct lf_eventcount ec;
    uint32_t open;
    uint32_t passed;
};
static void *pass_when_open(void *argument) {
    struct crowd *crowd = (struct crowd *)argument;
    while (!lf_load_acquire(&crowd->open)) {
        uint32_t ticket = lf_eventcount_prepare(&crowd->ec);
        if (lf_load_acquire(&crowd->open))
            lf_eventcount_cancel(&crowd->ec, ticket);
        else
            lf_eventcount_wait(&crowd->ec, ticket, 0);
    }
    lf_fetch_add_relaxed(&crowd->passed, 1u);
    return NULL;
}
static void wait_for_waiters(struct lf_eventcount *ec, uint64_t n) {
    while (waiters(ec) != n)
        check_sleep(100000);
    check_sleep(2 * MS); /* from the announcement to the futex */
}

static void test_notify_all_wakes_everybody(void) {
    for (long round = 0; round < check_rounds(20); round++) {
        struct crowd crowd;
        pthread_t threads[8];
        memset(&crowd, 0, sizeof crowd);
        for (int i = 0; i < 8; i++)
            CHECK(pthread_create(&threads[i], NULL, pass_when_open, &crowd) == 0);
        if (round % 2)
            wait_for_waiters(&crowd.ec, 8);
        lf_store_release(&crowd.open, 1u);
        lf_eventcount_notify_all(&crowd.ec);
        for (int i = 0; i < 8; i++)
            CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK_EQ(crowd.passed, 8);
    }
}

static void *sleep_once(void *argument) {
    struct crowd *crowd = (struct crowd *)argument;
    uint32_t ticket = lf_eventcount_prepare(&crowd->ec);
    CHECK_EQ(lf_eventcount_wait(&crowd->ec, ticket, 0), 0);
    lf_fetch_add_relaxed(&crowd->passed, 1u);
    return NULL;
}

static void test_notify_wakes_no_more_than_it_was_asked_to(void) {
    struct crowd crowd;
    pthread_t threads[4];
    memset(&crowd, 0, sizeof crowd);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, sleep_once, &crowd) == 0);
    wait_for_waiters(&crowd.ec, 4);
    uint32_t woken = 0;
    for (uint32_t n = 1; woken < 4; n = 3) {
        lf_eventcount_notify(&crowd.ec, n);
        woken += n;
        while (lf_load_relaxed(&crowd.passed) < woken)
            check_sleep(100000);
        check_sleep(5 * MS);
        CHECK_EQ(lf_load_relaxed(&crowd.passed), woken);
        CHECK_EQ(waiters(&crowd.ec), 4 - woken);
    }
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

static void test_a_wait_ends_in_time_and_leaves_nothing_behind(void) {
    struct lf_eventcount ec = {UINT32_MAX};
    uint64_t start = lf_now();
    uint32_t ticket = lf_eventcount_prepare(&ec);
    CHECK_EQ(lf_eventcount_wait(&ec, ticket, 20 * MS), -ETIMEDOUT);
    CHECK(lf_now() - start >= 20 * MS && lf_now() - start < CHECK_STUCK);
    CHECK_EQ(ec.word, UINT32_MAX);
    ticket = lf_eventcount_prepare(&ec);
    lf_eventcount_notify(&ec, 5); /* between the announcement and the sleep; the epoch wraps */
    CHECK_EQ(ec.word, 0);
    CHECK_EQ(lf_eventcount_wait(&ec, ticket, 0), -EAGAIN);
    CHECK_EQ(ec.word, 0);
    lf_eventcount_cancel(&ec, ticket);
    CHECK_EQ(ec.word, 0);
    uint64_t first = lf_now(), coarse = lf_now_coarse(), later = lf_now();
    CHECK(coarse <= later && coarse + 1000 * MS > first);
}

static void on_signal(int number) { (void)number; }

static void test_a_signal_ends_a_wait(void) {
    struct lf_eventcount ec = {0};
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal; /* no SA_RESTART */
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    ualarm(5000, 0);
    uint32_t ticket = lf_eventcount_prepare(&ec);
    CHECK_EQ(lf_eventcount_wait(&ec, ticket, 10000 * MS), -EINTR);
    CHECK_EQ(ec.word, 0);
}

static void child_waits_for_ever(void *argument) {
    struct place *place = (struct place *)argument;
    lf_fetch_add_relaxed(&place->stage, 1u);
    for (;;) {
        uint32_t ticket = lf_eventcount_prepare(&place->filled);
        lf_eventcount_wait(&place->filled, ticket, 0);
    }
}

/* A killed waiter's announcement does not take the place of a living one, and is gone after the next wakes. */
static void test_killed_waiters_cost_only_needless_wakes(void) {
    struct place *place = new_place(1, 0);
    for (long round = 0; round < check_rounds(10); round++) {
        pid_t children[3];
        pthread_t thread;
        place->stage = 0;
        for (int i = 0; i < 3; i++)
            children[i] = check_fork(child_waits_for_ever, place);
        wait_for_waiters(&place->filled, 3);
        for (int i = 0; i < 3; i++)
            check_kill(children[i]);
        CHECK_EQ(waiters(&place->filled), 3);
        CHECK(pthread_create(&thread, NULL, empty, place) == 0); /* one token, taken by one living waiter */
        if (round % 2)
            wait_for_waiters(&place->filled, 4);
        fill(place);
        CHECK(pthread_join(thread, NULL) == 0);
        for (int i = 0; i < 4; i++)
            lf_eventcount_notify(&place->filled, 1);
        CHECK_EQ(waiters(&place->filled), 0);
    }
    check_unmap((unsigned char *)place, sizeof *place);
}

int main(void) {
    alarm(CHECK_STUCK_S);
    test_a_wait_ends_in_time_and_leaves_nothing_behind();
    test_notify_wakes_no_more_than_it_was_asked_to();
    test_notify_all_wakes_everybody();
    test_no_wake_is_lost(1, 0);
    test_no_wake_is_lost(8, UINT32_MAX - 5);
    test_no_wake_is_lost_between_processes();
    test_a_signal_ends_a_wait();
    alarm(CHECK_STUCK_S);
    test_killed_waiters_cost_only_needless_wakes();
    return 0;
}
