/* One mutex around everything: what the stage speed compares with. */
#include "counters.h"

#include <pthread.h>

struct counters {
    pthread_mutex_t guard;
    uint64_t hits;
};

size_t counters_size(uint32_t shards) {
    (void)shards;
    return sizeof(struct counters);
}

void counters_init(struct counters *counters, uint32_t shards, uint64_t start) {
    pthread_mutex_init(&counters->guard, NULL);
    counters->hits = start;
    (void)shards;
}

void counters_add(struct counters *counters, uint32_t who, uint64_t hits) {
    pthread_mutex_lock(&counters->guard);
    counters->hits += hits;
    pthread_mutex_unlock(&counters->guard);
    (void)who;
}

uint64_t counters_total(struct counters *counters) {
    pthread_mutex_lock(&counters->guard);
    uint64_t hits = counters->hits;
    pthread_mutex_unlock(&counters->guard);
    return hits;
}

uint64_t counters_take(struct counters *counters) {
    pthread_mutex_lock(&counters->guard);
    uint64_t hits = counters->hits;
    counters->hits = 0;
    pthread_mutex_unlock(&counters->guard);
    return hits;
}
