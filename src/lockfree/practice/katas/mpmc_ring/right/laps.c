/* The slots count laps, and the positions have 64 bits: no signed difference is needed. */
#include "mpmc_ring.h"

#include <stdatomic.h>

struct slot {
    _Atomic uint32_t phase; /* 2 * lap: free for this lap; 2 * lap + 1: filled in it */
    struct mpmc_record record;
};

struct mpmc_ring {
    uint32_t capacity, start, shift;
    _Alignas(64) _Atomic uint64_t head;
    _Alignas(64) _Atomic uint64_t tail;
    _Alignas(64) struct slot slots[];
};

size_t mpmc_size(uint32_t capacity) { return sizeof(struct mpmc_ring) + capacity * sizeof(struct slot); }

void mpmc_init(struct mpmc_ring *ring, uint32_t capacity, uint32_t start) {
    ring->capacity = capacity;
    ring->start = start;
    while (capacity >> ring->shift > 1)
        ring->shift++;
    for (uint32_t i = 0; i < capacity; i++)
        atomic_init(&ring->slots[i].phase, 2 * start);
}

static uint32_t lap(const struct mpmc_ring *ring, uint64_t position) {
    return 2 * (ring->start + (uint32_t)(position >> ring->shift));
}

int mpmc_put(struct mpmc_ring *ring, const struct mpmc_record *record) {
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    for (;;) {
        struct slot *slot = &ring->slots[tail & (ring->capacity - 1)];
        uint32_t phase = atomic_load_explicit(&slot->phase, memory_order_acquire);
        if (phase == lap(ring, tail)) {
            if (!atomic_compare_exchange_strong_explicit(&ring->tail, &tail, tail + 1, memory_order_relaxed,
                                                         memory_order_relaxed))
                continue;
            slot->record = *record;
            atomic_store_explicit(&slot->phase, phase + 1, memory_order_release);
            return 1;
        }
        uint64_t seen = atomic_load_explicit(&ring->tail, memory_order_relaxed);
        if (seen == tail)
            return 0;
        tail = seen;
    }
}

int mpmc_get(struct mpmc_ring *ring, struct mpmc_record *record) {
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    for (;;) {
        struct slot *slot = &ring->slots[head & (ring->capacity - 1)];
        uint32_t phase = atomic_load_explicit(&slot->phase, memory_order_acquire);
        if (phase == lap(ring, head) + 1) {
            if (!atomic_compare_exchange_strong_explicit(&ring->head, &head, head + 1, memory_order_relaxed,
                                                         memory_order_relaxed))
                continue;
            *record = slot->record;
            atomic_store_explicit(&slot->phase, phase + 1, memory_order_release);
            return 1;
        }
        uint64_t seen = atomic_load_explicit(&ring->head, memory_order_relaxed);
        if (seen == head)
            return 0;
        head = seen;
    }
}
