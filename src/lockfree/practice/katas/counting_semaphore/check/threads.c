/* On the real machine: two permits pass between four threads, and each hand-over of a number goes through a semaphore. */
#include "futex_given.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "counting_semaphore.h"

enum { TURNS = 5000 };

static struct semaphore *places, *items, *permits;
static _Atomic int inside;
static long slot;

static struct semaphore *make(uint32_t initial, uint32_t max) {
    struct semaphore *semaphore = aligned_alloc(64, (semaphore_size() + 63) / 64 * 64);
    assert(semaphore != NULL);
    semaphore_init(semaphore, initial, max);
    return semaphore;
}

static void *limited(void *none) {
    for (int turn = 0; turn < TURNS; turn++) {
        semaphore_acquire(permits);
        int others = atomic_fetch_add(&inside, 1);
        assert(others < 2 && "no more threads inside than permits");
        atomic_fetch_sub(&inside, 1);
        int given = semaphore_release(permits, 1);
        assert(given && "a permit that was taken can be given back");
    }
    return none;
}

static void *produce(void *none) {
    for (long turn = 0; turn < TURNS; turn++) {
        semaphore_acquire(places);
        slot = turn;
        int given = semaphore_release(items, 1);
        assert(given && "the consumer has taken the last one");
    }
    return none;
}

int main(void) {
    pthread_t threads[4];
    places = make(1, 1);
    items = make(0, 1);
    permits = make(2, 2);
    for (int i = 0; i < 4; i++) {
        int failed = pthread_create(&threads[i], NULL, i < 3 ? limited : produce, NULL);
        assert(!failed);
    }
    for (long turn = 0; turn < TURNS; turn++) {
        semaphore_acquire(items);
        assert(slot == turn && "what was written before the release is there after the acquire");
        int given = semaphore_release(places, 1);
        assert(given && "the producer has taken the last one");
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    free(places);
    free(items);
    free(permits);
    return 0;
}
