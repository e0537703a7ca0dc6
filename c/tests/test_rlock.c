/* RLock between threads and processes: what the locks promise, and levels. */
#include <lockfree/rlock.h>

#define LOCK(name) lf_rlock_##name
#define LOCK_STRUCT lf_rlock
#define LOCK_REENTRANT
#include "lock_contract.h"

static void *is_refused(void *argument) {
    struct lf_rlock *lock = (struct lf_rlock *)argument;
    CHECK_EQ(lf_rlock_try_acquire(lock), LF_TIMEDOUT);
    CHECK_EQ(lf_rlock_depth(lock), 0);
    CHECK_EQ(lf_rlock_release_all(lock), LF_NOT_OWNER);
    return NULL;
}
static void *gets_it(void *argument) {
    struct lf_rlock *lock = (struct lf_rlock *)argument;
    CHECK_EQ(lf_rlock_try_acquire(lock), LF_OK);
    CHECK_EQ(lf_rlock_depth(lock), 1);
    CHECK_EQ(lf_rlock_release(lock), LF_OK);
    return NULL;
}
static void in_another_thread(void *(*call)(void *), struct lf_rlock *lock) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, call, lock) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}
static void dies_deep_inside(void *argument) {
    struct lf_rlock *lock = (struct lf_rlock *)argument;
    for (int i = 0; i < 5; i++)
        CHECK_EQ(lf_rlock_acquire(lock, LF_FOREVER), LF_OK);
    raise(SIGKILL);
}
static void test_levels(void) {
    struct lf_rlock lock;
    CHECK_EQ(lf_rlock_create(&lock, NULL), LF_OK);
    for (int64_t depth = 1; depth <= 4; depth++) {
        CHECK_EQ(lf_rlock_acquire(&lock, LF_FOREVER), LF_OK);
        CHECK_EQ(lf_rlock_depth(&lock), depth);
    }
    for (int64_t depth = 4; depth > 0; depth--) {
        in_another_thread(is_refused, &lock);
        CHECK_EQ(lf_rlock_release(&lock), LF_OK);
    }
    CHECK_EQ(lf_rlock_release(&lock), LF_NOT_OWNER);
    in_another_thread(gets_it, &lock);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(lf_rlock_try_acquire(&lock), LF_OK);
    CHECK_EQ(lf_rlock_release_all(&lock), 3);
    in_another_thread(gets_it, &lock);
    CHECK_EQ(lf_rlock_acquire(&lock, LF_FOREVER), LF_OK);
    lf_rlock_restore(&lock, 3);
    CHECK_EQ(lf_rlock_depth(&lock), 3);
    CHECK_EQ(lf_rlock_release_all(&lock), 3);
    pid_t child = check_fork(dies_deep_inside, &lock);
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK_EQ(lf_rlock_acquire(&lock, LF_FOREVER), LF_OWNER_DIED);
    CHECK_EQ(lf_rlock_depth(&lock), 1); /* its levels are forgotten */
    CHECK_EQ(lf_rlock_recover(&lock), LF_OK);
    CHECK_EQ(lf_rlock_release(&lock), LF_OK);
    in_another_thread(gets_it, &lock);
    lf_detach(&lock.h);
}

int main(void) {
    test_levels();
    return lock_contract();
}
