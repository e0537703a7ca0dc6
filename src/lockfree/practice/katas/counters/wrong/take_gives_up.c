/* fails: model H7 */
/* Takes with a compare-and-swap that it does not repeat: a hit that comes meanwhile keeps back those before it. */
#include "counters.h"

#include <stdatomic.h>

struct shard {
    _Alignas(64) _Atomic uint64_t hits;
};

struct counters {
    uint32_t shards; /* on a line that nobody writes */
    struct shard shard[];
};

size_t counters_size(uint32_t shards) { return sizeof(struct counters) + shards * sizeof(struct shard); }

void counters_init(struct counters *counters, uint32_t shards, uint64_t start) {
    counters->shards = shards;
    for (uint32_t i = 0; i < shards; i++)
        atomic_init(&counters->shard[i].hits, i == 0 ? start : 0);
}

void counters_add(struct counters *counters, uint32_t who, uint64_t hits) {
    atomic_fetch_add_explicit(&counters->shard[who % counters->shards].hits, hits, memory_order_relaxed);
}

uint64_t counters_total(struct counters *counters) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < counters->shards; i++)
        total += atomic_load_explicit(&counters->shard[i].hits, memory_order_relaxed);
    return total;
}

uint64_t counters_take(struct counters *counters) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < counters->shards; i++) {
        uint64_t hits = atomic_load_explicit(&counters->shard[i].hits, memory_order_relaxed);
        if (atomic_compare_exchange_strong_explicit(&counters->shard[i].hits, &hits, 0, memory_order_relaxed,
                                                    memory_order_relaxed))
            total += hits;
    }
    return total;
}
