#include "shm_queue.h"

#include <stdatomic.h>

struct shm_queue {
    uint32_t capacity;
    uint32_t slots[];
};

size_t shm_size(uint32_t capacity) { return sizeof(struct shm_queue) + capacity * sizeof(uint32_t); }

void shm_init(struct shm_queue *queue, uint32_t capacity) { queue->capacity = capacity; }

int shm_put(struct shm_queue *queue, uint32_t me, uint32_t value) {
    (void)queue, (void)me, (void)value;
    return 0;
}

int shm_get(struct shm_queue *queue, uint32_t me, uint32_t *value) {
    (void)queue, (void)me, (void)value;
    return 0;
}
