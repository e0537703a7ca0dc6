/* What the clients share. A task is level * 8 + number, and the number of a plain word, which is written before the put. */
#include "lockfree_model.h"
#include "priority_scheduler.h"

static struct scheduler *scheduler;
static uint64_t carried[SCHEDULER_LEVELS * 8];

static inline void make(uint32_t capacity) {
    scheduler = lf_model_shared(scheduler_size(capacity));
    scheduler_init(scheduler, capacity, UINT32_MAX - 1);
}

static inline int put(uint32_t level, uint32_t number) {
    uint32_t task = level * 8 + number;
    carried[task] = task + 100;
    lf_model_call(LF_MODEL_PUT, task);
    int done = scheduler_put(scheduler, level, task);
    lf_model_return(done ? 0 : LF_MODEL_FULL);
    return done;
}

static inline int get(void) {
    uint32_t task = 0;
    lf_model_call(LF_MODEL_GET, 0);
    int done = scheduler_get(scheduler, &task);
    lf_model_return(done ? task : LF_MODEL_EMPTY);
    if (done)
        lf_model_assert(task < SCHEDULER_LEVELS * 8 && carried[task] == task + 100);
    return done;
}

struct tasks {
    uint64_t count, task[16];
};

static inline int tasks_step(void *state, const struct lf_model_op *op, const struct lf_model_moment *moment) {
    struct tasks *in = state;
    if (op->what == LF_MODEL_PUT) {
        uint64_t of_level = 0;
        for (uint64_t i = 0; i < in->count; i++)
            of_level += in->task[i] / 8 == op->argument / 8;
        if (of_level == moment->client->capacity)
            return op->pending || op->result == LF_MODEL_FULL;
        if (!op->pending && op->result == LF_MODEL_FULL)
            return 0;
        in->task[in->count++] = op->argument;
        return 1;
    }
    if (in->count == 0)
        return op->pending || op->result == LF_MODEL_EMPTY;
    uint64_t best = 0;
    for (uint64_t i = 1; i < in->count; i++)
        best = in->task[i] / 8 < in->task[best] / 8 ? i : best;
    if (!op->pending && op->result != in->task[best])
        return 0;
    in->count--;
    for (uint64_t i = best; i < in->count; i++)
        in->task[i] = in->task[i + 1];
    in->task[in->count] = 0;
    return 1;
}

static const struct lf_model_spec run_queue = {"run queue with levels", sizeof(struct tasks), NULL, tasks_step};
