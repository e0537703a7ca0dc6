/* fails: model H2 */
/* Each number is in two halves: a reader can come in between. */
#include "counters.h"

#include <stdatomic.h>

struct shard {
    _Alignas(64) _Atomic uint32_t low;
    _Atomic uint32_t high;
};

struct counters {
    uint32_t shards;
    struct shard shard[];
};

size_t counters_size(uint32_t shards) { return sizeof(struct counters) + shards * sizeof(struct shard); }

void counters_init(struct counters *counters, uint32_t shards, uint64_t start) {
    counters->shards = shards;
    for (uint32_t i = 0; i < shards; i++) {
        atomic_init(&counters->shard[i].low, i == 0 ? (uint32_t)start : 0);
        atomic_init(&counters->shard[i].high, i == 0 ? (uint32_t)(start >> 32) : 0);
    }
}

void counters_add(struct counters *counters, uint32_t who, uint64_t hits) {
    struct shard *shard = &counters->shard[who % counters->shards];
    uint32_t low = atomic_fetch_add(&shard->low, (uint32_t)hits);
    uint32_t carry = low + (uint32_t)hits < low;
    atomic_fetch_add(&shard->high, (uint32_t)(hits >> 32) + carry);
}

uint64_t counters_total(struct counters *counters) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < counters->shards; i++) {
        uint64_t high = atomic_load(&counters->shard[i].high);
        total += high << 32 | atomic_load(&counters->shard[i].low);
    }
    return total;
}

uint64_t counters_take(struct counters *counters) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < counters->shards; i++) {
        uint64_t high = atomic_exchange(&counters->shard[i].high, 0);
        total += high << 32 | atomic_exchange(&counters->shard[i].low, 0);
    }
    return total;
}
