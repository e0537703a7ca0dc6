#include "counters.h"

struct counters {
    uint32_t shards;
};

size_t counters_size(uint32_t shards) {
    (void)shards;
    return sizeof(struct counters);
}

void counters_init(struct counters *counters, uint32_t shards, uint64_t start) {
    counters->shards = shards;
    (void)start;
}

void counters_add(struct counters *counters, uint32_t who, uint64_t hits) {
    (void)counters;
    (void)who;
    (void)hits;
}

uint64_t counters_total(struct counters *counters) {
    (void)counters;
    return 0;
}

uint64_t counters_take(struct counters *counters) {
    (void)counters;
    return 0;
}
