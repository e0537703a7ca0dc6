/* Clients that use the locks and threads of POSIX and of C11. The name says what is expected: right_..., or the
 * kind of failure with _ for spaces, two of them, and a word. See test_threads.py. */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>
#include "lockfree_model.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, n = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER, d = PTHREAD_COND_INITIALIZER;
static int x, y, items, taken;
static atomic_int flag;

/* Mutexes. */
static void add(void) {
    pthread_mutex_lock(&m);
    x++;
    pthread_mutex_unlock(&m);
}
static void three(void) { assert(x == 3); }
LF_MODEL_CLIENT(right_mutex, .threads = {add, add, add}, .final = three);

static void add_elsewhere(void) {
    pthread_mutex_lock(&n);
    x++;
    pthread_mutex_unlock(&n);
}
LF_MODEL_CLIENT(data_race__two_mutexes, .threads = {add, add_elsewhere});

static void m_then_n(void) {
    pthread_mutex_lock(&m);
    pthread_mutex_lock(&n);
    pthread_mutex_unlock(&n);
    pthread_mutex_unlock(&m);
}
static void n_then_m(void) {
    pthread_mutex_lock(&n);
    pthread_mutex_lock(&m);
    pthread_mutex_unlock(&m);
    pthread_mutex_unlock(&n);
}
LF_MODEL_CLIENT(right_lock_order, .threads = {m_then_n, m_then_n, m_then_n});
LF_MODEL_CLIENT(deadlock__lock_order, .threads = {m_then_n, n_then_m});

static void n_then_try_m(void) {
    for (int tries = 0; tries < 2; tries++) {
        pthread_mutex_lock(&n);
        if (pthread_mutex_trylock(&m) == 0)
            pthread_mutex_unlock(&m);
        pthread_mutex_unlock(&n);
    }
}
LF_MODEL_CLIENT(right_back_off, .threads = {m_then_n, n_then_try_m});

static void forgets(void) { pthread_mutex_lock(&m); }
LF_MODEL_CLIENT(deadlock__forgets_to_unlock, .threads = {forgets, add});
static void locks_twice(void) {
    pthread_mutex_lock(&m);
    pthread_mutex_lock(&m);
}
LF_MODEL_CLIENT(deadlock__locks_twice, .threads = {locks_twice});
static void unlocks_only(void) { pthread_mutex_unlock(&m); }
LF_MODEL_CLIENT(misused_lock__not_held, .threads = {unlocks_only, add});
static void destroys(void) {
    pthread_mutex_lock(&m);
    pthread_mutex_destroy(&m);
}
LF_MODEL_CLIENT(misused_lock__destroyed_in_use, .threads = {destroys});

static pthread_mutex_t r;
static void make_recursive(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&r, &attributes);
}
static void add_recursively(void) {
    pthread_mutex_lock(&r);
    pthread_mutex_lock(&r);
    x++;
    pthread_mutex_unlock(&r);
    x++;
    pthread_mutex_unlock(&r);
}
static void four(void) { assert(x == 4); }
LF_MODEL_CLIENT(right_recursive, .setup = make_recursive, .threads = {add_recursively, add_recursively}, .final = four);
static void unlocks_too_early(void) {
    pthread_mutex_lock(&r);
    pthread_mutex_lock(&r);
    pthread_mutex_unlock(&r);
    pthread_mutex_unlock(&r);
    x++;
}
LF_MODEL_CLIENT(data_race__recursive, .setup = make_recursive, .threads = {add_recursively, unlocks_too_early});

static pthread_mutex_t checked;
static void make_checked(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&checked, &attributes);
}
static void checks(void) {
    assert(pthread_mutex_unlock(&checked) == EPERM);
    assert(pthread_mutex_lock(&checked) == 0);
    assert(pthread_mutex_lock(&checked) == EDEADLK);
    x++;
    assert(pthread_mutex_unlock(&checked) == 0);
}
LF_MODEL_CLIENT(right_checked, .setup = make_checked, .threads = {checks, checks});

static void publishes_and_unlocks(void) {
    pthread_mutex_lock(&m);
    x = 1;
    pthread_mutex_unlock(&m);
    atomic_store_explicit(&flag, 1, memory_order_relaxed);
}
static void sees_the_flag(void) {
    if (atomic_load_explicit(&flag, memory_order_relaxed))
        assert(x == 1);
}
LF_MODEL_CLIENT(data_race__beside_the_mutex, .threads = {publishes_and_unlocks, sees_the_flag});

/* Conditions. */
static void puts_one(void) {
    pthread_mutex_lock(&m);
    items++;
    pthread_cond_signal(&c);
    pthread_mutex_unlock(&m);
}
static void puts_one_and_signals_after(void) {
    pthread_mutex_lock(&m);
    items++;
    pthread_mutex_unlock(&m);
    pthread_cond_signal(&c);
}
static void takes_one(void) {
    pthread_mutex_lock(&m);
    while (items == 0)
        pthread_cond_wait(&c, &m);
    items--;
    pthread_mutex_unlock(&m);
}
static void takes_one_without_while(void) {
    pthread_mutex_lock(&m);
    if (items == 0)
        pthread_cond_wait(&c, &m);
    assert(items > 0);
    items--;
    pthread_mutex_unlock(&m);
}
static void none_left(void) { assert(items == 0); }
LF_MODEL_CLIENT(right_condition, .threads = {puts_one, takes_one}, .final = none_left);
LF_MODEL_CLIENT(right_condition_signalled_after, .threads = {puts_one_and_signals_after, takes_one}, .final = none_left);
LF_MODEL_CLIENT(right_two_takers, .threads = {puts_one, takes_one, puts_one, takes_one}, .final = none_left);
LF_MODEL_CLIENT(right_spurious, .threads = {puts_one, takes_one}, .final = none_left, .spurious = 1);
LF_MODEL_CLIENT(assertion_failed__if_for_while, .threads = {takes_one_without_while, puts_one, takes_one, puts_one});
LF_MODEL_CLIENT(assertion_failed__spurious, .threads = {takes_one_without_while, puts_one}, .spurious = 1);
LF_MODEL_CLIENT(lost_wake__nobody_puts, .threads = {takes_one});

static void puts_without_signal(void) {
    pthread_mutex_lock(&m);
    items++;
    pthread_mutex_unlock(&m);
}
LF_MODEL_CLIENT(lost_wake__no_signal, .threads = {puts_without_signal, takes_one});
static atomic_int count;
static void puts_outside_the_mutex(void) {
    atomic_fetch_add(&count, 1);
    pthread_cond_signal(&c);
}
static void waits_for_the_count(void) {
    pthread_mutex_lock(&m);
    while (atomic_load(&count) == 0)
        pthread_cond_wait(&c, &m);
    pthread_mutex_unlock(&m);
}
LF_MODEL_CLIENT(lost_wake__changed_outside_the_mutex, .threads = {puts_outside_the_mutex, waits_for_the_count});
static void puts_two_signals_once(void) {
    pthread_mutex_lock(&m);
    items += 2;
    pthread_cond_signal(&c);
    pthread_mutex_unlock(&m);
}
static void puts_two_broadcasts(void) {
    pthread_mutex_lock(&m);
    items += 2;
    pthread_cond_broadcast(&c);
    pthread_mutex_unlock(&m);
}
LF_MODEL_CLIENT(lost_wake__one_of_two, .threads = {puts_two_signals_once, takes_one, takes_one});
LF_MODEL_CLIENT(right_broadcast, .threads = {puts_two_broadcasts, takes_one, takes_one}, .final = none_left);

static void puts_bounded(void) {
    pthread_mutex_lock(&m);
    while (items == 1)
        pthread_cond_wait(&d, &m);
    items++;
    pthread_cond_signal(&c);
    pthread_mutex_unlock(&m);
}
static void takes_bounded(void) {
    pthread_mutex_lock(&m);
    while (items == 0)
        pthread_cond_wait(&c, &m);
    items--;
    pthread_cond_signal(&d);
    pthread_mutex_unlock(&m);
}
static void puts_two(void) { puts_bounded(), puts_bounded(); }
static void takes_two(void) { takes_bounded(), takes_bounded(); }
LF_MODEL_CLIENT(right_bounded_buffer, .threads = {puts_two, takes_two}, .final = none_left);
static void puts_on_one_condition(void) {
    pthread_mutex_lock(&m);
    while (items == 1)
        pthread_cond_wait(&c, &m);
    items++;
    pthread_cond_signal(&c);
    pthread_mutex_unlock(&m);
}
static void takes_on_one_condition(void) {
    pthread_mutex_lock(&m);
    while (items == 0)
        pthread_cond_wait(&c, &m);
    items--;
    pthread_cond_signal(&c);
    pthread_mutex_unlock(&m);
}
LF_MODEL_CLIENT(lost_wake__wakes_its_own_kind, .threads = {puts_on_one_condition, puts_on_one_condition,
                takes_on_one_condition, takes_on_one_condition});

static bool late;
static void takes_in_time(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;
    pthread_mutex_lock(&m);
    int error = 0;
    while (items == 0 && error == 0)
        error = pthread_cond_timedwait(&c, &m, &until);
    assert(error == 0 || error == ETIMEDOUT);
    late = items == 0;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    assert(error == 0 || now.tv_sec == until.tv_sec);
    if (!late)
        items--;
    pthread_mutex_unlock(&m);
}
LF_MODEL_CLIENT(right_timed, .threads = {puts_one, takes_in_time}, .timeouts = 1);
static void in_time(void) { assert(!late); }
LF_MODEL_CLIENT(assertion_failed__timed, .threads = {puts_one, takes_in_time}, .timeouts = 1, .final = in_time);

/* Reader-writer locks, spin locks, semaphores, barriers, once. */
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static void writes(void) {
    pthread_rwlock_wrlock(&rw);
    x++, y++;
    pthread_rwlock_unlock(&rw);
}
static void reads(void) {
    pthread_rwlock_rdlock(&rw);
    assert(x == y);
    pthread_rwlock_unlock(&rw);
}
static void writes_as_reader(void) {
    pthread_rwlock_rdlock(&rw);
    x++, y++;
    pthread_rwlock_unlock(&rw);
}
static void upgrades(void) {
    pthread_rwlock_rdlock(&rw);
    pthread_rwlock_wrlock(&rw);
}
LF_MODEL_CLIENT(right_rwlock, .threads = {writes, reads, reads, writes});
LF_MODEL_CLIENT(data_race__writes_as_reader, .threads = {writes_as_reader, reads});
LF_MODEL_CLIENT(deadlock__upgrade, .threads = {upgrades, upgrades});
static int readers_at_once;
static void two_readers(void) {
    pthread_rwlock_rdlock(&rw);
    if (atomic_fetch_add(&flag, 1) == 1)
        readers_at_once = 1;
    pthread_rwlock_unlock(&rw);
}
static void never_two(void) { assert(!readers_at_once); }
static void reads_and_leaves(void) {
    pthread_rwlock_rdlock(&rw);
    int before = atomic_fetch_add(&flag, 1);
    lf_model_observe("readers", (uint64_t)before);
    atomic_fetch_sub(&flag, 1);
    pthread_rwlock_unlock(&rw);
}
LF_MODEL_CLIENT(assertion_failed__readers_do_meet, .threads = {two_readers, two_readers}, .final = never_two);
LF_MODEL_CLIENT(right_readers, .threads = {reads_and_leaves, reads_and_leaves});

static pthread_spinlock_t spin;
static void make_spin(void) { pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE); }
static void add_spinning(void) {
    pthread_spin_lock(&spin);
    x++;
    pthread_spin_unlock(&spin);
}
LF_MODEL_CLIENT(right_spin, .setup = make_spin, .threads = {add_spinning, add_spinning, add_spinning}, .final = three);

static sem_t full, empty;
static void make_semaphores(void) {
    sem_init(&full, 0, 0);
    sem_init(&empty, 0, 1);
}
static void produces(void) {
    for (int i = 1; i <= 2; i++) {
        sem_wait(&empty);
        x = i;
        sem_post(&full);
    }
}
static void consumes(void) {
    for (int i = 1; i <= 2; i++) {
        sem_wait(&full);
        assert(x == i);
        sem_post(&empty);
    }
}
static void consumes_too_much(void) {
    consumes();
    sem_wait(&full);
}
LF_MODEL_CLIENT(right_semaphores, .setup = make_semaphores, .threads = {produces, consumes});
LF_MODEL_CLIENT(deadlock__semaphores, .setup = make_semaphores, .threads = {produces, consumes_too_much});
static void sneaks(void) {
    if (sem_trywait(&empty) == 0)
        x = 7;
    else
        assert(errno == EAGAIN);
}
LF_MODEL_CLIENT(deadlock__somebody_took_the_permit, .setup = make_semaphores, .threads = {produces, sneaks});

static pthread_barrier_t both;
static int left[2], right[2];
static void make_barrier(void) { pthread_barrier_init(&both, NULL, 2); }
static void goes_left(void) {
    for (int i = 0; i < 2; i++) {
        left[i] = 1;
        pthread_barrier_wait(&both);
        assert(right[i] == 1);
    }
}
static void goes_right(void) {
    for (int i = 0; i < 2; i++) {
        right[i] = 1;
        int serial = pthread_barrier_wait(&both);
        assert(serial == 0 || serial == PTHREAD_BARRIER_SERIAL_THREAD);
        assert(left[i] == 1);
    }
}
LF_MODEL_CLIENT(right_barrier, .setup = make_barrier, .threads = {goes_left, goes_right});
static void comes_too() { pthread_barrier_wait(&both); }
LF_MODEL_CLIENT(deadlock__barrier, .setup = make_barrier, .threads = {comes_too, comes_too, comes_too});

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int *made;
static void make(void) {
    taken++;
    made = malloc(sizeof *made);
    *made = 42;
}
static void uses_once(void) {
    pthread_once(&once, make);
    assert(*made == 42);
    assert(taken == 1);
}
LF_MODEL_CLIENT(right_once, .threads = {uses_once, uses_once, uses_once});

/* C11. */
static mtx_t cm;
static cnd_t cc;
static once_flag first = ONCE_FLAG_INIT;
static void make_c11(void) {
    mtx_init(&cm, mtx_plain);
    cnd_init(&cc);
}
static void c11_puts(void) {
    call_once(&first, make);
    mtx_lock(&cm);
    items++;
    cnd_signal(&cc);
    mtx_unlock(&cm);
}
static void c11_takes(void) {
    call_once(&first, make);
    assert(*made == 42);
    mtx_lock(&cm);
    while (items == 0)
        cnd_wait(&cc, &cm);
    items--;
    mtx_unlock(&cm);
}
LF_MODEL_CLIENT(right_c11, .setup = make_c11, .threads = {c11_puts, c11_takes}, .final = none_left);
static void c11_tries(void) {
    if (mtx_trylock(&cm) == thrd_success) {
        x++;
        mtx_unlock(&cm);
    }
}
LF_MODEL_CLIENT(right_c11_try, .setup = make_c11, .threads = {c11_tries, c11_tries});

/* Threads of threads. */
static void *adds(void *argument) {
    add();
    return argument;
}
static void forks_and_joins(void) {
    pthread_t a, b;
    void *result;
    x = 1;
    pthread_create(&a, NULL, adds, &x);
    pthread_create(&b, NULL, adds, &y);
    pthread_join(a, &result);
    assert(result == &x);
    pthread_join(b, &result);
    assert(result == &y);
    assert(x == 3);
}
LF_MODEL_CLIENT(right_fork_join, .threads = {forks_and_joins});
static void joins_one(void) {
    pthread_t a, b;
    pthread_create(&a, NULL, adds, NULL);
    pthread_create(&b, NULL, adds, NULL);
    pthread_join(a, NULL);
    assert(x >= 1);
}
LF_MODEL_CLIENT(data_race__joins_one, .threads = {joins_one});
static void creates_in_the_middle(void) {
    pthread_t a;
    if (atomic_load(&flag) == 1) {
        pthread_create(&a, NULL, adds, NULL);
        pthread_join(a, NULL);
    }
}
static void raises(void) { atomic_store(&flag, 1); }
LF_MODEL_CLIENT(right_created_or_not, .threads = {creates_in_the_middle, raises});
static int c11_thread(void *argument) {
    x++;
    thrd_exit(*(int *)argument);
}
static void c11_forks(void) {
    thrd_t a;
    int status = 0, argument = 7;
    thrd_create(&a, c11_thread, &argument);
    thrd_join(a, &status);
    assert(status == 7 && x == 1);
}
LF_MODEL_CLIENT(right_c11_threads, .threads = {c11_forks});
static void *waits(void *argument) {
    takes_one();
    return argument;
}
static void joins_a_sleeper(void) {
    pthread_t a;
    pthread_create(&a, NULL, waits, NULL);
    pthread_join(a, NULL);
}
LF_MODEL_CLIENT(deadlock__joins_a_sleeper, .threads = {joins_a_sleeper});
static void joins_nobody(void) { pthread_join((pthread_t)5, NULL); }
LF_MODEL_CLIENT(bad_join__nobody, .threads = {joins_nobody});
