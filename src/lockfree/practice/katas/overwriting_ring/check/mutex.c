/* One mutex around everything: what the stage speed compares with. */
#include "overwriting_ring.h"

#include <pthread.h>

struct latest {
    pthread_mutex_t guard;
    uint32_t slots;
    uint64_t first, next;
    struct event events[];
};

size_t latest_size(uint32_t slots) { return sizeof(struct latest) + slots * sizeof(struct event); }

void latest_init(struct latest *ring, uint32_t slots, uint64_t first) {
    pthread_mutex_init(&ring->guard, NULL);
    ring->slots = slots;
    ring->first = ring->next = first;
}

void latest_put(struct latest *ring, const struct event *event) {
    pthread_mutex_lock(&ring->guard);
    ring->events[ring->next++ % ring->slots] = *event;
    pthread_mutex_unlock(&ring->guard);
}

uint64_t latest_next(const struct latest *ring) {
    pthread_mutex_t *guard = (pthread_mutex_t *)&ring->guard;
    pthread_mutex_lock(guard);
    uint64_t next = ring->next;
    pthread_mutex_unlock(guard);
    return next;
}

enum latest_answer latest_get(const struct latest *ring, uint64_t number, struct event *event) {
    pthread_mutex_t *guard = (pthread_mutex_t *)&ring->guard;
    pthread_mutex_lock(guard);
    enum latest_answer found = number >= ring->next ? LATEST_LATER : LATEST_FOUND;
    if (found == LATEST_FOUND && ring->next - number > ring->slots)
        found = LATEST_LOST;
    if (found == LATEST_FOUND)
        *event = ring->events[number % ring->slots];
    pthread_mutex_unlock(guard);
    return found;
}
