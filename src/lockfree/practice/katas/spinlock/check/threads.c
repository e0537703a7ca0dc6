/* On the real machine: three threads, each with another way in, count up a plain number. */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "spinlock.h"

enum { TURNS = 20000 };

static struct spinlock lock;
static long count;

uint64_t spinlock_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void spinlock_yield(void) { sched_yield(); }

static void *by_lock(void *none) {
    for (int turn = 0; turn < TURNS; turn++) {
        spinlock_lock(&lock);
        count++;
        spinlock_unlock(&lock);
    }
    return none;
}

static void *by_try(void *none) {
    for (int turn = 0; turn < TURNS; turn++) {
        while (!spinlock_try(&lock))
            sched_yield();
        count++;
        spinlock_unlock(&lock);
    }
    return none;
}

static void *by_time(void *none) {
    for (int turn = 0; turn < TURNS; turn++) {
        while (!spinlock_lock_for(&lock, 1000))
            sched_yield();
        count++;
        spinlock_unlock(&lock);
    }
    return none;
}

int main(void) {
    pthread_t threads[3];
    void *(*ways[])(void *) = {by_lock, by_try, by_time};
    for (int i = 0; i < 3; i++) {
        int failed = pthread_create(&threads[i], NULL, ways[i], NULL);
        assert(!failed);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert(count == 3L * TURNS && "no increment is lost");
    assert(spinlock_try(&lock) && "the lock is free in the end");
    return 0;
}
