/* A ring of its own for each level, with a lock for each; and one word that counts the puts. A get looks at the levels one after
 * another. If it finds nothing above a task, and no put has come meanwhile, then nothing was above it at that moment. */
#include "priority_scheduler.h"

#include <pthread.h>
#include <stdatomic.h>

struct level {
    _Alignas(64) pthread_mutex_t guard;
    uint32_t head, count;
};

struct scheduler {
    _Alignas(64) _Atomic uint32_t puts;
    uint32_t capacity;
    struct level levels[SCHEDULER_LEVELS];
    uint32_t tasks[];
};

size_t scheduler_size(uint32_t capacity) {
    return sizeof(struct scheduler) + (size_t)capacity * SCHEDULER_LEVELS * sizeof(uint32_t);
}

void scheduler_init(struct scheduler *scheduler, uint32_t capacity, uint32_t start) {
    for (uint32_t level = 0; level < SCHEDULER_LEVELS; level++)
        pthread_mutex_init(&scheduler->levels[level].guard, NULL);
    scheduler->capacity = capacity;
    atomic_init(&scheduler->puts, start);
}

int scheduler_put(struct scheduler *scheduler, uint32_t level, uint32_t task) {
    struct level *in = &scheduler->levels[level];
    pthread_mutex_lock(&in->guard);
    int room = in->count < scheduler->capacity;
    if (room) {
        uint32_t at = (uint32_t)(((uint64_t)in->head + in->count) % scheduler->capacity);
        scheduler->tasks[level * scheduler->capacity + at] = task;
        in->count++;
        atomic_fetch_add(&scheduler->puts, 1);
    }
    pthread_mutex_unlock(&in->guard);
    return room;
}

int scheduler_get(struct scheduler *scheduler, uint32_t *task) {
    for (;;) {
        uint32_t puts = atomic_load(&scheduler->puts), level = 0;
        int found = 0, unchanged = 1;
        for (; level < SCHEDULER_LEVELS && !found; level++) {
            struct level *in = &scheduler->levels[level];
            pthread_mutex_lock(&in->guard);
            if (in->count > 0) {
                found = 1;
                unchanged = atomic_load(&scheduler->puts) == puts;
                if (unchanged) {
                    *task = scheduler->tasks[level * scheduler->capacity + in->head];
                    in->head = in->head + 1 == scheduler->capacity ? 0 : in->head + 1;
                    in->count--;
                }
            }
            pthread_mutex_unlock(&in->guard);
        }
        if (found ? unchanged : atomic_load(&scheduler->puts) == puts)
            return found;
    }
}
