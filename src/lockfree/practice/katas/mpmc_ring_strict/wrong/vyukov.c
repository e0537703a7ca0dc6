/* fails: model E1 */
/* The textbook ring: right for the relaxed contract, wrong for this one. */
#include "mpmc_ring_strict.h"

#include <stdatomic.h>

struct slot {
    _Atomic uint32_t turn;
    uint32_t value;
};

struct strict_ring {
    uint32_t mask;
    _Alignas(64) _Atomic uint32_t head;
    _Alignas(64) _Atomic uint32_t tail;
    _Alignas(64) struct slot slots[];
};

size_t strict_size(uint32_t capacity) { return sizeof(struct strict_ring) + capacity * sizeof(struct slot); }

void strict_init(struct strict_ring *ring, uint32_t capacity, uint32_t start) {
    ring->mask = capacity - 1;
    atomic_init(&ring->head, start);
    atomic_init(&ring->tail, start);
    for (uint32_t i = 0; i < capacity; i++)
        atomic_init(&ring->slots[(start + i) & ring->mask].turn, 2 * (start + i));
}

int strict_put(struct strict_ring *ring, uint32_t value) {
    for (;;) {
        uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
        struct slot *slot = &ring->slots[tail & ring->mask];
        uint32_t turn = atomic_load_explicit(&slot->turn, memory_order_acquire);
        int32_t ahead = (int32_t)(turn - 2 * tail);
        if (ahead < 0)
            return 0;
        if (ahead == 0 && atomic_compare_exchange_strong_explicit(&ring->tail, &tail, tail + 1, memory_order_release,
                                                                  memory_order_relaxed)) {
            slot->value = value;
            atomic_store_explicit(&slot->turn, turn + 1, memory_order_release);
            return 1;
        }
    }
}

int strict_get(struct strict_ring *ring, uint32_t *value) {
    for (;;) {
        uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
        struct slot *slot = &ring->slots[head & ring->mask];
        uint32_t turn = atomic_load_explicit(&slot->turn, memory_order_acquire);
        int32_t ahead = (int32_t)(turn - (2 * head + 1));
        if (ahead < 0)
            return 0;
        if (ahead == 0 && atomic_compare_exchange_strong_explicit(&ring->head, &head, head + 1, memory_order_release,
                                                                  memory_order_relaxed)) {
            *value = slot->value;
            atomic_store_explicit(&slot->turn, 2 * (head + ring->mask + 1), memory_order_release);
            return 1;
        }
    }
}
