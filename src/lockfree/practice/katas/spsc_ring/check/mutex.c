/* One mutex around everything: what the stage speed compares with. */
#include "spsc_ring.h"

#include <pthread.h>

struct spsc_ring {
    pthread_mutex_t guard;
    uint32_t capacity, head, count;
    struct spsc_record slots[];
};

size_t spsc_size(uint32_t capacity) { return sizeof(struct spsc_ring) + capacity * sizeof(struct spsc_record); }

void spsc_init(struct spsc_ring *ring, uint32_t capacity, uint32_t start) {
    pthread_mutex_init(&ring->guard, NULL);
    ring->capacity = capacity;
    ring->head = ring->count = 0;
    (void)start;
}

int spsc_put(struct spsc_ring *ring, const struct spsc_record *record) {
    pthread_mutex_lock(&ring->guard);
    int done = ring->count < ring->capacity;
    if (done)
        ring->slots[(uint32_t)(((uint64_t)ring->head + ring->count++) % ring->capacity)] = *record;
    pthread_mutex_unlock(&ring->guard);
    return done;
}

int spsc_get(struct spsc_ring *ring, struct spsc_record *record) {
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
