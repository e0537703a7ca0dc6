/* fails: kill H1 */
#include "shm_queue.h"

#include <stdatomic.h>

/* A ring with a turn in each slot. Between the claim and the store of the turn, the slot belongs to somebody who may die. */
struct slot {
    _Atomic uint64_t turn;
    uint32_t value;
};
struct shm_queue {
    uint32_t capacity;
    _Alignas(64) _Atomic uint64_t head;
    _Alignas(64) _Atomic uint64_t tail;
    struct slot slots[];
};

size_t shm_size(uint32_t capacity) { return sizeof(struct shm_queue) + capacity * sizeof(struct slot); }

void shm_init(struct shm_queue *queue, uint32_t capacity) {
    queue->capacity = capacity;
    atomic_init(&queue->head, 0);
    atomic_init(&queue->tail, 0);
    for (uint32_t i = 0; i < capacity; i++)
        atomic_init(&queue->slots[i].turn, 0);
}

int shm_put(struct shm_queue *queue, uint32_t me, uint32_t value) {
    (void)me;
    uint64_t tail = atomic_load(&queue->tail);
    do {
        if (tail - atomic_load(&queue->head) >= queue->capacity)
            return 0;
    } while (!atomic_compare_exchange_weak(&queue->tail, &tail, tail + 1));
    struct slot *slot = &queue->slots[tail % queue->capacity];
    uint64_t lap = tail / queue->capacity;
    while (atomic_load(&slot->turn) != 2 * lap)
        ;
    slot->value = value;
    atomic_store(&slot->turn, 2 * lap + 1);
    return 1;
}

int shm_get(struct shm_queue *queue, uint32_t me, uint32_t *value) {
    (void)me;
    uint64_t head = atomic_load(&queue->head);
    do {
        if (head == atomic_load(&queue->tail))
            return 0;
    } while (!atomic_compare_exchange_weak(&queue->head, &head, head + 1));
    struct slot *slot = &queue->slots[head % queue->capacity];
    uint64_t lap = head / queue->capacity;
    while (atomic_load(&slot->turn) != 2 * lap + 1)
        ;
    *value = slot->value;
    atomic_store(&slot->turn, 2 * lap + 2);
    return 1;
}
