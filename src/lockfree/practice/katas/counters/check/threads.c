/* On the real machine: four threads count in three shards, and one of them takes now and then. */
#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "counters.h"

enum { THREADS = 4, HITS = 100000, SHARDS = 3 };

static struct counters *counters;
static uint64_t taken;

static void *count(void *number) {
    uint32_t who = (uint32_t)(uintptr_t)number;
    for (int hit = 0; hit < HITS; hit++) {
        counters_add(counters, who, 1);
        if (who == 0 && hit % 1000 == 0)
            taken += counters_take(counters);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    size_t bytes = (counters_size(SHARDS) + 63) / 64 * 64;
    counters = aligned_alloc(64, bytes);
    assert(counters != NULL);
    for (size_t i = 0; i < bytes; i++)
        ((unsigned char *)counters)[i] = 0;
    counters_init(counters, SHARDS, UINT32_MAX);
    for (uintptr_t i = 0; i < THREADS; i++) {
        int failed = pthread_create(&threads[i], NULL, count, (void *)i);
        assert(!failed);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert(taken + counters_total(counters) == (uint64_t)UINT32_MAX + THREADS * HITS && "no hit is lost");
    free(counters);
    return 0;
}
