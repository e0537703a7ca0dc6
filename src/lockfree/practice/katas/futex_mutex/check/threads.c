/* On the real machine: four threads count up a plain number. */
#include "futex_given.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>

#include "futex_mutex.h"

enum { TURNS = 20000 };

static struct mutex mutex;
static long count;

static void *by_lock(void *none) {
    for (int turn = 0; turn < TURNS; turn++) {
        mutex_lock(&mutex);
        count++;
        mutex_unlock(&mutex);
    }
    return none;
}

static void *by_try(void *none) {
    for (int turn = 0; turn < TURNS; turn++) {
        while (!mutex_try(&mutex))
            sched_yield();
        count++;
        mutex_unlock(&mutex);
    }
    return none;
}

int main(void) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        int failed = pthread_create(&threads[i], NULL, i < 3 ? by_lock : by_try, NULL);
        assert(!failed);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert(count == 4L * TURNS && "no increment is lost");
    assert(mutex_try(&mutex) && "the mutex is free in the end");
    return 0;
}
