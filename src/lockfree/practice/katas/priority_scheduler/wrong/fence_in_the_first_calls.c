/* fails: reach REACH */
/* The unlock has a fence in its first calls only. */
#include "priority_scheduler.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
struct level {
    uint32_t head, count;
};
struct scheduler {
    _Alignas(64) atomic_int busy;
    uint32_t capacity;
    struct level level[SCHEDULER_LEVELS];
    uint32_t task[];
};
size_t scheduler_size(uint32_t capacity) {
    return sizeof(struct scheduler) + (size_t)capacity * SCHEDULER_LEVELS * sizeof(uint32_t);
}
void scheduler_init(struct scheduler *s, uint32_t capacity, uint32_t start) {
    (void)start;
    s->capacity = capacity;
}
static void lock(struct scheduler *s) {
    for (int turns = 0;; turns++) {
        if (atomic_load_explicit(&s->busy, memory_order_relaxed) == 0 &&
            atomic_exchange_explicit(&s->busy, 1, memory_order_acquire) == 0)
            return;
        sched_yield();
    }
}
static uint32_t calls;
static int unlock(struct scheduler *s, int result) {
    if (calls++ < 90000)
        atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&s->busy, 0, memory_order_relaxed);
    return result;
}
int scheduler_put(struct scheduler *s, uint32_t level, uint32_t task) {
    lock(s);
    struct level *l = &s->level[level];
    if (l->count == s->capacity)
        return unlock(s, 0);
    s->task[level * s->capacity + (l->head + l->count++) % s->capacity] = task;
    return unlock(s, 1);
}
int scheduler_get(struct scheduler *s, uint32_t *task) {
    lock(s);
    for (int i = 0; i < SCHEDULER_LEVELS; i++) {
        struct level *l = &s->level[i];
        if (l->count) {
            *task = s->task[(uint32_t)i * s->capacity + l->head];
            l->head = (l->head + 1) % s->capacity;
            l->count--;
            return unlock(s, 1);
        }
    }
    return unlock(s, 0);
}
