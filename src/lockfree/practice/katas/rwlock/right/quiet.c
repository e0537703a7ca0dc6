/* Calls the kernel only if somebody sleeps: a thread that goes to sleep leaves a mark in the word. */
#include "rwlock.h"

struct rwlock {
    _Atomic uint32_t state;
};

static const uint32_t READERS = 0xffff;      /* a count */
static const uint32_t WAITING = 0x10000;     /* writers that wait: a count in steps of this */
static const uint32_t UPGRADER = 0x40000000; /* one reader waits to be the writer */
static const uint32_t WRITER = 0x80000000;   /* somebody writes */
static const uint32_t SLEEPERS = 0x20000000; /* somebody may sleep */
static const uint32_t EVERYBODY = UINT32_MAX;

size_t rwlock_size(void) { return sizeof(struct rwlock); }

void rwlock_init(struct rwlock *lock) { atomic_init(&lock->state, 0); }

static uint32_t look(struct rwlock *lock) { return atomic_load_explicit(&lock->state, memory_order_relaxed); }

static int swap(struct rwlock *lock, uint32_t *from, uint32_t to) {
    return atomic_compare_exchange_strong_explicit(&lock->state, from, to, memory_order_acquire, memory_order_relaxed);
}

/* Sleeps until something has changed since seen; before, it leaves the mark that tells the others to wake it. */
static void sleep_on(struct rwlock *lock, uint32_t seen) {
    if ((seen & SLEEPERS) || atomic_compare_exchange_strong_explicit(&lock->state, &seen, seen | SLEEPERS,
                                                                     memory_order_relaxed, memory_order_relaxed))
        futex_wait(&lock->state, seen | SLEEPERS);
}

static void wake_sleepers(struct rwlock *lock) {
    if (atomic_fetch_and_explicit(&lock->state, ~SLEEPERS, memory_order_relaxed) & SLEEPERS)
        futex_wake(&lock->state, EVERYBODY);
}

/* On 0, seen is why. */
static int take_read(struct rwlock *lock, uint32_t *seen) {
    *seen = look(lock);
    while (!(*seen & ~(READERS | SLEEPERS)))
        if (swap(lock, seen, *seen + 1))
            return 1;
    return 0;
}

/* waiting: WAITING if the caller is counted as one who waits, else 0. */
static int take_write(struct rwlock *lock, uint32_t waiting, uint32_t *seen) {
    *seen = look(lock);
    while (!(*seen & (WRITER | UPGRADER | READERS)))
        if (swap(lock, seen, (*seen - waiting) | WRITER))
            return 1;
    return 0;
}

int rwlock_try_read(struct rwlock *lock) {
    uint32_t seen;
    return take_read(lock, &seen);
}

void rwlock_read(struct rwlock *lock) {
    uint32_t seen;
    while (!take_read(lock, &seen))
        sleep_on(lock, seen);
}

void rwlock_read_unlock(struct rwlock *lock) {
    uint32_t left = atomic_fetch_sub_explicit(&lock->state, 1, memory_order_release) - 1;
    if ((left & READERS) <= 1 && (left & SLEEPERS))
        wake_sleepers(lock);
}

int rwlock_try_write(struct rwlock *lock) {
    uint32_t seen;
    return take_write(lock, 0, &seen);
}

void rwlock_write(struct rwlock *lock) {
    uint32_t seen;
    if (take_write(lock, 0, &seen))
        return;
    atomic_fetch_add_explicit(&lock->state, WAITING, memory_order_relaxed);
    while (!take_write(lock, WAITING, &seen))
        sleep_on(lock, seen);
}

void rwlock_write_unlock(struct rwlock *lock) {
    if (atomic_fetch_and_explicit(&lock->state, ~(WRITER | SLEEPERS), memory_order_release) & SLEEPERS)
        futex_wake(&lock->state, EVERYBODY);
}

int rwlock_upgrade(struct rwlock *lock) {
    uint32_t seen = atomic_fetch_or_explicit(&lock->state, UPGRADER, memory_order_relaxed);
    if (seen & UPGRADER)
        return 0;
    for (;;) {
        seen = look(lock);
        while ((seen & READERS) == 1)
            if (swap(lock, &seen, (seen - 1 - UPGRADER) | WRITER))
                return 1;
        sleep_on(lock, seen);
    }
}
