/* Rounds the number of shards up, so that a mask finds the shard: no division in an add. */
#include "counters.h"

#include <stdatomic.h>

struct shard {
    _Alignas(64) _Atomic uint64_t hits;
};

struct counters {
    uint32_t mask;
    struct shard shard[];
};

/* One less than the next power of two: the highest bit is copied to all lower ones. */
static uint32_t mask_of(uint32_t shards) {
    uint32_t mask = shards - 1;
    mask |= mask >> 1;
    mask |= mask >> 2;
    mask |= mask >> 4;
    return mask | mask >> 8;
}

size_t counters_size(uint32_t shards) { return sizeof(struct counters) + (mask_of(shards) + 1) * sizeof(struct shard); }

void counters_init(struct counters *counters, uint32_t shards, uint64_t start) {
    counters->mask = mask_of(shards);
    for (uint32_t i = 0; i < counters->mask + 1; i++)
        atomic_init(&counters->shard[i].hits, i == 0 ? start : 0);
}

void counters_add(struct counters *counters, uint32_t who, uint64_t hits) {
    atomic_fetch_add_explicit(&counters->shard[who & counters->mask].hits, hits, memory_order_relaxed);
}

uint64_t counters_total(struct counters *counters) {
    uint64_t total = 0;
    for (uint32_t i = 0; i <= counters->mask; i++)
        total += atomic_load_explicit(&counters->shard[i].hits, memory_order_relaxed);
    return total;
}

uint64_t counters_take(struct counters *counters) {
    uint64_t total = 0;
    for (uint32_t i = 0; i <= counters->mask; i++)
        total += atomic_fetch_and_explicit(&counters->shard[i].hits, 0, memory_order_relaxed);
    return total;
}
