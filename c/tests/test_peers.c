/* What participants tell each other (blocks/peers.h): roles, sleepers, counts, and waits that end when nobody is left. */
#include "check.h"

#include <lockfree/lockfree.h>

#include <signal.h>
#include <sys/wait.h>

static struct lf_mpmc_ring ring;
static struct lf_event event;

static struct lf_participant *me_in(struct lf_handle *h) { return &h->segment->participants[h->participant]; }

/* A child that does its work and is then killed, or leaves in order. Its pid, after its end. */
static pid_t child_that(void (*work)(void), int is_killed) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        work();
        if (is_killed)
            raise(SIGKILL);
        lf_detach(&ring.h);
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(WIFSIGNALED(status), is_killed);
    return child;
}
static void put_one(void) { CHECK_EQ(lf_mpmc_ring_try_put(&ring, "x", 1), LF_OK); }
static void get_one(void) {
    char record[8];
    CHECK_EQ(lf_mpmc_ring_try_get(&ring, record), 1);
}
static void reserve_one(void) { CHECK(lf_mpmc_ring_reserve(&ring) >= 0); }

static int64_t wait_to_get(void) {
    char record[8];
    int64_t length;
    do
        length = lf_mpmc_ring_get(&ring, record, lf_now() + UINT64_C(60000000000));
    while (length == LF_INTERRUPTED);
    return length;
}
static int wait_to_put(void) {
    int status;
    do
        status = lf_mpmc_ring_put(&ring, "y", 1, lf_now() + UINT64_C(60000000000));
    while (status == LF_INTERRUPTED);
    return status;
}
static int64_t get_soon(void) {
    char record[8];
    return lf_mpmc_ring_get(&ring, record, lf_now() + 30000000);
}

/* What is inside comes first; then the wait ends, for callers that want to be told, and says who went and how. */
static void test_the_last_producer(void) {
    int died;
    CHECK_EQ(lf_mpmc_ring_create(&ring, NULL, 2, 8, 0), LF_OK);
    lf_tell_deaths(&ring.h, 1);
    CHECK_EQ(get_soon(), LF_EMPTY); /* nobody ever was a producer */
    pid_t dead = child_that(put_one, 1);
    CHECK_EQ(wait_to_get(), 1);
    CHECK_EQ(wait_to_get(), LF_PEER_DIED);
    CHECK_EQ(lf_gone(&ring.h, LF_PRODUCES, &died), (uint32_t)dead);
    CHECK_EQ(died, 1);
    CHECK_EQ(ring.h.error, LF_PRODUCES);
    pid_t left = child_that(put_one, 0);
    CHECK_EQ(wait_to_get(), 1);
    CHECK_EQ(wait_to_get(), LF_PEER_DIED);
    CHECK_EQ(lf_gone(&ring.h, LF_PRODUCES, &died), (uint32_t)left);
    CHECK_EQ(died, 0);
    CHECK_EQ(lf_statistics(&ring.h).recoveries, 1); /* leaving is no death */
    lf_tell_here(LF_TOLD_NEVER);
    CHECK_EQ(get_soon(), LF_EMPTY);
    lf_tell_here(LF_TOLD_AS_THE_HANDLE);
    lf_tell_deaths(&ring.h, 0);
    CHECK_EQ(get_soon(), LF_EMPTY);
    lf_tell_here(LF_TOLD);
    CHECK_EQ(wait_to_get(), LF_PEER_DIED);
    lf_tell_here(LF_TOLD_AS_THE_HANDLE);
    CHECK_EQ(get_soon(), LF_EMPTY);
    lf_tell_deaths(&ring.h, 1);
    put_one(); /* now this process is one itself */
    CHECK_EQ(wait_to_get(), 1);
    CHECK_EQ(get_soon(), LF_EMPTY);
    lf_detach(&ring.h);
}

static void test_the_last_consumer(void) {
    CHECK_EQ(lf_mpmc_ring_create(&ring, NULL, 2, 8, 0), LF_OK);
    lf_tell_deaths(&ring.h, 1);
    put_one();
    child_that(get_one, 1);
    put_one(), put_one();
    CHECK_EQ(wait_to_put(), LF_PEER_DIED);
    CHECK_EQ(ring.h.error, LF_CONSUMES);
    lf_detach(&ring.h);
}

/* A slot that the dead producer had is room again, and not a reason to wait: recovery comes before the last look. */
static void test_what_the_dead_had_is_back_before_the_last_look(void) {
    CHECK_EQ(lf_mpmc_ring_create(&ring, NULL, 2, 8, 0), LF_OK);
    lf_tell_deaths(&ring.h, 1);
    put_one();
    get_one(); /* so that there was a consumer: this process */
    child_that(reserve_one, 1);
    child_that(reserve_one, 1);
    CHECK_EQ(wait_to_put(), LF_OK);
    CHECK_EQ(wait_to_put(), LF_OK);
    CHECK_EQ(lf_statistics(&ring.h).recoveries, 2);
    lf_detach(&ring.h);
}

/* What a producer had leased comes back in the same look that finds it dead, and is not passed over. */
static void test_a_lease_of_the_last_producer(void) {
    uint64_t length;
    CHECK_EQ(lf_mpmc_ring_create(&ring, NULL, 2, 8, 0), LF_OK);
    CHECK_EQ(lf_set_spin(&ring.h, LF_SPIN_NEVER), LF_OK);
    lf_tell_deaths(&ring.h, 1);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        put_one();
        CHECK(lf_mpmc_ring_peek(&ring, LF_LEASE, &length) >= 0);
        lf_nap(100000000); /* until the other one sleeps */
        raise(SIGKILL);
    }
    while ((lf_load_relaxed(&ring.h.segment->roles) & LF_CONSUMES) == 0)
        lf_nap(100000);
    CHECK_EQ(wait_to_get(), 1);
    CHECK_EQ(wait_to_get(), LF_PEER_DIED);
    CHECK_EQ(waitpid(child, NULL, 0), child);
    lf_detach(&ring.h);
}

/* ---- counts ---- */

static void *waiter(void *unused) {
    int status;
    (void)unused;
    do
        status = lf_event_wait(&event, LF_FOREVER);
    while (status == LF_INTERRUPTED);
    CHECK_EQ(status, LF_OK);
    return NULL;
}

static void test_sleepers_and_wakes(void) {
    pthread_t threads[3];
    CHECK_EQ(lf_event_create(&event, NULL), LF_OK);
    CHECK_EQ(lf_set_spin(&event.h, LF_SPIN_NEVER), LF_OK);
    uint64_t joined = me_in(&event.h)->joined;
    CHECK_EQ(me_in(&event.h)->seen, joined);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, waiter, NULL), 0);
    while (lf_load_relaxed(&me_in(&event.h)->sleepers) != 3)
        lf_nap(100000);
    CHECK(lf_load_relaxed(&me_in(&event.h)->seen) > joined);
    struct lf_statistics before = lf_statistics(&event.h);
    CHECK(before.sleeps >= 3);
    CHECK_EQ(lf_event_set(&event), LF_OK);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    struct lf_statistics after = lf_statistics(&event.h);
    CHECK_EQ(me_in(&event.h)->sleepers, 0);
    CHECK(after.wakes >= before.wakes && after.wakes <= after.sleeps);
    lf_detach(&event.h);
}

/* Nothing is counted where nothing is refused; a refusal counts one. */
static void test_refusals(void) {
    CHECK_EQ(lf_mpmc_ring_create(&ring, NULL, 2, 8, 0), LF_OK);
    char record[8];
    put_one(), get_one();
    CHECK_EQ(lf_statistics(&ring.h).refusals, 0);
    CHECK_EQ(lf_mpmc_ring_try_get(&ring, record), LF_EMPTY);
    put_one(), put_one();
    CHECK_EQ(lf_mpmc_ring_try_put(&ring, "x", 1), LF_FULL);
    CHECK_EQ(lf_statistics(&ring.h).refusals, 2);
    CHECK_EQ(lf_statistics(&ring.h).sleeps, 0);
    lf_detach(&ring.h);
}

/* A number that is used again: its roles and sleepers begin at 0, the counts go on. */
static void sleep_and_die(void) {
    pthread_t thread;
    get_one();
    CHECK_EQ(lf_set_spin(&event.h, LF_SPIN_NEVER), LF_OK);
    CHECK_EQ(pthread_create(&thread, NULL, waiter, NULL), 0);
    while (lf_enter(&event.h) != LF_OK || lf_load_relaxed(&me_in(&event.h)->sleepers) == 0)
        lf_nap(100000);
}
static void test_a_number_used_again(void) {
    struct lf_event again;
    struct lf_mpmc_ring ring_again;
    memset(&again, 0, sizeof again);
    memset(&ring_again, 0, sizeof ring_again);
    CHECK_EQ(lf_mpmc_ring_create(&ring, NULL, 2, 8, 0), LF_OK);
    CHECK_EQ(lf_event_create(&event, NULL), LF_OK);
    put_one();
    child_that(sleep_and_die, 1);
    uint64_t slept = lf_statistics(&event.h).sleeps;
    CHECK(slept >= 1);
    CHECK_EQ(event.h.segment->participants[2].sleepers, 1);
    CHECK_EQ(lf_reap(&event.h), 1);
    int fd = fcntl(event.h.fd, F_DUPFD_CLOEXEC, 3);
    CHECK_EQ(lf_event_attach_fd(&again, fd), LF_OK);
    CHECK_EQ(again.h.participant, 2);
    CHECK_EQ(me_in(&again.h)->sleepers, 0);
    CHECK_EQ(ring.h.segment->participants[2].roles, LF_CONSUMES);
    CHECK_EQ(lf_reap(&ring.h), 1);
    CHECK_EQ(lf_mpmc_ring_attach_fd(&ring_again, fcntl(ring.h.fd, F_DUPFD_CLOEXEC, 3)), LF_OK);
    CHECK_EQ(ring_again.h.participant, 2);
    CHECK_EQ(me_in(&ring_again.h)->roles, 0);
    lf_detach(&ring_again.h);
    CHECK(lf_statistics(&event.h).sleeps >= slept);
    lf_detach(&again.h);
    lf_detach(&event.h);
    lf_detach(&ring.h);
}

int main(void) {
    test_the_last_producer();
    test_the_last_consumer();
    test_what_the_dead_had_is_back_before_the_last_look();
    test_a_lease_of_the_last_producer();
    test_sleepers_and_wakes();
    test_refusals();
    test_a_number_used_again();
    return 0;
}
