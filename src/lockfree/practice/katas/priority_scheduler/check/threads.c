/* On the real machine: two threads put, two get; each task once, and those of one putter and level in their order. */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "priority_scheduler.h"

enum { TASKS = 20000, PUTTERS = 2 };

static struct scheduler *scheduler;
static _Atomic int left = PUTTERS * TASKS;
static unsigned char seen[PUTTERS][TASKS];

static void *put_all(void *number) {
    uint32_t me = *(uint32_t *)number;
    for (uint32_t i = 0; i < TASKS;) {
        if (scheduler_put(scheduler, i % SCHEDULER_LEVELS, me << 31 | i))
            i++;
        else
            sched_yield();
    }
    return NULL;
}

static void *get_all(void *none) {
    int64_t last[PUTTERS][SCHEDULER_LEVELS];
    memset(last, 0xff, sizeof last);
    while (atomic_load(&left) > 0) {
        uint32_t task;
        if (!scheduler_get(scheduler, &task)) {
            sched_yield();
            continue;
        }
        atomic_fetch_sub(&left, 1);
        uint32_t from = task >> 31, i = task & INT32_MAX;
        assert(i < TASKS && !seen[from][i] && "four threads: each task once");
        seen[from][i] = 1;
        assert((int64_t)i > last[from][i % SCHEDULER_LEVELS] && "four threads: the oldest of a level first");
        last[from][i % SCHEDULER_LEVELS] = i;
    }
    return none;
}

int main(void) {
    size_t bytes = (scheduler_size(64) + 63) / 64 * 64;
    scheduler = aligned_alloc(64, bytes);
    assert(scheduler != NULL);
    memset(scheduler, 0, bytes);
    scheduler_init(scheduler, 64, UINT32_MAX - 1000);
    pthread_t threads[4];
    uint32_t numbers[PUTTERS] = {0, 1};
    for (int i = 0; i < 4; i++) {
        int failed = pthread_create(&threads[i], NULL, i < PUTTERS ? put_all : get_all,
                                    i < PUTTERS ? &numbers[i] : NULL);
        assert(!failed);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    uint32_t task;
    int more = scheduler_get(scheduler, &task);
    assert(!more && "four threads: nothing is left");
    free(scheduler);
    return 0;
}
