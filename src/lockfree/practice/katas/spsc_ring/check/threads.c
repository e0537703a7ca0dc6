/* On the real machine: large rings, and two threads that pass records. */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "spsc_ring.h"

enum { FEW = 2000, MANY = 100000 };

static uint64_t records; /* that the two threads pass */

static struct spsc_ring *make(uint32_t capacity, uint32_t start) {
    size_t bytes = (spsc_size(capacity) + 63) / 64 * 64;
    struct spsc_ring *ring = aligned_alloc(64, bytes);
    assert(ring != NULL);
    spsc_init(ring, capacity, start);
    return ring;
}

static void edge_many(void) {
    struct spsc_ring *ring = make(70000, UINT32_MAX - 5);
    struct spsc_record record;
    for (uint64_t turn = 0; turn < 3; turn++) {
        for (uint64_t id = 0; id < 70000; id++) {
            record = (struct spsc_record){id, turn};
            int put = spsc_put(ring, &record);
            assert(put && "a ring of 70,000 takes 70,000 records");
        }
        assert(!spsc_put(ring, &record) && "and no more");
        for (uint64_t id = 0; id < 70000; id++) {
            int got = spsc_get(ring, &record);
            assert(got && record.id == id && record.payload == turn && "in order");
        }
        assert(!spsc_get(ring, &record) && "then it is empty");
    }
    free(ring);
}

static void *produce(void *ring) {
    for (uint64_t id = 0; id < records;) {
        struct spsc_record record = {id, ~id};
        if (spsc_put(ring, &record))
            id++;
        else
            sched_yield();
    }
    return NULL;
}

static void two_threads(uint32_t capacity, uint64_t number) {
    records = number;
    struct spsc_ring *ring = make(capacity, UINT32_MAX - 1000);
    pthread_t producer;
    int started = pthread_create(&producer, NULL, produce, ring);
    assert(started == 0);
    for (uint64_t id = 0; id < records;) {
        struct spsc_record record;
        if (!spsc_get(ring, &record)) {
            sched_yield();
            continue;
        }
        assert(record.id == id && record.payload == ~id && "two threads: whole, and in order");
        id++;
    }
    pthread_join(producer, NULL);
    free(ring);
}

int main(void) {
    edge_many();
    two_threads(3, FEW); /* each three of them are a turn of the two threads */
    two_threads(64, MANY);
    return 0;
}
