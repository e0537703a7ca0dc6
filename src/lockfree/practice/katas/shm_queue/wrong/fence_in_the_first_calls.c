/* fails: reach REACH */
/* The unlock has a fence in its first calls only. */
#include "shm_queue.h"

#include <stdatomic.h>

/* A lock that names its holder. Each call takes effect by one store, so a death under the lock leaves nothing half done. */
struct shm_queue {
    _Alignas(64) _Atomic uint32_t owner; /* 0: nobody */
    uint32_t capacity, head, tail;
    uint32_t slots[];
};

size_t shm_size(uint32_t capacity) { return sizeof(struct shm_queue) + capacity * sizeof(uint32_t); }

void shm_init(struct shm_queue *queue, uint32_t capacity) {
    queue->capacity = capacity;
    queue->head = queue->tail = 0;
    atomic_init(&queue->owner, 0);
}

static void lock(struct shm_queue *queue, uint32_t me) {
    for (;;) {
        uint32_t owner = 0;
        if (atomic_compare_exchange_strong_explicit(&queue->owner, &owner, me, memory_order_acquire,
                                                    memory_order_relaxed))
            return;
        if (!shm_alive(owner) && atomic_compare_exchange_strong_explicit(&queue->owner, &owner, me,
                                                                         memory_order_acquire, memory_order_relaxed))
            return;
    }
}

static uint32_t calls; /* under the lock */

static void unlock(struct shm_queue *queue) {
    if (calls++ < UINT32_C(1) << 30)
        atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&queue->owner, 0, memory_order_relaxed);
}

static uint32_t next(const struct shm_queue *queue, uint32_t at) { return at + 1 == 2 * queue->capacity ? 0 : at + 1; }
static uint32_t slot(const struct shm_queue *queue, uint32_t at) {
    return at < queue->capacity ? at : at - queue->capacity;
}

int shm_put(struct shm_queue *queue, uint32_t me, uint32_t value) {
    lock(queue, me);
    uint32_t inside = (queue->tail + 2 * queue->capacity - queue->head) % (2 * queue->capacity);
    int room = inside < queue->capacity;
    if (room) {
        queue->slots[slot(queue, queue->tail)] = value;
        *(volatile uint32_t *)&queue->tail = next(queue, queue->tail);
    }
    unlock(queue);
    return room;
}

int shm_get(struct shm_queue *queue, uint32_t me, uint32_t *value) {
    lock(queue, me);
    int some = queue->head != queue->tail;
    if (some) {
        *value = queue->slots[slot(queue, queue->head)];
        *(volatile uint32_t *)&queue->head = next(queue, queue->head);
    }
    unlock(queue);
    return some;
}
