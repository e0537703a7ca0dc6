/* One mutex around everything: what the stage speed compares with. */
#include "mpmc_ring.h"

#include <pthread.h>

struct mpmc_ring {
    pthread_mutex_t guard;
    uint32_t capacity, head, count;
    struct mpmc_record slots[];
};

size_t mpmc_size(uint32_t capacity) { return sizeof(struct mpmc_ring) + capacity * sizeof(struct mpmc_record); }

void mpmc_init(struct mpmc_ring *ring, uint32_t capacity, uint32_t start) {
    pthread_mutex_init(&ring->guard, NULL);
    ring->capacity = capacity;
    ring->head = ring->count = 0;
    (void)start;
}

int mpmc_put(struct mpmc_ring *ring, const struct mpmc_record *record) {
    pthread_mutex_lock(&ring->guard);
    int done = ring->count < ring->capacity;
    if (done)
        ring->slots[(uint32_t)(((uint64_t)ring->head + ring->count++) % ring->capacity)] = *record;
    pthread_mutex_unlock(&ring->guard);
    return done;
}

int mpmc_get(struct mpmc_ring *ring, struct mpmc_record *record) {
    pthread_mutex_lock(&ring->guard);
    int done = ring->count > 0;
    if (done) {
        *record = ring->slots[ring->head];
        ring->head = ring->head + 1 == ring->capacity ? 0 : ring->head + 1;
        ring->count--;
    }
    pthread_mutex_unlock(&ring->guard);
    return done;
}
