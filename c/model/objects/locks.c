/* locks.c: mutexes, spin locks and reader-writer locks. */
#define _GNU_SOURCE
#include "objects.h"
#include "../events/entry.h"

#include <errno.h>
#include <pthread.h>
#include <threads.h>

enum { NORMAL = PTHREAD_MUTEX_NORMAL, RECURSIVE = PTHREAD_MUTEX_RECURSIVE, CHECKED = PTHREAD_MUTEX_ERRORCHECK };
enum { KIND_AT = 16 }; /* where the static initializers of glibc put it */
enum { OWNER = 0xFF, AGAIN = 0x100 };

/* Mutex. */
static int *kind_of(void *mutex) { return (int *)(void *)((char *)mutex + KIND_AT); }

static bool is_free(u128 old, u128 me) {
    (void)me;
    return old == 0;
}
static bool is_free_or_mine(u128 old, u128 me) { return old == 0 || (old & OWNER) == me; }
static u128 take(u128 old, u128 me) { return old == 0 ? me : old + AGAIN; }
static bool is_mine(u128 old, u128 me) { return (old & OWNER) == me; }
static u128 give_back(u128 old, u128 me) {
    (void)me;
    return old >= AGAIN ? old - AGAIN : 0;
}
static condition_function free_for(void *mutex) { return *kind_of(mutex) == RECURSIVE ? is_free_or_mine : is_free; }

static int mutex_lock(void *mutex, bool timed, const struct timespec *until, uint64_t pc) {
    u128 old;
    bool late = times_out(timed, until, pc);
    const char *doing = late ? "try to lock" : "lock";
    if (!late && *kind_of(mutex) != CHECKED) {
        mutex_take(mutex, pc);
        return 0;
    }
    while (!attempt(AT(mutex), free_for(mutex), take, self(), ACQUIRE, doing, &old, pc)) {
        if (late || is_mine(old, self())) {
            R.current->could_time_out = false;
            return late ? ETIMEDOUT : EDEADLK;
        }
        wait_for_change(R.current, "lock", AT(mutex));
    }
    goes_on(R.current);
    return 0;
}

void mutex_take(void *mutex, uint64_t pc) { wait_until(AT(mutex), free_for(mutex), take, self(), ACQUIRE, "lock", pc); }

static int mutex_trylock(void *mutex, uint64_t pc) {
    u128 old;
    return attempt(AT(mutex), free_for(mutex), take, self(), ACQUIRE, "try to lock", &old, pc) ? 0 : EBUSY;
}

int mutex_give_back(void *mutex, uint64_t pc) {
    u128 old;
    if (attempt(AT(mutex), is_mine, give_back, self(), RELEASE, "unlock", &old, pc))
        return 0;
    if (*kind_of(mutex) == CHECKED)
        return EPERM;
    fail("misused lock", "T%d unlocks %p, which it does not hold @%lx@", R.current->tid, mutex, (unsigned long)pc);
    return EPERM;
}

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes) {
    int kind = NORMAL, robust = PTHREAD_MUTEX_STALLED;
    if (attributes != NULL) {
        pthread_mutexattr_gettype(attributes, &kind);
        pthread_mutexattr_getrobust(attributes, &robust);
    }
    if (robust != PTHREAD_MUTEX_STALLED)
        fail("unusable client", "robust mutexes are not modelled @%lx@", (unsigned long)PC);
    make_anew(mutex, sizeof *mutex, PC);
    *kind_of(mutex) = kind;
    return 0;
}
int pthread_mutex_destroy(pthread_mutex_t *mutex) { return end_of_use(mutex, DESTROYED, "a mutex", PC); }
ENTERED_AS_DECLARED(pthread_mutex_lock);
int AT_ENTRY(pthread_mutex_lock)(pthread_mutex_t *mutex) {
    spin_check(0, AT(mutex), PC);
    return mutex_lock(mutex, false, NULL, PC);
}
ENTERED_AS_DECLARED(pthread_mutex_trylock);
int AT_ENTRY(pthread_mutex_trylock)(pthread_mutex_t *mutex) {
    spin_check(0, AT(mutex), PC);
    return mutex_trylock(mutex, PC);
}
int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *until) {
    return mutex_lock(mutex, true, until, PC);
}
int pthread_mutex_clocklock(pthread_mutex_t *restrict mutex, clockid_t clock, const struct timespec *restrict until) {
    (void)clock;
    return mutex_lock(mutex, true, until, PC);
}
int pthread_mutex_unlock(pthread_mutex_t *mutex) { return mutex_give_back(mutex, PC); }

int mtx_init(mtx_t *mutex, int type) {
    make_anew(mutex, sizeof *mutex, PC);
    *kind_of(mutex) = (type & mtx_recursive) != 0 ? RECURSIVE : NORMAL;
    return thrd_success;
}
void mtx_destroy(mtx_t *mutex) { end_of_use(mutex, DESTROYED, "a mutex", PC); }
ENTERED_AS_DECLARED(mtx_lock);
int AT_ENTRY(mtx_lock)(mtx_t *mutex) {
    spin_check(0, AT(mutex), PC);
    return c11_status(mutex_lock(mutex, false, NULL, PC));
}
ENTERED_AS_DECLARED(mtx_trylock);
int AT_ENTRY(mtx_trylock)(mtx_t *mutex) {
    spin_check(0, AT(mutex), PC);
    return c11_status(mutex_trylock(mutex, PC));
}
int mtx_timedlock(mtx_t *restrict mutex, const struct timespec *restrict until) {
    return c11_status(mutex_lock(mutex, true, until, PC));
}
int mtx_unlock(mtx_t *mutex) { return c11_status(mutex_give_back(mutex, PC)); }

/* Spin lock. */
int pthread_spin_init(pthread_spinlock_t *lock, int shared) {
    (void)shared;
    make_anew((void *)(uintptr_t)AT(lock), sizeof *lock, PC);
    return 0;
}
int pthread_spin_destroy(pthread_spinlock_t *lock) {
    return end_of_use((void *)(uintptr_t)AT(lock), DESTROYED, "a spin lock", PC);
}
ENTERED_AS_DECLARED(pthread_spin_lock);
int AT_ENTRY(pthread_spin_lock)(pthread_spinlock_t *lock) {
    spin_check(0, AT(lock), PC);
    wait_until(AT(lock), is_free, take, self(), ACQUIRE, "lock", PC);
    return 0;
}
ENTERED_AS_DECLARED(pthread_spin_trylock);
int AT_ENTRY(pthread_spin_trylock)(pthread_spinlock_t *lock) {
    spin_check(0, AT(lock), PC);
    u128 old;
    return attempt(AT(lock), is_free, take, self(), ACQUIRE, "try to lock", &old, PC) ? 0 : EBUSY;
}
int pthread_spin_unlock(pthread_spinlock_t *lock) {
    u128 old;
    if (!attempt(AT(lock), is_mine, give_back, self(), RELEASE, "unlock", &old, PC))
        fail("misused lock", "T%d unlocks %p, which it does not hold @%lx@", R.current->tid,
             (void *)(uintptr_t)AT(lock), (unsigned long)PC);
    return 0;
}

/* Reader-writer lock. */
static bool no_writer(u128 old, u128 operand) {
    (void)operand;
    return old < WRITER;
}
static u128 one_more(u128 old, u128 operand) { return old + operand; }
static u128 take_alone(u128 old, u128 me) { return old + me * WRITER; }
static bool is_held(u128 old, u128 me) { return (old & READERS) != 0 || old / WRITER == me; }
static u128 hold_no_more(u128 old, u128 me) { return old / WRITER == me ? 0 : old - 1; }

static int rwlock(pthread_rwlock_t *lock, bool writes, bool tries, bool timed, const struct timespec *until,
                  uint64_t pc) {
    condition_function can = writes ? is_free : no_writer;
    change_function change = writes ? take_alone : one_more;
    u128 old, operand = writes ? self() : 1;
    bool late = times_out(timed, until, pc);
    if (!tries && !late) {
        const char *doing = writes ? "lock for writing" : "lock for reading";
        wait_until(AT(lock), can, change, operand, ACQUIRE, doing, pc);
        return 0;
    }
    const char *doing = writes ? "try to lock for writing" : "try to lock for reading";
    return attempt(AT(lock), can, change, operand, ACQUIRE, doing, &old, pc) ? 0 : late ? ETIMEDOUT : EBUSY;
}

int pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attributes) {
    (void)attributes;
    make_anew(lock, sizeof *lock, PC);
    return 0;
}
int pthread_rwlock_destroy(pthread_rwlock_t *lock) { return end_of_use(lock, DESTROYED, "a reader-writer lock", PC); }
ENTERED_AS_DECLARED(pthread_rwlock_rdlock);
int AT_ENTRY(pthread_rwlock_rdlock)(pthread_rwlock_t *lock) {
    spin_check(0, AT(lock), PC);
    return rwlock(lock, false, false, false, NULL, PC);
}
ENTERED_AS_DECLARED(pthread_rwlock_wrlock);
int AT_ENTRY(pthread_rwlock_wrlock)(pthread_rwlock_t *lock) {
    spin_check(0, AT(lock), PC);
    return rwlock(lock, true, false, false, NULL, PC);
}
ENTERED_AS_DECLARED(pthread_rwlock_tryrdlock);
int AT_ENTRY(pthread_rwlock_tryrdlock)(pthread_rwlock_t *lock) {
    spin_check(0, AT(lock), PC);
    return rwlock(lock, false, true, false, NULL, PC);
}
ENTERED_AS_DECLARED(pthread_rwlock_trywrlock);
int AT_ENTRY(pthread_rwlock_trywrlock)(pthread_rwlock_t *lock) {
    spin_check(0, AT(lock), PC);
    return rwlock(lock, true, true, false, NULL, PC);
}
int pthread_rwlock_timedrdlock(pthread_rwlock_t *restrict lock, const struct timespec *restrict until) {
    return rwlock(lock, false, false, true, until, PC);
}
int pthread_rwlock_timedwrlock(pthread_rwlock_t *restrict lock, const struct timespec *restrict until) {
    return rwlock(lock, true, false, true, until, PC);
}
int pthread_rwlock_clockrdlock(pthread_rwlock_t *restrict lock, clockid_t clock,
                               const struct timespec *restrict until) {
    (void)clock;
    return rwlock(lock, false, false, true, until, PC);
}
int pthread_rwlock_clockwrlock(pthread_rwlock_t *restrict lock, clockid_t clock,
                               const struct timespec *restrict until) {
    (void)clock;
    return rwlock(lock, true, false, true, until, PC);
}
int pthread_rwlock_unlock(pthread_rwlock_t *lock) {
    u128 old;
    if (!attempt(AT(lock), is_held, hold_no_more, self(), RELEASE, "unlock", &old, PC))
        fail("misused lock", "T%d unlocks %p, which nobody holds @%lx@", R.current->tid, (void *)lock,
             (unsigned long)PC);
    return 0;
}
