/* On the real machine: two producers and two consumers pass values, each with its producer's order. */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "mpmc_ring_strict.h"

enum { FEW = 2000, MANY = 50000 };

static uint32_t records; /* of each producer */

static struct strict_ring *ring;
static _Atomic int left;
static unsigned char seen[2][MANY];

static void *produce(void *number) {
    uint32_t me = *(uint32_t *)number;
    for (uint32_t i = 0; i < records;) {
        if (strict_put(ring, me << 31 | i))
            i++;
        else
            sched_yield();
    }
    return NULL;
}

static void *consume(void *none) {
    int64_t last[2] = {-1, -1};
    while (atomic_load(&left) > 0) {
        uint32_t value;
        if (!strict_get(ring, &value)) {
            sched_yield();
            continue;
        }
        atomic_fetch_sub(&left, 1);
        uint32_t from = value >> 31, i = value & INT32_MAX;
        assert(i < records && "four threads: a value that somebody put");
        assert((int64_t)i > last[from] && "four threads: in the order of the producer");
        assert(!seen[from][i] && "four threads: each value once");
        seen[from][i] = 1;
        last[from] = (int64_t)i;
    }
    return none;
}

static void pass(uint32_t capacity, uint32_t number) {
    records = number;
    size_t bytes = (strict_size(capacity) + 63) / 64 * 64;
    ring = aligned_alloc(64, bytes);
    assert(ring != NULL);
    memset(ring, 0, bytes);
    memset(seen, 0, sizeof seen);
    strict_init(ring, capacity, UINT32_MAX - 1000);
    atomic_store(&left, 2 * (int)records);
    pthread_t threads[4];
    uint32_t numbers[2] = {0, 1};
    for (int i = 0; i < 4; i++) {
        int failed = pthread_create(&threads[i], NULL, i < 2 ? produce : consume, i < 2 ? &numbers[i] : NULL);
        assert(!failed);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    uint32_t value;
    assert(!strict_get(ring, &value) && "four threads: nothing is left");
    free(ring);
}

int main(void) {
    pass(1, FEW); /* each of them is a turn of two threads */
    pass(64, MANY);
    return 0;
}
