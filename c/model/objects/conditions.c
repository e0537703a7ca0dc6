/* conditions.c: condition variables, semaphores, and what is done once. */
#define _GNU_SOURCE
#include "objects.h"
#include "../events/entry.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <threads.h>

enum once { NOT_YET, RUNNING, DONE };

/* Condition. Its queue is entered before the mutex is given back, so that a thread that changes the condition
 * under the mutex finds the sleeper there. */
enum { GONE = 1 }; /* in a condition: it is destroyed; the other bits are threads */
static u128 enter(u128 sleepers, u128 me) { return sleepers | me; }
static u128 leave(u128 sleepers, u128 me) { return sleepers & ~me; }

static bool is_not_among(u128 sleepers, u128 me) { return (sleepers & me) == 0; }
static int cond_wait(void *condition, void *mutex, bool timed, const struct timespec *until, uint64_t pc) {
    struct thread *t = R.current;
    u128 me = (u128)1 << t->tid;
    u128 before;
    LABELLED("wait on", before = model_rmw(AT(condition), 4, enter, me, RELAXED, pc));
    if ((before & GONE) != 0)
        used_after_destroy("a condition", condition, pc);
    int error = mutex_give_back(mutex, pc);
    if (error != 0)
        return error;
    bool late = times_out(timed, until, pc), spurious = false;
    if (!late && t->spurious < R.client->spurious && model_choose(2, pc) == 1) {
        t->spurious++;
        spurious = true;
    }
    if (late || spurious) {
        u128 sleepers;
        LABELLED(late ? "time-out on" : "wakes for no reason on",
                 sleepers = model_rmw(AT(condition), 4, leave, me, RELAXED, pc));
        late &= (sleepers & me) != 0;
    } else {
        t->asleep = true;
        t->could_time_out = could_time_out(t, timed);
        for (;;) {
            u128 sleepers;
            hope(AT(condition), is_not_among, me);
            LABELLED("sleep on", sleepers = model_load(AT(condition), 4, RELAXED, pc));
            t->asleep = (sleepers & me) != 0;
            if (!t->asleep)
                break;
            wait_for_change(t, "be woken on", AT(condition));
        }
    }
    goes_on(t);
    mutex_take(mutex, pc);
    return late ? ETIMEDOUT : 0;
}

static int cond_wake(void *condition, int n, uint64_t pc) {
    if (!R.running)
        return 0;
    u128 request = wake_request(n, pc);
    u128 before;
    LABELLED(n == 1 ? "signal" : "broadcast", before = model_rmw(AT(condition), 4, leave_queue, request, RELAXED, pc));
    if ((before & GONE) != 0)
        used_after_destroy("a condition", condition, pc);
    return 0;
}

int pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes) {
    (void)attributes;
    make_anew(condition, sizeof *condition, PC);
    return 0;
}
int pthread_cond_destroy(pthread_cond_t *condition) { return end_of_use(condition, GONE, "a condition", PC); }
int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex) {
    return cond_wait(condition, mutex, false, NULL, PC);
}
int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until) {
    return cond_wait(condition, mutex, true, until, PC);
}
int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                           const struct timespec *until) {
    (void)clock;
    return cond_wait(condition, mutex, true, until, PC);
}
int pthread_cond_signal(pthread_cond_t *condition) { return cond_wake(condition, 1, PC); }
int pthread_cond_broadcast(pthread_cond_t *condition) { return cond_wake(condition, INT_MAX, PC); }
int cnd_init(cnd_t *condition) {
    make_anew(condition, sizeof *condition, PC);
    return thrd_success;
}
void cnd_destroy(cnd_t *condition) { end_of_use(condition, GONE, "a condition", PC); }
int cnd_wait(cnd_t *condition, mtx_t *mutex) { return c11_status(cond_wait(condition, mutex, false, NULL, PC)); }
int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until) {
    return c11_status(cond_wait(condition, mutex, true, until, PC));
}
int cnd_signal(cnd_t *condition) { return c11_status(cond_wake(condition, 1, PC)); }
int cnd_broadcast(cnd_t *condition) { return c11_status(cond_wake(condition, INT_MAX, PC)); }

/* Semaphore. */
static bool has_permit(u128 old, u128 operand) {
    (void)operand;
    return old > 0;
}
static u128 one_less(u128 old, u128 operand) { return old - operand; }
static u128 one_more(u128 old, u128 operand) { return old + operand; }

static int failed(int error) {
    errno = error;
    return -1;
}
static int semaphore_wait(sem_t *semaphore, bool tries, bool timed, const struct timespec *until, uint64_t pc) {
    u128 old;
    bool late = times_out(timed, until, pc);
    if (!tries && !late) {
        wait_until(AT(semaphore), has_permit, one_less, 1, ACQUIRE, "acquire", pc);
        return 0;
    }
    if (attempt(AT(semaphore), has_permit, one_less, 1, ACQUIRE, "try to acquire", &old, pc))
        return 0;
    return failed(late ? ETIMEDOUT : EAGAIN);
}

int sem_init(sem_t *semaphore, int shared, unsigned value) {
    (void)shared;
    if (value > SEM_VALUE_MAX)
        return failed(EINVAL);
    make_anew(semaphore, sizeof *semaphore, PC);
    memory_put(AT(semaphore), 4, value);
    return 0;
}
int sem_destroy(sem_t *semaphore) {
    end_of_use(semaphore, DESTROYED, NULL, PC);
    return 0;
}
ENTERED_AS_DECLARED(sem_wait);
int AT_ENTRY(sem_wait)(sem_t *semaphore) {
    spin_check(0, AT(semaphore), PC);
    return semaphore_wait(semaphore, false, false, NULL, PC);
}
ENTERED_AS_DECLARED(sem_trywait);
int AT_ENTRY(sem_trywait)(sem_t *semaphore) {
    spin_check(0, AT(semaphore), PC);
    return semaphore_wait(semaphore, true, false, NULL, PC);
}
int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until) {
    return semaphore_wait(semaphore, false, true, until, PC);
}
int sem_clockwait(sem_t *restrict semaphore, clockid_t clock, const struct timespec *restrict until) {
    (void)clock;
    return semaphore_wait(semaphore, false, true, until, PC);
}
int sem_post(sem_t *semaphore) {
    u128 old;
    LABELLED("release", old = model_rmw(AT(semaphore), 4, one_more, 1, RELEASE, PC));
    if (old == DESTROYED)
        used_after_destroy("a semaphore", semaphore, PC);
    if (old == SEM_VALUE_MAX)
        fail("misused lock", "sem_post beyond SEM_VALUE_MAX @%lx@", (unsigned long)PC);
    return 0;
}
int sem_getvalue(sem_t *restrict semaphore, int *restrict value) {
    *value = (int)model_load(AT(semaphore), 4, RELAXED, PC);
    return 0;
}

/* Once. */
static bool not_running(u128 old, u128 operand) {
    (void)operand;
    return old != RUNNING;
}
static u128 begun(u128 old, u128 operand) { return old == NOT_YET ? operand : old; }

static void once(uintptr_t at, void (*function)(void), uint64_t pc) {
    u128 state;
    LABELLED("once", state = model_load(at, 4, ACQUIRE, pc));
    if (state == DONE || wait_until(at, not_running, begun, RUNNING, ACQUIRE, "pass", pc) == DONE)
        return;
    function();
    LABELLED("once done", model_store(at, 4, DONE, RELEASE, pc));
}
int lf_libc_pthread_once(pthread_once_t *flag, void (*function)(void));
int lf_libc_pthread_once(pthread_once_t *flag, void (*function)(void)) {
    once(AT(flag), function, PC);
    return 0;
}
void call_once(once_flag *flag, void (*function)(void)) { once(AT(flag), function, PC); }
/* Libraries that are not instrumented: nobody gets in between, and what they keep is not put back. */
int pthread_once(pthread_once_t *flag, void (*function)(void)) {
    if (*flag == NOT_YET) {
        *flag = DONE;
        function();
    }
    return 0;
}
