/* EventCount between threads and processes: no wake is lost, tickets, deadlines, cancel, signal handlers, close, kill -9. */
#include <lockfree/event_count.h>

#include "check.h"

#include <pthread.h>
#include <sys/time.h>

#define MS UINT64_C(1000000)

static int take(void *word) {
    uint64_t n = lf_load_acquire((uint64_t *)word);
    while (n != 0)
        if (lf_cas_acquire((uint64_t *)word, &n, n - 1))
            return 1;
    return 0;
}
static int wait_until_done(struct lf_event_count *e, uint64_t *word, uint64_t deadline) {
    int status;
    do
        status = lf_event_count_wait_until(e, take, word, deadline);
    while (status == LF_INTERRUPTED);
    return status;
}
static int wait_with(struct lf_event_count *e, int64_t ticket, uint64_t deadline) {
    int status;
    do
        status = lf_event_count_wait(e, ticket, deadline);
    while (status == LF_INTERRUPTED);
    return status;
}
static uint64_t waiters(const struct lf_event_count *e) { return lf_load_relaxed(&e->body->changed.word) >> 32; }

static void test_tickets(void) {
    struct lf_event_count e, other;
    CHECK_EQ(lf_event_count_create(&e, NULL), LF_OK);
    CHECK_EQ(lf_event_count_attach_fd(&other, dup(e.h.fd)), LF_OK);
    e.body->changed.word = UINT32_MAX; /* the epoch wraps at the first wake */
    int64_t ticket = lf_event_count_prepare(&e);
    CHECK(ticket >= 0);
    CHECK_EQ(lf_event_count_notify(&other, 1), LF_OK);
    CHECK_EQ(lf_event_count_wait(&e, ticket, LF_FOREVER), LF_OK); /* it has come already */
    CHECK_EQ(waiters(&e), 0);
    ticket = lf_event_count_prepare(&e);
    CHECK_EQ(waiters(&e), 1);
    uint64_t start = lf_now();
    CHECK_EQ(wait_with(&e, ticket, start + 130 * MS), LF_TIMEDOUT);
    CHECK(lf_now() - start >= 130 * MS);
    CHECK_EQ(waiters(&e), 0);
    ticket = lf_event_count_prepare(&e);
    lf_event_count_retract(&e, ticket);
    CHECK_EQ(waiters(&e), 0);
    CHECK_EQ(lf_event_count_notify(&e, UINT32_MAX), LF_OK); /* nobody is there: nothing remembers it */
    ticket = lf_event_count_prepare(&e);
    CHECK_EQ(lf_event_count_wait(&e, ticket, 0), LF_TIMEDOUT);
    ticket = lf_event_count_prepare(&e);
    CHECK_EQ(lf_event_count_cancel(&e), LF_OK);
    CHECK_EQ(lf_event_count_wait(&e, ticket, LF_FOREVER), LF_CANCELLED);
    CHECK_EQ(waiters(&e), 0);
    e.cancels = UINT32_MAX; /* the count of cancels wraps */
    ticket = lf_event_count_prepare(&e);
    CHECK(ticket >= 0);
    CHECK_EQ(lf_event_count_cancel(&e), LF_OK);
    CHECK_EQ(lf_event_count_wait(&e, ticket, LF_FOREVER), LF_CANCELLED);
    lf_event_count_close(&e);
    CHECK_EQ(lf_event_count_prepare(&e), LF_CLOSED);
    CHECK_EQ(lf_event_count_wait(&e, 0, LF_FOREVER), LF_CLOSED);
    CHECK_EQ(lf_event_count_wait_until(&e, take, NULL, LF_FOREVER), LF_CLOSED);
    CHECK_EQ(lf_event_count_notify(&e, 1), LF_CLOSED);
    CHECK_EQ(lf_event_count_cancel(&e), LF_CLOSED);
    lf_detach(&e.h);
    lf_detach(&other.h);
}

struct work {
    struct lf_event_count e;
    uint64_t permits, done;
    long rounds;
};
static void *consumer(void *argument) {
    struct work *w = (struct work *)argument;
    for (long i = 0; i < w->rounds; i++) {
        CHECK_EQ(wait_until_done(&w->e, &w->permits, LF_FOREVER), LF_OK);
        lf_fetch_add_relaxed(&w->done, (uint64_t)1);
    }
    return NULL;
}
static void test_no_wake_is_lost(void) {
    struct work w;
    pthread_t threads[3];
    memset(&w, 0, sizeof w);
    w.rounds = check_rounds(20000);
    CHECK_EQ(lf_event_count_create(&w.e, NULL), LF_OK);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, consumer, &w) == 0);
    for (long i = 0; i < 3 * w.rounds; i++) {
        lf_fetch_add_release(&w.permits, (uint64_t)1);
        CHECK_EQ(lf_event_count_notify(&w.e, 1), LF_OK);
    }
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK_EQ(w.done, 3 * w.rounds);
    CHECK_EQ(w.permits, 0);
    lf_detach(&w.e.h);
}

/* A handler of a signal, in the middle of whatever this thread does, also of a notify. */
static struct work *handled;
static void handler(int signal_number) {
    (void)signal_number;
    lf_fetch_add_release(&handled->permits, (uint64_t)1);
    lf_event_count_notify(&handled->e, 1);
}
static void test_a_signal_handler_notifies(void) {
    struct work w;
    struct sigaction action;
    struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
    memset(&w, 0, sizeof w);
    memset(&action, 0, sizeof action);
    CHECK_EQ(lf_event_count_create(&w.e, NULL), LF_OK);
    handled = &w;
    action.sa_handler = handler;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (long i = 0; i < check_rounds(300); i++) {
        CHECK_EQ(wait_until_done(&w.e, &w.permits, LF_FOREVER), LF_OK);
        CHECK_EQ(lf_event_count_notify(&w.e, 1), LF_OK);
    }
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    lf_detach(&w.e.h);
}

static void *wait_for_ever(void *argument) {
    struct work *w = (struct work *)argument;
    static uint64_t nothing;
    return (void *)(intptr_t)wait_until_done(&w->e, &nothing, LF_FOREVER);
}
static void expect_end(struct work *w, void (*end)(struct work *), int status) {
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, wait_for_ever, w) == 0);
    while (waiters(&w->e) < 3)
        check_sleep(MS);
    end(w);
    for (int i = 0; i < 3; i++) {
        void *answer;
        CHECK(pthread_join(threads[i], &answer) == 0);
        CHECK_EQ((intptr_t)answer, status);
    }
}
static void cancel(struct work *w) { CHECK_EQ(lf_event_count_cancel(&w->e), LF_OK); }
static void close_it(struct work *w) { lf_event_count_close(&w->e); }
static void test_cancel_and_close_end_waits(void) {
    struct work w;
    memset(&w, 0, sizeof w);
    CHECK_EQ(lf_event_count_create(&w.e, NULL), LF_OK);
    expect_end(&w, cancel, LF_CANCELLED);
    expect_end(&w, cancel, LF_CANCELLED);
    expect_end(&w, close_it, LF_CLOSED);
    lf_detach(&w.e.h);
}

static uint64_t *common;
static void child_takes(void *argument) {
    struct lf_event_count *e = (struct lf_event_count *)argument;
    CHECK_EQ(wait_until_done(e, common, LF_FOREVER), LF_OK);
    lf_detach(&e->h);
}
static void changes_and_dies(void *argument) {
    (void)argument;
    lf_fetch_add_release(common, (uint64_t)1); /* and no notify */
    raise(SIGKILL);
}
static void test_processes_and_deaths(void) {
    struct lf_event_count e;
    pid_t children[3], doomed;
    common = (uint64_t *)(void *)check_map(sizeof *common);
    CHECK_EQ(lf_event_count_create(&e, NULL), LF_OK);
    doomed = check_fork(child_takes, &e);
    while (waiters(&e) == 0)
        check_sleep(MS);
    check_kill(doomed); /* its announcement stays behind */
    for (int i = 0; i < 3; i++)
        children[i] = check_fork(child_takes, &e);
    check_sleep(20 * MS);
    lf_fetch_add_release(common, (uint64_t)2);
    CHECK_EQ(lf_event_count_notify(&e, 2), LF_OK);
    doomed = check_fork(changes_and_dies, NULL);
    CHECK(waitpid(doomed, NULL, 0) == doomed);
    for (int i = 0; i < 3; i++)
        check_join(children[i]);
    CHECK_EQ(*common, 0);
    lf_detach(&e.h);
    check_unmap((unsigned char *)common, sizeof *common);
}

int main(void) {
    test_tickets();
    test_no_wake_is_lost();
    test_a_signal_handler_notifies();
    test_cancel_and_close_end_waits();
    test_processes_and_deaths();
    return 0;
}
