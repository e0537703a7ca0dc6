/* One mutex around everything: what the stage speed compares with. */
#include "priority_scheduler.h"

#include <pthread.h>

struct level {
    uint32_t head, count;
};

struct scheduler {
    pthread_mutex_t guard;
    uint32_t capacity;
    struct level levels[SCHEDULER_LEVELS];
    uint32_t tasks[]; /* `capacity` for each level */
};

size_t scheduler_size(uint32_t capacity) {
    return sizeof(struct scheduler) + (size_t)capacity * SCHEDULER_LEVELS * sizeof(uint32_t);
}

void scheduler_init(struct scheduler *scheduler, uint32_t capacity, uint32_t start) {
    (void)start;
    pthread_mutex_init(&scheduler->guard, NULL);
    scheduler->capacity = capacity;
}

int scheduler_put(struct scheduler *scheduler, uint32_t level, uint32_t task) {
    pthread_mutex_lock(&scheduler->guard);
    struct level *in = &scheduler->levels[level];
    int room = in->count < scheduler->capacity;
    if (room) {
        uint32_t at = (uint32_t)(((uint64_t)in->head + in->count) % scheduler->capacity);
        scheduler->tasks[level * scheduler->capacity + at] = task;
        in->count++;
    }
    pthread_mutex_unlock(&scheduler->guard);
    return room;
}

int scheduler_get(struct scheduler *scheduler, uint32_t *task) {
    pthread_mutex_lock(&scheduler->guard);
    int found = 0;
    for (uint32_t level = 0; level < SCHEDULER_LEVELS && !found; level++) {
        struct level *in = &scheduler->levels[level];
        if (in->count == 0)
            continue;
        *task = scheduler->tasks[level * scheduler->capacity + in->head];
        in->head = in->head + 1 == scheduler->capacity ? 0 : in->head + 1;
        in->count--;
        found = 1;
    }
    pthread_mutex_unlock(&scheduler->guard);
    return found;
}
