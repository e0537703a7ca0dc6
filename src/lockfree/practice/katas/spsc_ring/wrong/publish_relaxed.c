/* fails: model S1 */
#include "spsc_ring.h"

#include <stdatomic.h>

struct spsc_ring {
    uint32_t capacity;
    _Alignas(64) _Atomic uint32_t head; /* the consumer's count */
    uint32_t read_at;                   /* the consumer's slot */
    _Alignas(64) _Atomic uint32_t tail; /* the producer's count */
    uint32_t write_at;                  /* the producer's slot */
    struct spsc_record slots[];
};

size_t spsc_size(uint32_t capacity) { return sizeof(struct spsc_ring) + capacity * sizeof(struct spsc_record); }

void spsc_init(struct spsc_ring *ring, uint32_t capacity, uint32_t start) {
    ring->capacity = capacity;
    atomic_init(&ring->head, start);
    atomic_init(&ring->tail, start);
    ring->read_at = ring->write_at = 0;
}

int spsc_put(struct spsc_ring *ring, const struct spsc_record *record) {
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (tail - atomic_load_explicit(&ring->head, memory_order_acquire) == ring->capacity)
        return 0;
    ring->slots[ring->write_at] = *record;
    ring->write_at = ring->write_at + 1 == ring->capacity ? 0 : ring->write_at + 1;
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_relaxed);
    return 1;
}

int spsc_get(struct spsc_ring *ring, struct spsc_record *record) {
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (atomic_load_explicit(&ring->tail, memory_order_acquire) == head)
        return 0;
    *record = ring->slots[ring->read_at];
    ring->read_at = ring->read_at + 1 == ring->capacity ? 0 : ring->read_at + 1;
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return 1;
}
