/* On the real machine: two producers and two consumers pass records, each with its producer's order. */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "mpmc_ring.h"

enum { FEW = 2000, MANY = 50000 };

static uint32_t records; /* of each producer */

static struct mpmc_ring *ring;
static _Atomic int left;
static unsigned char seen[2][MANY];

static void *produce(void *number) {
    uint64_t me = *(int *)number;
    for (uint64_t i = 0; i < records;) {
        uint64_t id = me << 32 | i;
        struct mpmc_record record = {id, ~id};
        if (mpmc_put(ring, &record))
            i++;
        else
            sched_yield();
    }
    return NULL;
}

static void *consume(void *none) {
    int64_t last[2] = {-1, -1};
    while (atomic_load(&left) > 0) {
        struct mpmc_record record;
        if (!mpmc_get(ring, &record)) {
            sched_yield();
            continue;
        }
        atomic_fetch_sub(&left, 1);
        uint64_t from = record.id >> 32, i = record.id & UINT32_MAX;
        assert(record.payload == ~record.id && from < 2 && i < records && "four threads: the record is whole");
        assert((int64_t)i > last[from] && "four threads: in the order of the producer");
        assert(!seen[from][i] && "four threads: each record once");
        seen[from][i] = 1;
        last[from] = (int64_t)i;
    }
    return none;
}

static void pass(uint32_t capacity, uint32_t number) {
    records = number;
    size_t bytes = (mpmc_size(capacity) + 63) / 64 * 64;
    ring = aligned_alloc(64, bytes);
    assert(ring != NULL);
    memset(ring, 0, bytes);
    memset(seen, 0, sizeof seen);
    mpmc_init(ring, capacity, UINT32_MAX - 1000);
    atomic_store(&left, 2 * (int)records);
    pthread_t threads[4];
    int numbers[2] = {0, 1};
    for (int i = 0; i < 4; i++) {
        int failed = pthread_create(&threads[i], NULL, i < 2 ? produce : consume, i < 2 ? &numbers[i] : NULL);
        assert(!failed);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    struct mpmc_record record;
    assert(!mpmc_get(ring, &record) && "four threads: nothing is left");
    free(ring);
}

int main(void) {
    pass(1, FEW); /* each of them is a turn of two threads */
    pass(64, MANY);
    return 0;
}
