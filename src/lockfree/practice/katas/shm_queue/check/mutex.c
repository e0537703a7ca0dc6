/* One mutex around everything: what the stage speed compares with. */
#include "shm_queue.h"

#include <pthread.h>

struct shm_queue {
    pthread_mutex_t guard;
    uint32_t capacity, head, count;
    uint32_t slots[];
};

size_t shm_size(uint32_t capacity) { return sizeof(struct shm_queue) + capacity * sizeof(uint32_t); }

void shm_init(struct shm_queue *queue, uint32_t capacity) {
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&queue->guard, &kind);
    pthread_mutexattr_destroy(&kind);
    queue->capacity = capacity;
    queue->head = queue->count = 0;
}

int shm_put(struct shm_queue *queue, uint32_t me, uint32_t value) {
    pthread_mutex_lock(&queue->guard);
    int done = queue->count < queue->capacity;
    if (done)
        queue->slots[(queue->head + queue->count++) % queue->capacity] = value;
    pthread_mutex_unlock(&queue->guard);
    (void)me;
    return done;
}

int shm_get(struct shm_queue *queue, uint32_t me, uint32_t *value) {
    pthread_mutex_lock(&queue->guard);
    int done = queue->count > 0;
    if (done) {
        *value = queue->slots[queue->head];
        queue->head = (queue->head + 1) % queue->capacity;
        queue->count--;
    }
    pthread_mutex_unlock(&queue->guard);
    (void)me;
    return done;
}
