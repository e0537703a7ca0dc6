/* A space: every kind of object in it, names, bounds, places; other processes; deaths of holders and in the middle of adding. */
#include <lockfree/space.h>

#include "check.h"
#include "participants.h"

#include <pthread.h>
#include <sys/wait.h>

#define MS UINT64_C(1000000)

static void test_every_kind(void) {
    struct lf_space s, other;
    CHECK_EQ(lf_space_create(&s, NULL, 1048576), LF_OK);
    CHECK_EQ(lf_space_attach_fd(&other, dup(s.h.fd)), LF_OK);
    uint64_t left = (uint64_t)lf_space_left(&s);
    CHECK_EQ(left, 1048576);
    union lf__space_object a, b;
#define EVERY(name_, KIND, ...)                                                                                        \
    CHECK_EQ(lf_space_##name_(&s, &a.name_, "the " #name_ __VA_ARGS__), LF_OK);                                        \
    CHECK_EQ(lf_space_##name_(&other, &b.name_, "the " #name_ __VA_ARGS__), LF_OK);                                    \
    CHECK_EQ(lf_space_place(&s, &a.h), lf_space_place(&other, &b.h));                                                  \
    CHECK_EQ(left - (uint64_t)lf_space_left(&other), lf_space_needs(&s, KIND));                                        \
    left = (uint64_t)lf_space_left(&s);
    EVERY(mutex, LF_KIND_MUTEX)
    CHECK_EQ(lf_mutex_acquire(&a.mutex, LF_FOREVER), LF_OK);
    CHECK_EQ(lf_mutex_try_acquire(&b.mutex), LF_TIMEDOUT);
    CHECK_EQ(lf_mutex_release(&a.mutex), LF_OK);
    EVERY(spinlock, LF_KIND_SPINLOCK)
    CHECK_EQ(lf_spinlock_acquire(&b.spinlock, LF_FOREVER), LF_OK);
    CHECK_EQ(lf_spinlock_release(&b.spinlock), LF_OK);
    EVERY(rlock, LF_KIND_RLOCK)
    CHECK_EQ(lf_rlock_acquire(&b.rlock, LF_FOREVER), LF_OK);
    CHECK_EQ(lf_rlock_acquire(&b.rlock, LF_FOREVER), LF_OK);
    CHECK_EQ(lf_rlock_release(&b.rlock), LF_OK);
    CHECK_EQ(lf_rlock_release(&b.rlock), LF_OK);
    EVERY(rwlock, LF_KIND_RWLOCK)
    CHECK_EQ(lf_rwlock_read(&a.rwlock, LF_FOREVER), LF_OK);
    CHECK_EQ(lf_rwlock_write(&b.rwlock, 0), LF_TIMEDOUT);
    CHECK_EQ(lf_rwlock_end_read(&a.rwlock), LF_OK);
    EVERY(condition, LF_KIND_CONDITION)
    EVERY(event, LF_KIND_EVENT)
    CHECK_EQ(lf_event_set(&a.event), LF_OK);
    CHECK_EQ(lf_event_is_set(&b.event), 1);
    EVERY(event_count, LF_KIND_EVENT_COUNT)
    EVERY(semaphore, LF_KIND_SEMAPHORE, , 2, 3)
    CHECK_EQ(lf_semaphore_try_acquire(&a.semaphore, 2), LF_OK);
    CHECK_EQ(lf_semaphore_try_acquire(&b.semaphore, 1), LF_TIMEDOUT);
    CHECK_EQ(lf_semaphore_release(&a.semaphore, 2), LF_OK);
    EVERY(atomic_cell, LF_KIND_ATOMIC, , LF_CELL_U64, 7)
    CHECK_EQ(lf_fetch_add_acq_rel(a.atomic_cell.value, (uint64_t)1), 7);
    CHECK_EQ(lf_load_acquire(b.atomic_cell.value), 8);
    lf_detach(&s.h);
    lf_detach(&other.h);
}

static void test_names_and_bounds(void) {
    struct lf_space s;
    struct lf_mutex m, n;
    struct lf_semaphore p;
    struct lf_event e;
    char name[66];
    memset(name, 'x', sizeof name);
    name[65] = '\0';
    CHECK_EQ(lf_space_create(&s, NULL, 128), LF_INVALID);
    CHECK_EQ(lf_space_create(&s, NULL, 1000), LF_INVALID);
    CHECK_EQ(lf_space_create(&s, NULL, LF_SPACE_MAX_BYTES + 128), LF_INVALID);
    CHECK_EQ(lf_space_create(&s, NULL, 1024), LF_OK);
    CHECK_EQ(lf_space_mutex(&s, &m, ""), LF_INVALID);
    CHECK_EQ(lf_space_mutex(&s, &m, name), LF_INVALID);
    name[64] = '\0';
    CHECK_EQ(lf_space_mutex(&s, &m, name), LF_OK);
    CHECK_EQ(lf_space_mutex(&s, &n, name), LF_OK);
    CHECK_EQ(lf_space_place(&s, &m.h), lf_space_place(&s, &n.h));
    name[63] = '\0';
    CHECK_EQ(lf_space_mutex(&s, &n, name), LF_OK);
    CHECK(lf_space_place(&s, &m.h) != lf_space_place(&s, &n.h));
    CHECK_EQ(lf_space_event(&s, &e, name), LF_MISMATCH);
    CHECK_EQ(e.h.found, LF_KIND_MUTEX);
    CHECK_EQ(lf_space_mutex(&s, &m, NULL), LF_OK);
    CHECK_EQ(lf_space_left(&s), 256);
    CHECK_EQ(lf_space_semaphore(&s, &p, NULL, 5, 4), LF_FULL);
    CHECK_EQ(lf_space_mutex(&s, &m, NULL), LF_OK);
    CHECK_EQ(lf_space_mutex(&s, &n, NULL), LF_FULL);
    CHECK_EQ(lf_space_mutex(&s, &n, "new"), LF_FULL);
    CHECK_EQ(lf_space_mutex(&s, &n, name), LF_OK);
    CHECK_EQ(lf_space_left(&s), 0);
    CHECK_EQ(lf_space_at(&s, &m.h, LF_KIND_MUTEX, 256), LF_OK);
    CHECK_EQ(lf_mutex_acquire(&m, LF_FOREVER), LF_OK);
    CHECK_EQ(lf_mutex_try_acquire(&n), LF_TIMEDOUT); /* the same thread, the same object */
    CHECK_EQ(lf_mutex_release(&n), LF_OK);
    CHECK_EQ(lf_space_at(&s, &m.h, LF_KIND_EVENT, 256), LF_INVALID);
    CHECK_EQ(lf_space_at(&s, &m.h, LF_KIND_MUTEX, 128), LF_INVALID);
    CHECK_EQ(lf_space_at(&s, &m.h, LF_KIND_MUTEX, 1024), LF_INVALID);
    CHECK_EQ(lf_space_at(&s, &m.h, LF_KIND_MUTEX, UINT64_MAX), LF_INVALID);
    lf_space_close(&s);
    CHECK_EQ(lf_space_mutex(&s, &m, NULL), LF_CLOSED);
    CHECK_EQ(lf_space_at(&s, &m.h, LF_KIND_MUTEX, 0), LF_CLOSED);
    CHECK_EQ(lf_space_left(&s), LF_CLOSED);
    lf_detach(&s.h);
    CHECK_EQ(lf_space_create(&s, NULL, 131072), LF_OK);
    CHECK_EQ(lf_space_semaphore(&s, &p, "p", 5, 4), LF_INVALID); /* nothing is added */
    CHECK_EQ(lf_space_left(&s), 131072);
    CHECK_EQ(lf_space_semaphore(&s, &p, "p", 3, 4), LF_OK);
    CHECK_EQ(lf_space_semaphore(&s, &p, "p", 2, 4), LF_MISMATCH);
    CHECK(p.h.found == 3 && p.h.expected == 2);
    lf_detach(&s.h);
}

/* What others have written is looked at. */
static void test_what_is_inside_is_checked(void) {
    struct lf_space s;
    struct lf_mutex m;
    CHECK_EQ(lf_space_create(&s, NULL, 4096), LF_OK);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(lf_space_mutex(&s, &m, NULL), LF_OK);
    ((struct lf_space_chunk *)(void *)(s.chunks + 256))->kind = 99;
    CHECK_EQ(lf_space_mutex(&s, &m, "name"), LF_CORRUPT);
    CHECK_EQ(lf_space_at(&s, &m.h, LF_KIND_MUTEX, 512), LF_INVALID);
    s.body->end = UINT64_MAX;
    CHECK_EQ(lf_space_mutex(&s, &m, NULL), LF_FULL);
    lf_detach(&s.h);
}

static void *add_many(void *argument) {
    struct lf_space *s = (struct lf_space *)argument;
    struct lf_mutex m;
    char name[16];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "%d", i);
        CHECK_EQ(lf_space_mutex(s, &m, name), LF_OK);
        CHECK_EQ(lf_mutex_acquire(&m, LF_FOREVER), LF_OK);
        CHECK_EQ(lf_mutex_release(&m), LF_OK);
    }
    return NULL;
}
static void test_adding_at_once(void) {
    struct lf_space s;
    pthread_t threads[4];
    CHECK_EQ(lf_space_create(&s, NULL, 40 * 256), LF_OK); /* a second object of a name would have no room */
    for (int t = 0; t < 4; t++)
        CHECK(pthread_create(&threads[t], NULL, add_many, &s) == 0);
    for (int t = 0; t < 4; t++)
        CHECK(pthread_join(threads[t], NULL) == 0);
    CHECK_EQ(lf_space_left(&s), 0);
    lf_detach(&s.h);
}

struct holding {
    struct lf_space space;
    struct lf_mutex lock, mine;
    struct lf_semaphore permits;
    struct lf_event ready;
};
static void child_holds(void *argument) {
    struct holding *c = (struct holding *)argument;
    CHECK_EQ(lf_mutex_acquire(&c->lock, LF_FOREVER), LF_OK); /* the objects follow their space into the child */
    CHECK_EQ(lf_semaphore_try_acquire(&c->permits, 2), LF_OK);
    CHECK(c->lock.h.participant == c->space.h.participant && c->permits.h.participant == c->space.h.participant);
    CHECK_EQ(lf_event_set(&c->ready), LF_OK);
    for (;;)
        check_sleep(100 * MS);
}
static void test_a_killed_holder(void) {
    struct holding c;
    CHECK_EQ(lf_space_create(&c.space, NULL, 131072), LF_OK);
    CHECK_EQ(lf_space_mutex(&c.space, &c.mine, NULL), LF_OK);
    CHECK_EQ(lf_space_mutex(&c.space, &c.lock, "lock"), LF_OK);
    CHECK_EQ(lf_space_semaphore(&c.space, &c.permits, NULL, 2, 2), LF_OK);
    CHECK_EQ(lf_space_event(&c.space, &c.ready, NULL), LF_OK);
    CHECK_EQ(lf_mutex_acquire(&c.mine, LF_FOREVER), LF_OK);
    pid_t child = check_fork(child_holds, &c);
    CHECK_EQ(lf_event_wait(&c.ready, LF_FOREVER), LF_OK);
    CHECK_EQ(participants(&c.space.h), 2);
    CHECK_EQ(lf_mutex_acquire(&c.lock, lf_now() + 20 * MS), LF_TIMEDOUT);
    check_kill(child);
    CHECK_EQ(lf_mutex_acquire(&c.lock, LF_FOREVER), LF_OWNER_DIED); /* found through the handle of an object */
    CHECK_EQ(lf_mutex_recover(&c.lock), LF_OK);
    CHECK_EQ(lf_mutex_release(&c.lock), LF_OK);
    CHECK_EQ(lf_semaphore_try_acquire(&c.permits, 2), LF_OK); /* all that it held came back at once */
    CHECK_EQ(lf_mutex_release(&c.mine), LF_OK);
    CHECK_EQ(participants(&c.space.h), 1);
    lf_detach(&c.space.h);
}

/* As many threads as the space is for, and no more: places of a condition, seats of a semaphore. Each seat is one that a
 * killed holder's permit comes back from. */
static struct lf_semaphore shared;
static void *takes_one(void *unused) {
    CHECK_EQ(lf_semaphore_try_acquire(&shared, 1), LF_OK);
    return unused;
}
static void child_takes(void *argument) {
    pthread_t threads[200];
    int n = *(int *)argument;
    struct lf_event ready;
    for (int t = 0; t < n; t++)
        CHECK(pthread_create(&threads[t], NULL, takes_one, NULL) == 0);
    for (int t = 0; t < n; t++)
        CHECK(pthread_join(threads[t], NULL) == 0);
    CHECK_EQ(lf_space_event((struct lf_space *)(void *)shared.h.home, &ready, "ready"), LF_OK);
    CHECK_EQ(lf_event_set(&ready), LF_OK);
    for (;;)
        check_sleep(100 * MS);
}
static void test_for_so_many_threads(void) {
    const int counts[] = {1, 16, 17, 18, 24, 31, 64, 65, 200};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct lf_space s;
        struct lf_condition c;
        struct lf_event ready;
        int n = counts[i];
        CHECK_EQ(lf_space_create_for(&s, NULL, 65536, (uint64_t)n), LF_OK);
        CHECK_EQ(lf_space_condition(&s, &c, NULL), LF_OK);
        CHECK_EQ(lf_space_needs(&s, LF_KIND_CONDITION), lf_round_up(384 + 64 * (uint64_t)n, LF_CACHE_LINE));
        CHECK(lf_space_needs(&s, LF_KIND_SEMAPHORE) <= 2048 + 86 * (uint64_t)n);
        for (int k = 0; k < n; k++)
            CHECK_EQ(lf_condition_begin(&c), k);
        CHECK_EQ(lf_condition_begin(&c), LF_BUSY);
        CHECK_EQ(lf_condition_sleep(&c, n, 0), LF_INVALID);
        CHECK_EQ(lf_condition_notify_unlocked(&c, UINT32_MAX), n);
        for (int k = 0; k < n; k++)
            CHECK_EQ(lf_condition_end(&c, k), 1);
        CHECK_EQ(lf_condition_begin(&c), 0);
        CHECK_EQ(lf_space_semaphore(&s, &shared, NULL, 1000, 1000), LF_OK);
        CHECK_EQ(lf_space_event(&s, &ready, "ready"), LF_OK);
        pid_t child = check_fork(child_takes, &n); /* its threads end, and another participant begins */
        while (lf_event_is_set(&ready) == 0)
            lf_event_wait(&ready, lf_now() + 100 * MS);
        CHECK_EQ(lf_semaphore_value(&shared), 1000 - n);
        check_kill(child);
        while (lf_semaphore_try_acquire(&shared, 1000) != LF_OK)
            lf_reap(&s.h);
        lf_detach(&s.h);
    }
    struct lf_space s;
    CHECK_EQ(lf_space_create_for(&s, NULL, 4096, 0), LF_INVALID);
    CHECK_EQ(lf_space_create_for(&s, NULL, 4096, LF_SPACE_MAX_THREADS + 1), LF_INVALID);
}

/* A handle of an object gives nothing back; leaving the space does. */
static void test_leaving(void) {
    struct lf_space s, other;
    struct lf_mutex m, n;
    CHECK_EQ(lf_space_create(&s, NULL, 4096), LF_OK);
    CHECK_EQ(lf_space_attach_fd(&other, dup(s.h.fd)), LF_OK);
    CHECK_EQ(lf_space_mutex(&s, &m, "m"), LF_OK);
    CHECK_EQ(lf_space_mutex(&other, &n, "m"), LF_OK);
    CHECK_EQ(lf_mutex_acquire(&m, LF_FOREVER), LF_OK);
    lf_mutex_close(&m);
    CHECK_EQ(lf_mutex_release(&m), LF_CLOSED);
    lf_detach(&m.h);
    CHECK_EQ(lf_mutex_try_acquire(&n), LF_TIMEDOUT);
    lf_space_close(&s);
    lf_detach(&s.h);
    CHECK_EQ(lf_mutex_try_acquire(&n), LF_OWNER_DIED);
    lf_detach(&n.h);
    lf_detach(&other.h);
}

int main(void) {
    test_every_kind();
    test_names_and_bounds();
    test_what_is_inside_is_checked();
    test_adding_at_once();
    test_a_killed_holder();
    test_for_so_many_threads();
    test_leaving();
    return 0;
}
