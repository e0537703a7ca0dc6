/* fails: model W5 */
/* All sleep on one word; the reader that leaves wakes the one that cannot go on. */
#include "rwlock.h"

#include <stdint.h>

/* One word: readers in the low half, then a writer's bit, an upgrader's bit and the number of writers that wait.
 * A thread that changes the word wakes all that sleep on the bell. */
#define READERS 0xffffu
#define WRITER 0x10000u
#define UPGRADER 0x20000u
#define WAITING 0x40000u

struct rwlock {
    _Atomic uint32_t word;
    _Atomic uint32_t bell;
};

size_t rwlock_size(void) { return sizeof(struct rwlock); }

void rwlock_init(struct rwlock *lock) {
    atomic_init(&lock->word, 0);
    atomic_init(&lock->bell, 0);
}

static int change(struct rwlock *lock, uint32_t unless, uint32_t take, uint32_t add) {
    uint32_t seen = atomic_load_explicit(&lock->word, memory_order_relaxed);
    do
        if (seen & unless)
            return 0;
    while (!atomic_compare_exchange_weak_explicit(&lock->word, &seen, seen - take + add, memory_order_acquire,
                                                  memory_order_relaxed));
    return 1;
}

static void leave(struct rwlock *lock, uint32_t take) {
    atomic_fetch_sub_explicit(&lock->word, take, memory_order_release);
    if (take == 1) {
        atomic_fetch_add_explicit(&lock->bell, 1, memory_order_release);
        futex_wake(&lock->bell, 1);
        return;
    }
    atomic_fetch_add_explicit(&lock->bell, 1, memory_order_release);
    futex_wake(&lock->bell, 1000);
}

static void until(struct rwlock *lock, uint32_t unless, uint32_t take, uint32_t add) {
    for (;;) {
        uint32_t rung = atomic_load_explicit(&lock->bell, memory_order_acquire);
        if (change(lock, unless, take, add))
            return;
        futex_wait(&lock->bell, rung);
    }
}

#define NOT_FOR_READERS (~READERS)
void rwlock_read(struct rwlock *lock) { until(lock, NOT_FOR_READERS, 0, 1); }
int rwlock_try_read(struct rwlock *lock) { return change(lock, NOT_FOR_READERS, 0, 1); }
void rwlock_read_unlock(struct rwlock *lock) { leave(lock, 1); }

void rwlock_write(struct rwlock *lock) {
    atomic_fetch_add_explicit(&lock->word, WAITING, memory_order_relaxed);
    until(lock, READERS | WRITER | UPGRADER, WAITING, WRITER);
}
int rwlock_try_write(struct rwlock *lock) { return change(lock, UINT32_MAX, 0, WRITER); }
void rwlock_write_unlock(struct rwlock *lock) { leave(lock, WRITER); }

int rwlock_upgrade(struct rwlock *lock) {
    if (!change(lock, UPGRADER, 1, UPGRADER))
        return 0;
    until(lock, READERS | WRITER, UPGRADER, WRITER);
    return 1;
}
