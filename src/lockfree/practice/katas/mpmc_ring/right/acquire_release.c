#include "mpmc_ring.h"

#include <stdatomic.h>

/* turn: 2 * p while the slot waits for the put at position p, 2 * p + 1 while it waits for the get there. */
struct slot {
    _Atomic uint32_t turn;
    struct mpmc_record record;
};

struct mpmc_ring {
    uint32_t mask;
    _Alignas(64) _Atomic uint32_t head;
    _Alignas(64) _Atomic uint32_t tail;
    _Alignas(64) struct slot slots[];
};

size_t mpmc_size(uint32_t capacity) { return sizeof(struct mpmc_ring) + capacity * sizeof(struct slot); }

void mpmc_init(struct mpmc_ring *ring, uint32_t capacity, uint32_t start) {
    ring->mask = capacity - 1;
    atomic_init(&ring->head, start);
    atomic_init(&ring->tail, start);
    for (uint32_t i = 0; i < capacity; i++)
        atomic_init(&ring->slots[(start + i) & ring->mask].turn, 2 * (start + i));
}

int mpmc_put(struct mpmc_ring *ring, const struct mpmc_record *record) {
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    for (;;) {
        struct slot *slot = &ring->slots[tail & ring->mask];
        uint32_t turn = atomic_load_explicit(&slot->turn, memory_order_acquire);
        int32_t ahead = (int32_t)(turn - 2 * tail);
        if (ahead < 0)
            return 0;
        if (ahead > 0) {
            tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
            continue;
        }
        if (atomic_compare_exchange_weak_explicit(&ring->tail, &tail, tail + 1, memory_order_relaxed,
                                                  memory_order_relaxed)) {
            slot->record = *record;
            atomic_store_explicit(&slot->turn, turn + 1, memory_order_release);
            return 1;
        }
    }
}

int mpmc_get(struct mpmc_ring *ring, struct mpmc_record *record) {
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    for (;;) {
        struct slot *slot = &ring->slots[head & ring->mask];
        uint32_t turn = atomic_load_explicit(&slot->turn, memory_order_acquire);
        int32_t ahead = (int32_t)(turn - (2 * head + 1));
        if (ahead < 0)
            return 0;
        if (ahead > 0) {
            head = atomic_load_explicit(&ring->head, memory_order_relaxed);
            continue;
        }
        if (atomic_compare_exchange_weak_explicit(&ring->head, &head, head + 1, memory_order_relaxed,
                                                  memory_order_relaxed)) {
            *record = slot->record;
            atomic_store_explicit(&slot->turn, 2 * (head + ring->mask + 1), memory_order_release);
            return 1;
        }
    }
}
