/* On the real machine: three threads sum up what all have written, in many rounds. */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "barrier.h"

enum { THREADS = 3, ROUNDS = 3000 };

static struct barrier *barrier;
static long written[THREADS][16];

void barrier_yield(void) { sched_yield(); }

static void *work(void *mine) {
    for (long round = 0; round < ROUNDS; round++) {
        *(long *)mine = round;
        barrier_wait(barrier);
        for (int i = 0; i < THREADS; i++)
            assert(written[i][0] == round && "all have come to this round");
        barrier_wait(barrier);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    barrier = aligned_alloc(64, (barrier_size() + 63) / 64 * 64);
    assert(barrier != NULL);
    barrier_init(barrier, THREADS, UINT32_MAX - ROUNDS);
    for (int i = 0; i < THREADS; i++) {
        int failed = pthread_create(&threads[i], NULL, work, &written[i][0]);
        assert(!failed);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    free(barrier);
    return 0;
}
