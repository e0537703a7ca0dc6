/* fails: edges S3 */
#include "spsc_ring.h"

#include <stdatomic.h>

struct spsc_ring {
    uint32_t capacity;
    _Atomic uint32_t head, tail;
    struct spsc_record slots[];
};

size_t spsc_size(uint32_t capacity) { return sizeof(struct spsc_ring) + capacity * sizeof(struct spsc_record); }

void spsc_init(struct spsc_ring *ring, uint32_t capacity, uint32_t start) {
    ring->capacity = capacity;
    atomic_init(&ring->head, start % capacity);
    atomic_init(&ring->tail, start % capacity);
}

int spsc_put(struct spsc_ring *ring, const struct spsc_record *record) {
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    ring->slots[tail] = *record;
    atomic_store_explicit(&ring->tail, (tail + 1) % ring->capacity, memory_order_release);
    return 1;
}

int spsc_get(struct spsc_ring *ring, struct spsc_record *record) {
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (atomic_load_explicit(&ring->tail, memory_order_acquire) == head)
        return 0;
    *record = ring->slots[head];
    atomic_store_explicit(&ring->head, (head + 1) % ring->capacity, memory_order_release);
    return 1;
}
