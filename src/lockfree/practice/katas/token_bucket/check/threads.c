/* On the real machine: four threads with a clock of their own making; the tokens add up. */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "token_bucket.h"

enum { THREADS = 4, CALLS = 50000, CAPACITY = 1000, INTERVAL = 1000 };

static struct bucket *bucket;
static _Atomic uint64_t clock_now;
static _Atomic uint64_t taken;

static void *take_all(void *none) {
    for (int call = 0; call < CALLS; call++) {
        uint64_t now = atomic_fetch_add(&clock_now, 300);
        if (call % 64 == 0)
            sched_yield(); /* now is old after this */
        if (bucket_take(bucket, 1, now))
            atomic_fetch_add(&taken, 1);
    }
    return none;
}

int main(void) {
    size_t bytes = (bucket_size() + 63) / 64 * 64;
    bucket = aligned_alloc(64, bytes);
    assert(bucket != NULL);
    memset(bucket, 0, bytes);
    bucket_init(bucket, CAPACITY, INTERVAL, 0);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        int failed = pthread_create(&threads[i], NULL, take_all, NULL);
        assert(!failed);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    uint64_t end = atomic_load(&clock_now);
    assert(taken <= CAPACITY + end / INTERVAL && "four threads: no token comes from nowhere");
    while (bucket_take(bucket, 1, end))
        taken++;
    assert(taken <= CAPACITY + end / INTERVAL && "four threads: no token comes from nowhere");
    assert(taken + 1 >= end / INTERVAL && "four threads: no token is lost while the bucket is not full");
    free(bucket);
    return 0;
}
