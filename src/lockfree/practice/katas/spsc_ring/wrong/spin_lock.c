/* fails: stop S7 */
/* A spin lock around a plain ring. */
#include "spsc_ring.h"

#include <stdatomic.h>

struct spsc_ring {
    atomic_flag busy;
    uint32_t capacity, inside, read_at;
    struct spsc_record slots[];
};

size_t spsc_size(uint32_t capacity) { return sizeof(struct spsc_ring) + capacity * sizeof(struct spsc_record); }

void spsc_init(struct spsc_ring *ring, uint32_t capacity, uint32_t start) {
    (void)start;
    atomic_flag_clear(&ring->busy);
    ring->capacity = capacity;
    ring->inside = ring->read_at = 0;
}

static void enter(struct spsc_ring *ring) {
    while (atomic_flag_test_and_set_explicit(&ring->busy, memory_order_acquire))
        ;
}

static void leave(struct spsc_ring *ring) { atomic_flag_clear_explicit(&ring->busy, memory_order_release); }

int spsc_put(struct spsc_ring *ring, const struct spsc_record *record) {
    enter(ring);
    int room = ring->inside < ring->capacity;
    if (room) {
        ring->slots[((uint64_t)ring->read_at + ring->inside) % ring->capacity] = *record;
        ring->inside++;
    }
    leave(ring);
    return room;
}

int spsc_get(struct spsc_ring *ring, struct spsc_record *record) {
    enter(ring);
    int any = ring->inside > 0;
    if (any) {
        *record = ring->slots[ring->read_at];
        ring->read_at = ring->read_at + 1 == ring->capacity ? 0 : ring->read_at + 1;
        ring->inside--;
    }
    leave(ring);
    return any;
}
