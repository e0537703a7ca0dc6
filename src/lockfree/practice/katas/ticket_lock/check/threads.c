/* On the real machine: three threads count up a plain number, across the wrap. */
#include <assert.h>
#include <pthread.h>
#include <sched.h>

#include "ticket_lock.h"

enum { TURNS = 5000 };

static struct ticket_lock lock = {UINT32_MAX - TURNS, UINT32_MAX - TURNS};
static long count;

void ticket_yield(void) { sched_yield(); }

static void *by_lock(void *none) {
    for (int turn = 0; turn < TURNS; turn++) {
        ticket_lock(&lock);
        count++;
        ticket_unlock(&lock);
    }
    return none;
}

static void *by_try(void *none) {
    for (int turn = 0; turn < TURNS; turn++) {
        while (!ticket_try(&lock))
            sched_yield();
        count++;
        ticket_unlock(&lock);
    }
    return none;
}

int main(void) {
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        int failed = pthread_create(&threads[i], NULL, i < 2 ? by_lock : by_try, NULL);
        assert(!failed);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert(count == 3L * TURNS && "no increment is lost");
    assert(ticket_try(&lock) && "the lock is free in the end");
    return 0;
}
