/* specs.c: the ready specifications. */
#include "base.h"

#include <string.h>

enum { MAX_VALUES = 30 };

struct values {
    uint64_t count, value[MAX_VALUES];
};

static int full(const struct values *v, const struct lf_model_moment *moment) {
    uint64_t held = v->count + (uint64_t)moment->puts_open + (uint64_t)moment->gets_open;
    return moment->client->capacity != 0 && held >= moment->client->capacity;
}

static int add(struct values *v, uint64_t value, const struct lf_model_op *op, const struct lf_model_moment *moment) {
    if (!op->pending && op->result == LF_MODEL_FULL)
        return full(v, moment);
    uint64_t capacity = moment->client->capacity;
    if (v->count == MAX_VALUES || (capacity != 0 && v->count >= capacity))
        return 0;
    v->value[v->count++] = value;
    return 1;
}

static int remove_at(struct values *v, uint64_t at, const struct lf_model_op *op) {
    if (v->count == 0)
        return op->pending || op->result == LF_MODEL_EMPTY;
    if (!op->pending && op->result != v->value[at])
        return 0;
    memmove(v->value + at, v->value + at + 1, (size_t)(v->count - at - 1) * sizeof v->value[0]);
    v->value[--v->count] = 0;
    return 1;
}

static int fifo_step(void *state, const struct lf_model_op *op, const struct lf_model_moment *moment) {
    struct values *v = state;
    return op->what == LF_MODEL_PUT ? add(v, op->argument, op, moment) : remove_at(v, 0, op);
}
const struct lf_model_spec lf_model_fifo = {"first-in first-out queue", sizeof(struct values), NULL, fifo_step};

static int stack_step(void *state, const struct lf_model_op *op, const struct lf_model_moment *moment) {
    struct values *v = state;
    return op->what == LF_MODEL_PUT ? add(v, op->argument, op, moment)
                                    : remove_at(v, v->count != 0 ? v->count - 1 : 0, op);
}
const struct lf_model_spec lf_model_stack = {"stack", sizeof(struct values), NULL, stack_step};

static int priority_step(void *state, const struct lf_model_op *op, const struct lf_model_moment *moment) {
    struct values *v = state;
    if (op->what == LF_MODEL_PUT)
        return add(v, op->argument, op, moment);
    uint64_t best = 0;
    for (uint64_t i = 1; i < v->count; i++)
        best = v->value[i] >> 32 < v->value[best] >> 32 ? i : best;
    return remove_at(v, best, op);
}
const struct lf_model_spec lf_model_priority_queue = {"priority queue", sizeof(struct values), NULL, priority_step};

static void number_start(void *state, const struct lf_model_client *client) {
    memcpy(state, &client->initial, sizeof client->initial);
}

static int number_step(void *state, const struct lf_model_op *op, const struct lf_model_moment *moment) {
    uint64_t *number = state;
    (void)moment;
    if (op->what == LF_MODEL_WRITE) {
        *number = op->argument;
        return 1;
    }
    if (!op->pending && op->result != *number)
        return 0;
    *number += op->what == LF_MODEL_ADD ? op->argument : 0;
    return 1;
}
const struct lf_model_spec lf_model_register = {"register", sizeof(uint64_t), number_start, number_step};
const struct lf_model_spec lf_model_counter = {"counter", sizeof(uint64_t), number_start, number_step};

/* The holder, or 0. */
static int mutex_step(void *state, const struct lf_model_op *op, const struct lf_model_moment *moment) {
    uint64_t *holder = state;
    (void)moment;
    if (op->what == LF_MODEL_RELEASE) {
        if (*holder != op->thread)
            return 0;
        *holder = 0;
        return 1;
    }
    if (!op->pending && op->result == LF_MODEL_BUSY)
        return *holder != 0;
    if (*holder != 0)
        return 0;
    *holder = op->thread;
    return 1;
}
const struct lf_model_spec lf_model_mutex = {"mutex", sizeof(uint64_t), NULL, mutex_step};

static int semaphore_step(void *state, const struct lf_model_op *op, const struct lf_model_moment *moment) {
    uint64_t *permits = state, n = op->argument != 0 ? op->argument : 1, most = moment->client->capacity;
    bool refused = !op->pending && op->result == LF_MODEL_BUSY;
    if (op->what == LF_MODEL_RELEASE) {
        bool fits = most == 0 || (*permits <= most && n <= most - *permits);
        if (refused || !fits)
            return refused && !fits;
        *permits += n;
        return 1;
    }
    if (refused || *permits < n)
        return refused && *permits < n;
    *permits -= n;
    return 1;
}
const struct lf_model_spec lf_model_semaphore = {"semaphore", sizeof(uint64_t), number_start, semaphore_step};
