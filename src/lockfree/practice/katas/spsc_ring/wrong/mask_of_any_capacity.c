/* fails: edges S8 */
/* A mask instead of the remainder. */
#include "spsc_ring.h"

#include <stdatomic.h>

struct spsc_ring {
    uint32_t capacity;
    _Alignas(64) _Atomic uint64_t head;
    _Alignas(64) _Atomic uint64_t tail;
    _Alignas(64) struct spsc_record slots[];
};

size_t spsc_size(uint32_t capacity) { return sizeof(struct spsc_ring) + capacity * sizeof(struct spsc_record); }

void spsc_init(struct spsc_ring *ring, uint32_t capacity, uint32_t start) {
    ring->capacity = capacity;
    atomic_init(&ring->head, start);
    atomic_init(&ring->tail, start);
}

int spsc_put(struct spsc_ring *ring, const struct spsc_record *record) {
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (tail - atomic_load_explicit(&ring->head, memory_order_acquire) == ring->capacity)
        return 0;
    ring->slots[tail & (ring->capacity - 1)] = *record;
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return 1;
}

int spsc_get(struct spsc_ring *ring, struct spsc_record *record) {
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (head == atomic_load_explicit(&ring->tail, memory_order_acquire))
        return 0;
    *record = ring->slots[head & (ring->capacity - 1)];
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return 1;
}
