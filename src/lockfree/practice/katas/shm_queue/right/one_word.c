#include "shm_queue.h"

#include <stdatomic.h>

/* A slot is one word: its lap, whether it is full, and the value. A put is one compare-exchange, and so is a get: there is no
 * instant at which a dead process could hold anything. Head and tail are behind at most, and everybody helps. */
struct shm_queue {
    uint32_t capacity;
    _Alignas(64) _Atomic uint64_t head;
    _Alignas(64) _Atomic uint64_t tail;
    _Alignas(64) _Atomic uint64_t slots[];
};

size_t shm_size(uint32_t capacity) { return sizeof(struct shm_queue) + capacity * sizeof(uint64_t); }

void shm_init(struct shm_queue *queue, uint32_t capacity) {
    queue->capacity = capacity;
    atomic_init(&queue->head, 0);
    atomic_init(&queue->tail, 0);
    for (uint32_t i = 0; i < capacity; i++)
        atomic_init(&queue->slots[i], 0);
}

static uint64_t word(uint64_t turn, uint32_t value) { return turn << 32 | value; }

static void help(_Atomic uint64_t *count, uint64_t from) { atomic_compare_exchange_strong(count, &from, from + 1); }

int shm_put(struct shm_queue *queue, uint32_t me, uint32_t value) {
    (void)me;
    for (;;) {
        uint64_t tail = atomic_load(&queue->tail), head = atomic_load(&queue->head);
        uint64_t turn = 2 * (tail / queue->capacity);
        _Atomic uint64_t *slot = &queue->slots[tail % queue->capacity];
        uint64_t seen = atomic_load(slot), there = seen >> 32;
        if (tail != atomic_load(&queue->tail))
            continue;
        if (there > turn) {
            help(&queue->tail, tail);
        } else if (there == turn) {
            if (atomic_compare_exchange_strong(slot, &seen, word(turn + 1, value))) {
                help(&queue->tail, tail);
                return 1;
            }
        } else if (head + queue->capacity < tail) {
            help(&queue->head, head); /* its record is out, or nobody could have put one at tail - 1 */
        } else if (head == atomic_load(&queue->head)) {
            return 0; /* the record of the last round is in its slot, so head + capacity is tail */
        }
    }
}

int shm_get(struct shm_queue *queue, uint32_t me, uint32_t *value) {
    (void)me;
    for (;;) {
        uint64_t head = atomic_load(&queue->head);
        uint64_t turn = 2 * (head / queue->capacity) + 1;
        _Atomic uint64_t *slot = &queue->slots[head % queue->capacity];
        uint64_t seen = atomic_load(slot), there = seen >> 32;
        if (head != atomic_load(&queue->head))
            continue;
        if (there > turn) {
            help(&queue->head, head);
        } else if (there == turn) {
            if (atomic_compare_exchange_strong(slot, &seen, word(turn + 1, 0))) {
                help(&queue->head, head);
                *value = (uint32_t)seen;
                return 1;
            }
        } else {
            return 0;
        }
    }
}
