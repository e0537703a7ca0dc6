/* fails: stop H8 */
/* A spin lock for each shard. */
#include "counters.h"

#include <stdatomic.h>

struct shard {
    _Alignas(64) atomic_flag busy;
    uint64_t hits;
};

struct counters {
    uint32_t shards;
    struct shard shard[];
};

size_t counters_size(uint32_t shards) { return sizeof(struct counters) + shards * sizeof(struct shard); }

void counters_init(struct counters *counters, uint32_t shards, uint64_t start) {
    counters->shards = shards;
    for (uint32_t i = 0; i < shards; i++) {
        atomic_flag_clear(&counters->shard[i].busy);
        counters->shard[i].hits = i == 0 ? start : 0;
    }
}

static uint64_t change(struct shard *shard, uint64_t hits, int take) {
    while (atomic_flag_test_and_set_explicit(&shard->busy, memory_order_acquire))
        ;
    uint64_t before = shard->hits;
    shard->hits = take ? 0 : before + hits;
    atomic_flag_clear_explicit(&shard->busy, memory_order_release);
    return before;
}

void counters_add(struct counters *counters, uint32_t who, uint64_t hits) {
    change(&counters->shard[who % counters->shards], hits, 0);
}

uint64_t counters_total(struct counters *counters) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < counters->shards; i++)
        total += change(&counters->shard[i], 0, 0);
    return total;
}

uint64_t counters_take(struct counters *counters) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < counters->shards; i++)
        total += change(&counters->shard[i], 0, 1);
    return total;
}
