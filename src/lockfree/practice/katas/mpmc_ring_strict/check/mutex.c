/* One mutex around everything: what the stage speed compares with. */
#include "mpmc_ring_strict.h"

#include <pthread.h>

struct strict_ring {
    pthread_mutex_t guard;
    uint32_t capacity, head, count;
    uint32_t slots[];
};

size_t strict_size(uint32_t capacity) { return sizeof(struct strict_ring) + capacity * sizeof(uint32_t); }

void strict_init(struct strict_ring *ring, uint32_t capacity, uint32_t start) {
    pthread_mutex_init(&ring->guard, NULL);
    ring->capacity = capacity;
    ring->head = ring->count = 0;
    (void)start;
}

int strict_put(struct strict_ring *ring, uint32_t value) {
    pthread_mutex_lock(&ring->guard);
    int done = ring->count < ring->capacity;
    if (done)
        ring->slots[(uint32_t)(((uint64_t)ring->head + ring->count++) % ring->capacity)] = value;
    pthread_mutex_unlock(&ring->guard);
    return done;
}

int strict_get(struct strict_ring *ring, uint32_t *value) {
    pthread_mutex_lock(&ring->guard);
    int done = ring->count > 0;
    if (done) {
        *value = ring->slots[ring->head];
        ring->head = ring->head + 1 == ring->capacity ? 0 : ring->head + 1;
        ring->count--;
    }
    pthread_mutex_unlock(&ring->guard);
    return done;
}
