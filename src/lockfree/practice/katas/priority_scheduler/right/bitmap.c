/* A lock, and a word with a bit for each level that holds a task. An idle worker reads the word alone, without the lock. */
#include "priority_scheduler.h"

#include <pthread.h>
#include <stdatomic.h>

struct level {
    uint32_t head, count;
};

struct scheduler {
    _Alignas(64) _Atomic uint32_t filled; /* written by the holder of the lock */
    _Alignas(64) pthread_mutex_t guard;
    uint32_t capacity;
    struct level levels[SCHEDULER_LEVELS];
    uint32_t tasks[];
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
        uint32_t filled = atomic_load_explicit(&scheduler->filled, memory_order_relaxed);
        atomic_store_explicit(&scheduler->filled, filled | UINT32_C(1) << level, memory_order_relaxed);
    }
    pthread_mutex_unlock(&scheduler->guard);
    return room;
}

int scheduler_get(struct scheduler *scheduler, uint32_t *task) {
    if (atomic_load_explicit(&scheduler->filled, memory_order_relaxed) == 0)
        return 0;
    pthread_mutex_lock(&scheduler->guard);
    uint32_t filled = atomic_load_explicit(&scheduler->filled, memory_order_relaxed);
    if (filled != 0) {
        uint32_t level = 0;
        while ((filled >> level & 1) == 0)
            level++;
        struct level *in = &scheduler->levels[level];
        *task = scheduler->tasks[level * scheduler->capacity + in->head];
        in->head = in->head + 1 == scheduler->capacity ? 0 : in->head + 1;
        if (--in->count == 0)
            atomic_store_explicit(&scheduler->filled, filled & ~(UINT32_C(1) << level), memory_order_relaxed);
    }
    pthread_mutex_unlock(&scheduler->guard);
    return filled != 0;
}
