/* A ring of numbers for many producers and many consumers: lock-free, and full or empty only if it is so. */
#ifndef MPMC_RING_STRICT_H
#define MPMC_RING_STRICT_H

#include <stddef.h>
#include <stdint.h>

struct strict_ring; /* yours */

/* Bytes; the memory that strict_init gets is zeroed, and aligned to 64. capacity: a power of two, 1 to 65,536. */
size_t strict_size(uint32_t capacity);
/* By one thread, before the others begin. start: where your counters begin. */
void strict_init(struct strict_ring *ring, uint32_t capacity, uint32_t start);
/* 1; 0: at some moment of this call the ring held `capacity` values. */
int strict_put(struct strict_ring *ring, uint32_t value);
/* 1, and the oldest value; 0: at some moment of this call the ring held none. */
int strict_get(struct strict_ring *ring, uint32_t *value);

#endif
