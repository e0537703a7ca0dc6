#include "priority_scheduler.h"

#include <stdatomic.h>

struct scheduler {
    uint32_t capacity;
};

size_t scheduler_size(uint32_t capacity) {
    (void)capacity;
    return sizeof(struct scheduler);
}

void scheduler_init(struct scheduler *scheduler, uint32_t capacity, uint32_t start) {
    scheduler->capacity = capacity;
    (void)start;
}

int scheduler_put(struct scheduler *scheduler, uint32_t level, uint32_t task) {
    (void)scheduler;
    (void)level;
    (void)task;
    return 0;
}

int scheduler_get(struct scheduler *scheduler, uint32_t *task) {
    (void)scheduler;
    (void)task;
    return 0;
}
