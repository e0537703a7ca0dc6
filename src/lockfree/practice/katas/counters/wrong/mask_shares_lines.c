/* fails: edges H4 */
/* A mask in the place of a remainder: no hit is lost, but with three shards two of the threads share one. */
#include "counters.h"

#include <stdalign.h>
#include <stdatomic.h>

struct shard {
    alignas(64) _Atomic uint64_t hits;
};
struct counters {
    alignas(64) uint32_t shards;
    struct shard shard[];
};

size_t counters_size(uint32_t shards) { return sizeof(struct counters) + shards * sizeof(struct shard); }

void counters_init(struct counters *counters, uint32_t shards, uint64_t start) {
    counters->shards = shards;
    for (uint32_t i = 0; i < shards; i++)
        atomic_init(&counters->shard[i].hits, i == 0 ? start : 0);
}

void counters_add(struct counters *counters, uint32_t who, uint64_t hits) {
    atomic_fetch_add_explicit(&counters->shard[who & (counters->shards - 1)].hits, hits, memory_order_relaxed);
}

uint64_t counters_total(struct counters *counters) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < counters->shards; i++)
        sum += atomic_load_explicit(&counters->shard[i].hits, memory_order_relaxed);
    return sum;
}

uint64_t counters_take(struct counters *counters) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < counters->shards; i++)
        sum += atomic_exchange_explicit(&counters->shard[i].hits, 0, memory_order_relaxed);
    return sum;
}
