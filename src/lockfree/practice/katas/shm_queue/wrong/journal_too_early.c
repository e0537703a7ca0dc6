/* fails: kill H3 */
#include "shm_queue.h"

#include <stdatomic.h>

/* A lock that names its holder, and a journal: before a change its result is written down, then it is carried out. A process
 * that takes the lock from a dead holder carries out what is in the journal, once more. */
struct shm_queue {
    _Alignas(64) _Atomic uint32_t owner; /* 0: nobody */
    uint32_t capacity;
    uint32_t count, head;           /* how many are inside, and where the oldest is */
    uint32_t then_count, then_head; /* the same after the change in the journal */
    _Atomic uint32_t journal;       /* 1: the two above are to be carried out */
    uint32_t slots[];
};

size_t shm_size(uint32_t capacity) { return sizeof(struct shm_queue) + capacity * sizeof(uint32_t); }

void shm_init(struct shm_queue *queue, uint32_t capacity) {
    queue->capacity = capacity;
    queue->count = queue->head = queue->then_count = queue->then_head = 0;
    atomic_init(&queue->journal, 0);
    atomic_init(&queue->owner, 0);
}

static void carry_out(struct shm_queue *queue) {
    queue->count = queue->then_count;
    queue->head = queue->then_head;
    atomic_store_explicit(&queue->journal, 0, memory_order_release);
}

static void lock(struct shm_queue *queue, uint32_t me) {
    for (;;) {
        uint32_t owner = atomic_load_explicit(&queue->owner, memory_order_relaxed);
        if (owner != 0 && shm_alive(owner))
            continue;
        if (atomic_compare_exchange_strong_explicit(&queue->owner, &owner, me, memory_order_acquire,
                                                    memory_order_relaxed)) {
            if (owner != 0 && atomic_load_explicit(&queue->journal, memory_order_acquire))
                carry_out(queue);
            return;
        }
    }
}

static void change(struct shm_queue *queue, uint32_t count, uint32_t head) {
    atomic_store_explicit(&queue->journal, 1, memory_order_release);
    queue->then_count = count;
    queue->then_head = head;
    carry_out(queue);
}

static void unlock(struct shm_queue *queue) { atomic_store_explicit(&queue->owner, 0, memory_order_release); }

int shm_put(struct shm_queue *queue, uint32_t me, uint32_t value) {
    lock(queue, me);
    int room = queue->count < queue->capacity;
    if (room) {
        queue->slots[(queue->head + queue->count) % queue->capacity] = value;
        change(queue, queue->count + 1, queue->head);
    }
    unlock(queue);
    return room;
}

int shm_get(struct shm_queue *queue, uint32_t me, uint32_t *value) {
    lock(queue, me);
    int some = queue->count > 0;
    if (some) {
        *value = queue->slots[queue->head];
        change(queue, queue->count - 1, (queue->head + 1) % queue->capacity);
    }
    unlock(queue);
    return some;
}
