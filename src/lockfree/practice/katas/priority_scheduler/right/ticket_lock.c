/* One list for all levels, sorted by level and then by arrival, under a ticket lock. */
#include "priority_scheduler.h"

#include <sched.h>
#include <stdatomic.h>

struct entry {
    uint32_t level, task;
};

struct scheduler {
    _Alignas(64) _Atomic uint32_t next;
    _Alignas(64) _Atomic uint32_t serving;
    uint32_t capacity, count, in_level[SCHEDULER_LEVELS];
    struct entry entries[];
};

size_t scheduler_size(uint32_t capacity) {
    return sizeof(struct scheduler) + (size_t)capacity * SCHEDULER_LEVELS * sizeof(struct entry);
}

void scheduler_init(struct scheduler *scheduler, uint32_t capacity, uint32_t start) {
    scheduler->capacity = capacity;
    atomic_init(&scheduler->next, start);
    atomic_init(&scheduler->serving, start);
}

static uint32_t enter(struct scheduler *scheduler) {
    uint32_t mine = atomic_fetch_add_explicit(&scheduler->next, 1, memory_order_relaxed);
    while (atomic_load_explicit(&scheduler->serving, memory_order_acquire) != mine)
        sched_yield();
    return mine;
}

static void leave(struct scheduler *scheduler, uint32_t mine) {
    atomic_store_explicit(&scheduler->serving, mine + 1, memory_order_release);
}

int scheduler_put(struct scheduler *scheduler, uint32_t level, uint32_t task) {
    uint32_t mine = enter(scheduler);
    int room = scheduler->in_level[level] < scheduler->capacity;
    if (room) {
        uint32_t at = scheduler->count;
        for (; at > 0 && scheduler->entries[at - 1].level > level; at--)
            scheduler->entries[at] = scheduler->entries[at - 1];
        scheduler->entries[at] = (struct entry){level, task};
        scheduler->count++;
        scheduler->in_level[level]++;
    }
    leave(scheduler, mine);
    return room;
}

int scheduler_get(struct scheduler *scheduler, uint32_t *task) {
    uint32_t mine = enter(scheduler);
    int found = scheduler->count > 0;
    if (found) {
        *task = scheduler->entries[0].task;
        scheduler->in_level[scheduler->entries[0].level]--;
        scheduler->count--;
        for (uint32_t at = 0; at < scheduler->count; at++)
            scheduler->entries[at] = scheduler->entries[at + 1];
    }
    leave(scheduler, mine);
    return found;
}
