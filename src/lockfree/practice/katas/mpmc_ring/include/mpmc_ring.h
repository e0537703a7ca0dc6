/* A ring for many producers and many consumers. Each call returns at once: 1 done; 0 full or empty. */
#ifndef MPMC_RING_H
#define MPMC_RING_H

#include <stddef.h>
#include <stdint.h>

struct mpmc_record {
    uint64_t id, payload;
};

struct mpmc_ring; /* yours */

/* Bytes; the memory that mpmc_init gets is zeroed, and aligned to 64. capacity: a power of two, 1 to 65,536. */
size_t mpmc_size(uint32_t capacity);
/* By one thread, before the others begin. start: where your counters begin. */
void mpmc_init(struct mpmc_ring *ring, uint32_t capacity, uint32_t start);
/* 0: the ring was full, or a call of another thread is under way. */
int mpmc_put(struct mpmc_ring *ring, const struct mpmc_record *record);
/* 0: the ring was empty, or a call of another thread is under way. */
int mpmc_get(struct mpmc_ring *ring, struct mpmc_record *record);

#endif
