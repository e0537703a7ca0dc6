/* Several waits at once: which are woken, which are not, what is left behind. */
#include "check.h"

#include "../include/lockfree/lockfree.h"

#include <pthread.h>

enum { MANY = 200 }; /* more than the kernel sleeps on together */
static struct lf_event events[MANY];
static struct lf_watch watches[MANY];
static uint32_t control;

static void watch_all(uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        lf_watch_count(&watches[i], &events[i].h, &events[i].body->changed);
}
static void end_all(uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        lf_watch_end(&watches[i]);
        CHECK_EQ(events[i].body->changed.word >> 32, 0); /* no announcement is left */
    }
}
static void *set_later(void *event) {
    struct timespec nap = {0, 20000000};
    nanosleep(&nap, NULL);
    lf_event_set((struct lf_event *)event);
    return NULL;
}
static void *turn_later(void *unused) {
    struct timespec nap = {0, 20000000};
    nanosleep(&nap, NULL);
    lf_fetch_add_seq_cst(&control, 1u);
    lf_futex_wake(&control, 1);
    return unused;
}

static void test_the_one_that_changes_is_due(uint32_t count, uint32_t which) {
    pthread_t thread;
    watch_all(count);
    CHECK_EQ(pthread_create(&thread, NULL, set_later, &events[which]), 0);
    CHECK_EQ(lf_watch_sleep(watches, count, &control, control, UINT64_C(60000000000)), 1);
    for (uint32_t i = 0; i < count; i++)
        CHECK_EQ(watches[i].due, i == which);
    pthread_join(thread, NULL);
    end_all(count);
    CHECK_EQ(lf_event_clear(&events[which]), LF_OK);
}

static void test_a_change_before_the_sleep_is_seen(void) {
    watch_all(2);
    CHECK_EQ(lf_event_set(&events[1]), LF_OK);
    CHECK_EQ(lf_watch_sleep(watches, 2, &control, control, UINT64_C(60000000000)), 1);
    CHECK(watches[1].due && !watches[0].due);
    end_all(2);
    CHECK_EQ(lf_event_clear(&events[1]), LF_OK);
}

static void test_the_control_word_ends_it(void) {
    pthread_t thread;
    watch_all(3);
    CHECK_EQ(lf_watch_sleep(watches, 3, &control, control + 1, UINT64_C(60000000000)), 0);
    uint32_t before = control;
    CHECK_EQ(pthread_create(&thread, NULL, turn_later, NULL), 0);
    CHECK_EQ(lf_watch_sleep(watches, 3, &control, before, UINT64_C(200000000)), 0);
    pthread_join(thread, NULL);
    end_all(3);
}

/* So a wake that a killed process took with it is late, and not lost. */
static void test_all_are_due_after_a_while(void) {
    watch_all(5);
    CHECK_EQ(lf_watch_sleep(watches, 5, &control, control, UINT64_C(60000000000)), 5);
    end_all(5);
    CHECK_EQ(lf_watch_sleep(watches, 5, &control, control, 1), 0);
}

/* A killed process may have put something there and sent no wake. All who wait there look again, also if another process recovers it. */
static void test_a_death_that_another_one_found_is_news(void) {
    watch_all(3);
    lf_fetch_add_relaxed(&events[1].h.segment->recovered, (uint64_t)1);
    CHECK_EQ(lf_watch_sleep(watches, 3, &control, control, UINT64_C(60000000000)), 1);
    for (uint32_t i = 0; i < 3; i++)
        CHECK_EQ(watches[i].due, i == 1);
    end_all(3);
    watch_all(3); /* once */
    CHECK_EQ(lf_watch_sleep(watches, 3, &control, control, 30000000), 0);
    end_all(3);
}

/* One is woken for a watch, and does not use it: the other one is. */
static void test_a_wake_is_passed_on(void) {
    struct lf_watch other;
    watch_all(1);
    lf_watch_count(&other, &events[0].h, &events[0].body->changed);
    lf_eventcount_notify(&events[0].body->changed, 1);
    CHECK_EQ(events[0].body->changed.word >> 32, 1);
    lf_watch_end(&watches[0]); /* its ticket is old: it leaves the other's announcement alone */
    CHECK_EQ(events[0].body->changed.word >> 32, 1);
    lf_watch_pass_on(&watches[0]);
    CHECK_EQ(events[0].body->changed.word >> 32, 0);
    CHECK_EQ(lf_watch_sleep(&other, 1, &control, control, 1), 1);
}

/* After a look that found nothing there is nothing to pass on, but for a lock. */
static void test_a_wake_that_found_nothing_ends(void) {
    struct lf_watch other;
    struct lf_mutex m;
    uint64_t next = 0;
    watch_all(1);
    lf_watch_count(&other, &events[0].h, &events[0].body->changed);
    lf_eventcount_notify(&events[0].body->changed, 1);
    CHECK_EQ(lf_watch_sleep_on(watches, 1, &control, control, UINT64_C(60000000000), &next), 1);
    CHECK_EQ(next, 0); /* it did not sleep */
    lf_watch_found_nothing(&watches[0]);
    CHECK_EQ(watches[0].due, 0);
    lf_watch_end(&watches[0]);
    lf_watch_end(&other);
    CHECK_EQ(lf_mutex_create(&m, NULL), LF_OK);
    CHECK_EQ(lf_mutex_acquire(&m, 0), LF_OK);
    lf_watch_unlocked(&other, &m.h, m.word);
    CHECK_EQ(lf_mutex_release(&m), LF_OK);
    CHECK_EQ(lf_watch_sleep(&other, 1, &control, control, UINT64_C(60000000000)), 1);
    lf_watch_found_nothing(&other);
    CHECK_EQ(other.due, 1);
    lf__watch_all(&other, 1);
    lf_watch_found_nothing(&other);
    CHECK_EQ(other.due, 0);
    lf_detach(&m.h);
    lf_eventcount_cancel(&events[0].body->changed, (uint32_t)events[0].body->changed.word);
}

/* A wait in pieces sleeps longer and longer, and longest in a crowd. */
static void test_slices_go_on(void) {
    struct lf_watch crowd[40];
    uint64_t next = 0, last;
    watch_all(1);
    do {
        last = next;
        CHECK_EQ(lf_watch_sleep_on(watches, 1, &control, control, 1, &next), 0);
    } while (next != last);
    CHECK_EQ(next, LF__SLICE_NS);
    for (int i = 0; i < 40; i++)
        lf_watch_count(&crowd[i], &events[0].h, &events[0].body->changed);
    do {
        last = next;
        CHECK_EQ(lf_watch_sleep_on(watches, 1, &control, control, 1, &next), 0);
    } while (next != last);
    CHECK_EQ(next, 24u * LF__SLICE_NS);
    for (int i = 0; i < 40; i++)
        lf_watch_end(&crowd[i]);
    end_all(1);
}

static void test_locks(void) {
    struct lf_mutex m;
    struct lf_watch w, look;
    CHECK_EQ(lf_mutex_create(&m, NULL), LF_OK);
    CHECK_EQ(lf_watch_lock(&w, &m.h, m.word), LF_OK);
    CHECK_EQ(lf_watch_lock(&w, &m.h, m.word), LF_TIMEDOUT);
    lf_watch_unlocked(&look, &m.h, m.word);
    CHECK(lf_load_relaxed(m.word) & LF__LOCK_WAITERS);
    CHECK_EQ(lf_watch_sleep(&w, 1, &control, control, 2000000), 0);
    CHECK_EQ(lf_mutex_release(&m), LF_OK);
    CHECK_EQ(lf_watch_sleep(&w, 1, &control, control, UINT64_C(60000000000)), 1);
    CHECK_EQ(lf_watch_sleep(&look, 1, &control, control, UINT64_C(60000000000)), 1);
    CHECK_EQ(lf_watch_lock(&w, &m.h, m.word), LF_OK);
    CHECK(lf_load_relaxed(m.word) & LF__LOCK_WAITERS); /* others may sleep still */
    CHECK_EQ(lf_mutex_release(&m), LF_OK);
    lf_mutex_close(&m);
    CHECK_EQ(lf_watch_lock(&w, &m.h, m.word), LF_CLOSED);
    lf_detach(&m.h);
}

int main(void) {
    alarm(300);
    for (uint32_t i = 0; i < MANY; i++)
        CHECK_EQ(lf_event_create(&events[i], NULL), LF_OK);
    test_the_one_that_changes_is_due(1, 0);
    test_the_one_that_changes_is_due(3, 1);
    test_the_one_that_changes_is_due(MANY, 5);
    test_the_one_that_changes_is_due(MANY, MANY - 1);
    test_a_change_before_the_sleep_is_seen();
    test_the_control_word_ends_it();
    test_all_are_due_after_a_while();
    test_a_death_that_another_one_found_is_news();
    test_a_wake_is_passed_on();
    test_a_wake_that_found_nothing_ends();
    test_slices_go_on();
    test_locks();
    return 0;
}
