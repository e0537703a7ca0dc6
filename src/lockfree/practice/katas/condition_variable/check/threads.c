/* On the real machine: 65,536 signals between the unlock and the sleep; then two consumers and a producer. */
#define _GNU_SOURCE
#include <assert.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "condition_variable.h"

enum { ITEMS = 10000, ROOM = 4 };

struct mutex {
    pthread_mutex_t lock;
};

static struct condition *not_empty, *not_full;
static struct mutex mutex = {PTHREAD_MUTEX_INITIALIZER};
static long inside, taken; /* guarded by the mutex */
static int gap;            /* signals that come between the next unlock and the sleep */
static int in_the_gap;

void futex_wait(_Atomic uint32_t *word, uint32_t expected) {
    if (in_the_gap)
        assert(atomic_load(word) != expected && "65,536 signals between the unlock and the sleep are not lost");
    else
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

void futex_wake(_Atomic uint32_t *word, uint32_t count) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count < INT32_MAX ? count : INT32_MAX, NULL, NULL, 0);
}

void mutex_lock(struct mutex *it) { pthread_mutex_lock(&it->lock); }

void mutex_unlock(struct mutex *it) {
    pthread_mutex_unlock(&it->lock);
    for (; gap > 0; gap--)
        condition_signal(not_empty);
}

static struct condition *make(void) {
    struct condition *condition = aligned_alloc(64, (condition_size() + 63) / 64 * 64);
    assert(condition != NULL);
    condition_init(condition, UINT32_MAX - 5);
    return condition;
}

static void signals_in_the_gap(void) {
    mutex_lock(&mutex);
    gap = 65536;
    in_the_gap = 1;
    condition_wait(not_empty, &mutex);
    in_the_gap = 0;
    mutex_unlock(&mutex);
}

static void *produce(void *none) {
    for (long item = 0; item < 2L * ITEMS; item++) {
        mutex_lock(&mutex);
        while (inside == ROOM)
            condition_wait(not_full, &mutex);
        inside++;
        mutex_unlock(&mutex);
        condition_signal(not_empty);
    }
    return none;
}

static void *consume(void *none) {
    for (long item = 0; item < ITEMS; item++) {
        mutex_lock(&mutex);
        while (inside == 0)
            condition_wait(not_empty, &mutex);
        inside--;
        taken++;
        mutex_unlock(&mutex);
        condition_signal(not_full);
    }
    return none;
}

int main(void) {
    pthread_t threads[3];
    not_empty = make();
    not_full = make();
    signals_in_the_gap();
    for (int i = 0; i < 3; i++) {
        int failed = pthread_create(&threads[i], NULL, i == 0 ? produce : consume, NULL);
        assert(!failed);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert(taken == 2L * ITEMS && inside == 0 && "each item is taken once");
    free(not_empty);
    free(not_full);
    return 0;
}
