/* Containers by the number of their values alone: which value it is that a get takes is left open.
 *
 * Every order of a history is one of its counts, too: a put takes a free place, a get gives one back, FULL finds none and
 * EMPTY finds all. Operations of one kind are then alike, so the frontier stays small; and where no order of the counts is
 * left, none of the values is. */
#include "linearize/search.h"

int lin_reject_count(struct lin_problem *p) {
    struct lin_run *run = p->run;
    const struct lf_history_op *ops = run->ops;
    const struct lf_lin_spec *spec = run->spec;
    bool container = spec->kind == LF_LIN_QUEUE || spec->kind == LF_LIN_STACK || spec->kind == LF_LIN_PRIORITY_QUEUE;
    if (!container || p->before || run->options->start || lin_most_open(p) > LIN_OPEN_MAX)
        return LIN_UNDECIDED;
    struct lf_history_op *count = lin_alloc(run, p->n, sizeof *count);
    uint32_t *index = lin_alloc(run, p->n, sizeof *index);
    if (run->stopped)
        return LIN_UNDECIDED;
    for (uint32_t i = 0; i < p->n; i++) {
        struct lf_history_op *o = &count[i];
        *o = *lin_op(p, i);
        if (!lin_is_put(o) && !lin_is_get(o))
            return LIN_UNDECIDED;
        o->op = lin_is_put(o) ? LF_OP_ACQUIRE : LF_OP_RELEASE;
        o->flags &= (uint8_t)~LF_HISTORY_TICKET;
        o->arg = 1;
        o->arg2 = 0;
        o->result = LF_HISTORY_NONE;
        o->key = 0;
        index[i] = i;
    }
    int64_t room = spec->capacity ? spec->capacity : INT64_MAX / 2;
    struct lf_lin_spec places = {.kind = LF_LIN_SEMAPHORE, .initial = room, .limit = room};
    struct lf_lin_result before = *run->result;
    struct lin_problem counted = *p;
    run->result->core = run->result->rule = NULL;
    run->result->state = NULL;
    counted.index = index;
    run->ops = count;
    run->spec = &places;
    int answer = lin_frontier(&counted, UINT64_MAX);
    run->ops = ops;
    run->spec = spec;
    uint32_t broken = run->result->break_op;
    before.configurations = run->result->configurations;
    before.peak_bytes = run->result->peak_bytes;
    lf_lin_result_free(run->result);
    *run->result = before;
    return answer == LIN_REJECT ? lin_reject_window(p, broken, 0, p->ret[broken]) : LIN_UNDECIDED;
}
