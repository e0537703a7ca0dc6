/* A ring for one producer and one consumer thread. Both calls return at once: 1 done, 0 full or empty. */
#ifndef SPSC_RING_H
#define SPSC_RING_H

#include <stddef.h>
#include <stdint.h>

struct spsc_record {
    uint64_t id, payload;
};

struct spsc_ring; /* yours */

size_t spsc_size(uint32_t capacity);
/* By one thread, before the others begin. */
void spsc_init(struct spsc_ring *ring, uint32_t capacity, uint32_t start);
/* By the producer alone. */
int spsc_put(struct spsc_ring *ring, const struct spsc_record *record);
/* By the consumer alone. */
int spsc_get(struct spsc_ring *ring, struct spsc_record *record);

#endif
