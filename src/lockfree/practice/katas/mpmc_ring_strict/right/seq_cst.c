#include "mpmc_ring_strict.h"

#include <stdatomic.h>

/* A slot: a mark in the high half, the value in the low half. The mark is 2 * p while the slot waits for the put at
 * position p, and 2 * p + 1 while it holds the value of p. The swap of the slot is what counts; a counter that lags behind
 * is moved on by any thread that sees it. */
struct strict_ring {
    uint32_t mask;
    _Alignas(64) _Atomic uint32_t head;
    _Alignas(64) _Atomic uint32_t tail;
    _Alignas(64) _Atomic uint64_t slots[];
};

static uint64_t pack(uint32_t mark, uint32_t value) { return (uint64_t)mark << 32 | value; }

size_t strict_size(uint32_t capacity) { return sizeof(struct strict_ring) + capacity * sizeof(uint64_t); }

void strict_init(struct strict_ring *ring, uint32_t capacity, uint32_t start) {
    ring->mask = capacity - 1;
    atomic_init(&ring->head, start);
    atomic_init(&ring->tail, start);
    for (uint32_t i = 0; i < capacity; i++)
        atomic_init(&ring->slots[(start + i) & ring->mask], pack(2 * (start + i), 0));
}

static void move_on(_Atomic uint32_t *counter, uint32_t from) {
    atomic_compare_exchange_strong_explicit(counter, &from, from + 1, memory_order_seq_cst, memory_order_seq_cst);
}

int strict_put(struct strict_ring *ring, uint32_t value) {
    for (;;) {
        uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_seq_cst);
        _Atomic uint64_t *slot = &ring->slots[tail & ring->mask];
        uint64_t seen = atomic_load_explicit(slot, memory_order_seq_cst);
        int32_t ahead = (int32_t)((uint32_t)(seen >> 32) - 2 * tail);
        if (ahead < 0)
            return 0;
        if (ahead == 0 && atomic_compare_exchange_strong_explicit(slot, &seen, pack(2 * tail + 1, value),
                                                                  memory_order_seq_cst, memory_order_seq_cst)) {
            move_on(&ring->tail, tail);
            return 1;
        }
        if (ahead != 0)
            move_on(&ring->tail, tail);
    }
}

int strict_get(struct strict_ring *ring, uint32_t *value) {
    for (;;) {
        uint32_t head = atomic_load_explicit(&ring->head, memory_order_seq_cst);
        _Atomic uint64_t *slot = &ring->slots[head & ring->mask];
        uint64_t seen = atomic_load_explicit(slot, memory_order_seq_cst);
        int32_t ahead = (int32_t)((uint32_t)(seen >> 32) - (2 * head + 1));
        if (ahead < 0)
            return 0;
        if (ahead == 0 && atomic_compare_exchange_strong_explicit(slot, &seen, pack(2 * (head + ring->mask + 1), 0),
                                                                  memory_order_seq_cst, memory_order_seq_cst)) {
            *value = (uint32_t)seen;
            move_on(&ring->head, head);
            return 1;
        }
        if (ahead != 0)
            move_on(&ring->head, head);
    }
}
