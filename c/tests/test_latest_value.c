/* LatestValue between threads and processes: answers, lengths, whole values under load, roles, sleepers, close, kill -9. */
#include <lockfree/latest_value.h>

#include "check.h"
#include "participants.h"

#include <pthread.h>

#define MS UINT64_C(1000000)
#define LONG 1000u

static int wait_until_done(struct lf_latest_value *v, uint64_t newer_than, uint64_t deadline) {
    int status;
    do
        status = lf_latest_value_wait(v, newer_than, deadline);
    while (status == LF_INTERRUPTED);
    return status;
}
static int64_t get(struct lf_latest_value *v, void *value, uint64_t *version) {
    int64_t length;
    do
        length = lf_latest_value_get(v, value, version);
    while (length == LF_INTERRUPTED);
    return length;
}

static void test_answers(void) {
    struct lf_latest_value v, other;
    unsigned char value[64], expected[64];
    uint64_t version = 77;
    CHECK_EQ(lf_latest_value_create(&v, NULL, 64, 1), LF_INVALID);
    CHECK_EQ(lf_latest_value_create(&v, NULL, 64, 65), LF_INVALID);
    CHECK_EQ(lf_latest_value_create(&v, NULL, LF_LATEST_MAX_RECORD + 1, 2), LF_INVALID);
    CHECK_EQ(lf_latest_value_create(&v, NULL, 64, 3), LF_OK);
    CHECK_EQ(lf_latest_value_attach_fd(&other, dup(v.h.fd)), LF_OK);
    CHECK_EQ(lf_latest_value_get(&v, value, &version), LF_EMPTY);
    CHECK_EQ(version, 77);
    CHECK_EQ(lf_latest_value_version(&v), 0);
    CHECK_EQ(lf_latest_value_wait(&v, 0, 0), LF_TIMEDOUT);
    CHECK_EQ(lf_latest_value_set(&v, expected, 65), LF_TOO_LONG);
    for (uint64_t n = 1; n <= 200; n++) { /* every length, in every copy; what the value before it had does not show */
        uint64_t length = n * 37 % 65;
        memset(expected, (int)n, sizeof expected);
        memset(value, 0xEE, sizeof value);
        CHECK_EQ(lf_latest_value_set(&v, expected, length), (int64_t)n);
        memset(expected + length, 0xEE, sizeof expected - length);
        CHECK_EQ(lf_latest_value_get(&other, value, &version), (int64_t)length);
        CHECK_EQ(version, n);
        CHECK(memcmp(value, expected, sizeof value) == 0);
        CHECK_EQ(lf_latest_value_version(&other), (int64_t)n);
        CHECK_EQ(lf_latest_value_wait(&other, n - 1, LF_FOREVER), LF_OK);
        CHECK_EQ(lf_latest_value_wait(&other, n, 0), LF_TIMEDOUT);
    }
    uint64_t begun = lf_now();
    CHECK_EQ(wait_until_done(&other, 200, begun + 30 * MS), LF_TIMEDOUT);
    CHECK(lf_now() - begun >= 30 * MS);
    lf_latest_value_close(&v);
    CHECK_EQ(lf_latest_value_set(&v, expected, 1), LF_CLOSED);
    CHECK_EQ(lf_latest_value_get(&v, value, &version), LF_CLOSED);
    CHECK_EQ(lf_latest_value_version(&v), LF_CLOSED);
    CHECK_EQ(lf_latest_value_wait(&v, 0, LF_FOREVER), LF_CLOSED);
    CHECK_EQ(lf_latest_value_release_role(&v), LF_CLOSED);
    CHECK(lf_latest_value_get(&other, value, &version) >= 0); /* closing is local */
    lf_detach(&v.h);
    lf_detach(&other.h);
}

/* Versions pass 2^32; a length that nobody can have written is told. */
static void test_what_is_inside_is_checked(void) {
    struct lf_latest_value v;
    uint64_t value[2] = {1, 2}, version = 0;
    CHECK_EQ(lf_latest_value_create(&v, NULL, 16, 5), LF_OK);
    v.body->version = UINT32_MAX - 2;
    for (uint64_t n = UINT32_MAX - 1; n < UINT64_C(0x100000008); n++) {
        value[0] = n;
        CHECK_EQ(lf_latest_value_set(&v, value, 16), (int64_t)n);
        CHECK_EQ(lf_latest_value_get(&v, value, &version), 16);
        CHECK(value[0] == n && version == n);
    }
    *lf__latest_copy(&v, version) = 17;
    CHECK_EQ(lf_latest_value_get(&v, value, &version), LF_CORRUPT);
    lf_detach(&v.h);
}

static void *role_is_taken(void *argument) {
    CHECK_EQ(lf_latest_value_set((struct lf_latest_value *)argument, "x", 1), LF_ROLE_TAKEN);
    CHECK_EQ(lf_latest_value_release_role((struct lf_latest_value *)argument), LF_NOT_OWNER);
    return NULL;
}
static void *sets_and_ends(void *argument) {
    CHECK(lf_latest_value_set((struct lf_latest_value *)argument, "y", 1) > 0);
    return NULL;
}
static void in_a_thread(void *(*f)(void *), struct lf_latest_value *v) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, f, v) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}
static void test_one_writer_at_a_time(void) {
    struct lf_latest_value v;
    CHECK_EQ(lf_latest_value_create(&v, NULL, 8, 2), LF_OK);
    CHECK_EQ(lf_latest_value_release_role(&v), LF_NOT_OWNER);
    CHECK_EQ(lf_latest_value_set(&v, "a", 1), 1);
    in_a_thread(role_is_taken, &v);
    CHECK_EQ(lf_latest_value_release_role(&v), LF_OK);
    in_a_thread(sets_and_ends, &v);
    CHECK_EQ(lf_latest_value_set(&v, "b", 1), 3); /* that thread has ended */
    lf_detach(&v.h);
}

/* A value under load: its number in each byte of a length that follows from it. */
static void fill(unsigned char *value, uint64_t n) { memset(value, (int)(n % 251), LONG); }
struct load {
    struct lf_latest_value v;
    uint64_t rounds;
    uint32_t over;
};
static void *reads(void *argument) {
    struct load *l = (struct load *)argument;
    unsigned char value[LONG];
    uint64_t version = 0, last = 0;
    while (!lf_load_acquire(&l->over)) {
        int64_t length = get(&l->v, value, &version);
        if (length == LF_EMPTY)
            continue;
        CHECK_EQ(length, (int64_t)(LONG - version % 97));
        for (int64_t i = 0; i < length; i++)
            CHECK_EQ(value[i], version % 251);
        CHECK(version >= last);
        last = version;
    }
    return NULL;
}
static void under_load(uint64_t copies) {
    struct load l;
    pthread_t readers[2];
    unsigned char value[LONG];
    l.rounds = (uint64_t)check_rounds(100000);
    l.over = 0;
    CHECK_EQ(lf_latest_value_create(&l.v, NULL, LONG, copies), LF_OK);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&readers[i], NULL, reads, &l) == 0);
    for (uint64_t n = 1; n <= l.rounds; n++) {
        fill(value, n);
        CHECK_EQ(lf_latest_value_set(&l.v, value, LONG - n % 97), (int64_t)n);
    }
    lf_store_release(&l.over, 1u);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(readers[i], NULL) == 0);
    lf_detach(&l.v.h);
}
static void test_values_are_whole(void) {
    under_load(2);
    under_load(4);
}

static void child_waits(void *argument) {
    struct lf_latest_value *v = (struct lf_latest_value *)argument;
    unsigned char value[LONG];
    uint64_t version = 0;
    CHECK_EQ(wait_until_done(v, 0, LF_FOREVER), LF_OK);
    CHECK_EQ(get(v, value, &version), 3);
    CHECK(version == 1 && memcmp(value, "abc", 3) == 0);
    lf_detach(&v->h);
}
static void test_a_set_wakes_all_processes(void) {
    struct lf_latest_value v;
    pid_t children[4], doomed;
    CHECK_EQ(lf_latest_value_create(&v, NULL, LONG, 4), LF_OK);
    for (int i = 0; i < 4; i++)
        children[i] = check_fork(child_waits, &v);
    doomed = check_fork(child_waits, &v);
    while (lf_load_relaxed(&v.body->newer.word) >> 32 < 5)
        check_sleep(MS);
    check_kill(doomed); /* its announcement stays behind and does no harm */
    CHECK_EQ(lf_latest_value_set(&v, "abc", 3), 1);
    CHECK_EQ(lf_load_relaxed(&v.body->newer.word) >> 32, 0);
    for (int i = 0; i < 4; i++)
        check_join(children[i]);
    CHECK(lf_reap(&v.h) >= 0);
    CHECK_EQ(participants(&v.h), 1);
    lf_detach(&v.h);
}

/* The writer is killed somewhere in its sets. The value is whole, and the next writer's versions follow. */
static void child_sets(void *argument) {
    struct lf_latest_value *v = (struct lf_latest_value *)argument;
    unsigned char value[LONG];
    for (uint64_t n = 1;; n++) {
        fill(value, n);
        CHECK_EQ(lf_latest_value_set(v, value, LONG), (int64_t)n);
    }
}
static void test_a_killed_writer(void) {
    for (int round = 0; round < 10; round++) {
        struct lf_latest_value v;
        unsigned char value[LONG];
        uint64_t version = 0, last;
        CHECK_EQ(lf_latest_value_create(&v, NULL, LONG, 2), LF_OK);
        pid_t writer = check_fork(child_sets, &v);
        while (lf_latest_value_version(&v) < 100)
            check_sleep(MS / 10);
        CHECK_EQ(lf_latest_value_set(&v, "x", 1), LF_ROLE_TAKEN);
        check_kill(writer);
        last = (uint64_t)lf_latest_value_version(&v);
        CHECK_EQ(get(&v, value, &version), LONG);
        CHECK_EQ(version, last);
        for (uint64_t i = 0; i < LONG; i++)
            CHECK_EQ(value[i], version % 251);
        for (uint64_t n = 1; n <= 3; n++) {
            CHECK_EQ(lf_latest_value_set(&v, "x", 1), (int64_t)(last + n));
            CHECK_EQ(get(&v, value, &version), 1);
            CHECK(value[0] == 'x' && version == last + n);
        }
        lf_detach(&v.h);
    }
}

static void *wait_until_closed(void *argument) {
    CHECK_EQ(wait_until_done((struct lf_latest_value *)argument, 0, LF_FOREVER), LF_CLOSED);
    return NULL;
}
static void test_close_wakes(void) {
    struct lf_latest_value v;
    pthread_t thread;
    CHECK_EQ(lf_latest_value_create(&v, NULL, 8, 2), LF_OK);
    CHECK(pthread_create(&thread, NULL, wait_until_closed, &v) == 0);
    check_sleep(5 * MS);
    lf_latest_value_close(&v);
    CHECK(pthread_join(thread, NULL) == 0);
    lf_detach(&v.h);
}

int main(void) {
    test_answers();
    test_what_is_inside_is_checked();
    test_one_writer_at_a_time();
    test_values_are_whole();
    test_a_set_wakes_all_processes();
    test_a_killed_writer();
    test_close_wakes();
    return 0;
}
