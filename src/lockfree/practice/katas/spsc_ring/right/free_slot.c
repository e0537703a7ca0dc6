/* One slot is always free, so equal indices mean empty. Each side looks at the other one only when it must. */
#include "spsc_ring.h"

#include <stdatomic.h>

struct spsc_ring {
    uint32_t slots;
    _Alignas(64) _Atomic uint32_t read_at;
    uint32_t seen_write;
    _Alignas(64) _Atomic uint32_t write_at;
    uint32_t seen_read;
    _Alignas(64) struct spsc_record record[];
};

static uint32_t after(const struct spsc_ring *ring, uint32_t at) { return at + 1 == ring->slots ? 0 : at + 1; }

size_t spsc_size(uint32_t capacity) {
    return sizeof(struct spsc_ring) + ((size_t)capacity + 1) * sizeof(struct spsc_record);
}

void spsc_init(struct spsc_ring *ring, uint32_t capacity, uint32_t start) {
    (void)start;
    ring->slots = capacity + 1;
    ring->seen_write = ring->seen_read = 0;
    atomic_init(&ring->read_at, 0);
    atomic_init(&ring->write_at, 0);
}

int spsc_put(struct spsc_ring *ring, const struct spsc_record *record) {
    uint32_t at = atomic_load_explicit(&ring->write_at, memory_order_relaxed), next = after(ring, at);
    if (next == ring->seen_read) {
        ring->seen_read = atomic_load_explicit(&ring->read_at, memory_order_acquire);
        if (next == ring->seen_read)
            return 0;
    }
    ring->record[at] = *record;
    atomic_store_explicit(&ring->write_at, next, memory_order_release);
    return 1;
}

int spsc_get(struct spsc_ring *ring, struct spsc_record *record) {
    uint32_t at = atomic_load_explicit(&ring->read_at, memory_order_relaxed);
    if (at == ring->seen_write) {
        ring->seen_write = atomic_load_explicit(&ring->write_at, memory_order_acquire);
        if (at == ring->seen_write)
            return 0;
    }
    *record = ring->record[at];
    atomic_store_explicit(&ring->read_at, after(ring, at), memory_order_release);
    return 1;
}
