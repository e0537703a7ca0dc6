/* Bounded queues whose values may be equal.
 *
 * Without the capacity and without FULL, gets can be matched with puts (claims.c). Then every put gets a value of its
 * own, and every get the value of its put, and the near-linear algorithm looks for an order that suits the capacity and
 * FULL as well. An order of these values is one of the history. Another matching may have one if this has none: so
 * reorder.c changes puts and gets of equal values, too. What it cannot order is left to the search. Without any
 * matching the history has no order. */
#include "linearize/depth.h"

enum { LIN_TURNS = 15 };

/* match[get] becomes its put. `copy` holds the operations of the problem. LIN_REJECT: no order gets beyond the return of
 * *broken. */
static int lin_match(struct lin_problem *p, const struct lf_history_op *copy, uint32_t *match, uint32_t *broken) {
    struct lin_run *run = p->run;
    uint32_t *index = lin_alloc(run, p->n, sizeof *index), n = 0;
    struct lin_problem unbounded;
    if (!index)
        return LIN_UNDECIDED;
    for (uint32_t i = 0; i < p->n; i++)
        if (!lin_failed(&copy[i]) || (!lin_is_put(&copy[i]) && !lin_out_of_sight(p, i)))
            index[n++] = i;
    if (!lin_problem_init(&unbounded, run, index, n) || lin_most_open(&unbounded) > LIN_OPEN_MAX)
        return LIN_UNDECIDED;
    struct lin_depth *d = lin_depth_open(&unbounded);
    int answer = LIN_UNDECIDED;
    for (uint32_t turn = 0; d && answer == LIN_UNDECIDED && !run->stopped && turn < LIN_TURNS; turn++)
        answer = lin_depth_first(d, (enum lin_first)(turn % 3), (uint64_t)1 << (12 + turn / 3));
    for (uint32_t k = 0; answer == LIN_ACCEPT && k < d->depth; k++) {
        uint32_t op = d->path[k].op;
        if (lin_is_get(lin_op(&unbounded, op)) && !lin_failed(lin_op(&unbounded, op)))
            match[unbounded.index[op]] = unbounded.index[d->path[k].taken];
    }
    if (answer == LIN_REJECT)
        *broken = unbounded.index[unbounded.event[lin_depth_furthest(d)] >> 1];
    return answer;
}

/* Has the algorithm for distinct values seen this history already? */
static bool lin_are_distinct(struct lin_problem *p) {
    struct lin_run *run = p->run;
    uint64_t *key = lin_alloc(run, p->n, sizeof *key);
    uint32_t *item = lin_alloc(run, p->n, sizeof *item), n = 0;
    if (run->stopped)
        return true;
    for (uint32_t i = 0; i < p->n; i++)
        if (lin_is_put(lin_op(p, i)) && !lin_failed(lin_op(p, i)))
            key[n] = (uint64_t)lin_op(p, i)->arg, item[n++] = i;
    lin_sort_pairs(run, key, item, n);
    bool distinct = true;
    for (uint32_t k = 1; k < n; k++)
        distinct &= key[k] != key[k - 1];
    lin_free(run, item);
    lin_free(run, key);
    return distinct || run->stopped;
}

/* Gives every put a value of its own, and every get that of its put. False: a get has none. */
static bool lin_rename(struct lin_problem *p, struct lf_history_op *copy, const uint32_t *match) {
    for (uint32_t i = 0; i < p->n; i++) {
        if (lin_is_put(&copy[i]))
            copy[i].arg = i;
        else if (!lin_failed(&copy[i]) && !lin_pending(&copy[i]) && match[i] == LIN_NO)
            return false;
        else if (!lin_failed(&copy[i]) && !lin_pending(&copy[i]))
            copy[i].result = match[i];
    }
    return true;
}

int lin_decide_renamed(struct lin_problem *p, const struct lf_history_op *copy, int (*decide)(struct lin_problem *)) {
    struct lin_run *run = p->run;
    const struct lf_history_op *ops = run->ops;
    struct lin_problem distinct = *p;
    struct lf_lin_result before = *run->result;
    distinct.index = lin_alloc(run, p->n, sizeof *distinct.index);
    if (!distinct.index)
        return LIN_UNDECIDED;
    for (uint32_t i = 0; i < p->n; i++)
        distinct.index[i] = i;
    run->result->core = run->result->rule = NULL;
    run->ops = copy;
    bool holds = decide(&distinct) == LIN_ACCEPT;
    run->ops = ops;
    uint64_t visited = run->result->configurations, peak = run->result->peak_bytes;
    uint32_t ordered = run->result->order_count;
    free(run->result->core), free(run->result->rule);
    *run->result = before;
    run->result->configurations = visited;
    run->result->peak_bytes = peak;
    for (uint32_t k = before.order_count; holds && run->options->order && k < ordered; k++)
        run->options->order[k] = p->index[run->options->order[k]];
    if (holds)
        run->result->order_count = ordered;
    return holds ? LIN_ACCEPT : LIN_UNDECIDED;
}

/* After LIN_UNDECIDED the result is as it was. */
int lin_decide_equal(struct lin_problem *p) {
    struct lin_run *run = p->run;
    const struct lf_history_op *ops = run->ops;
    const struct lf_lin_spec *spec = run->spec;
    if (spec->kind != LF_LIN_QUEUE || !spec->capacity || p->before || lin_are_distinct(p))
        return LIN_UNDECIDED;
    for (uint32_t i = 0; i < p->n; i++)
        if (lin_op(p, i)->op == LF_OP_PEEK)
            return LIN_UNDECIDED;
    struct lf_history_op *copy = lin_alloc(run, p->n, sizeof *copy);
    uint32_t *match = lin_alloc(run, p->n, sizeof *match);
    if (run->stopped)
        return LIN_UNDECIDED;
    memset(match, 0xff, p->n * sizeof *match);
    for (uint32_t i = 0; i < p->n; i++)
        copy[i] = *lin_op(p, i);
    struct lf_lin_spec unbounded = *spec;
    unbounded.capacity = 0;
    run->ops = copy;
    run->spec = &unbounded;
    uint32_t broken = LIN_NO;
    int answer = lin_match(p, copy, match, &broken);
    run->ops = ops;
    run->spec = spec;
    if (answer == LIN_REJECT)
        return lin_reject_window(p, broken, 0, p->ret[broken]);
    if (answer != LIN_ACCEPT || !lin_rename(p, copy, match))
        return LIN_UNDECIDED;
    int64_t *same = lin_alloc(run, p->n, sizeof *same);
    if (!same)
        return LIN_UNDECIDED;
    for (uint32_t i = 0; i < p->n; i++)
        same[i] = lin_op(p, i)->arg;
    struct lin_problem matched = *p;
    matched.same = same;
    return lin_decide_renamed(&matched, copy, lin_decide_queue);
}
