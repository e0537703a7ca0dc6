/* FULL and EMPTY in their weak modes do not depend on the order that explains the history: they are settled
 * here, once, and the rest of the engine skips them. In a batch they must still fit between their neighbours: that
 * is checked where an order is found.
 *
 * A strict FULL that is wrong in every order is found here, too: at no instant could that many be inside.
 *
 * FULL (in hand): a record uses a slot from the call of its put until the return of its get, so the slots that
 * may be in use at an instant are: puts called by then minus gets returned by then. */
#include "linearize/internal.h"

bool lin_strict_full(const struct lin_problem *p) {
    if (p->run->spec->full != LF_LIN_STRICT)
        return false;
    for (uint32_t i = 0; i < p->n; i++) {
        const struct lf_history_op *op = lin_op(p, i);
        if (lin_failed(op) && lin_is_put(op))
            return true;
    }
    return false;
}

/* best[g]: slots that may be in use in gap g; counts failing operations too when `running` */
static uint32_t *lin_slots_in_use(struct lin_problem *p, bool running) {
    uint32_t *use = lin_alloc(p->run, p->events + 1, sizeof *use), now = 0;
    if (!use)
        return NULL;
    for (uint32_t r = 0; r < p->events; r++) {
        const struct lf_history_op *op = lin_op(p, p->event[r] >> 1);
        bool returns = p->event[r] & 1;
        if (lin_is_put(op) && !lin_failed(op))
            now += !returns;
        else if (lin_is_get(op) && !lin_failed(op) && !lin_pending(op)) {
            /* before its return, the record it takes is counted from its put */
            if (returns)
                now--;
        } else if (running && (lin_is_put(op) || lin_is_get(op)) && !lin_pending(op))
            now += returns ? UINT32_MAX : 1;
        use[r] = now;
    }
    return use;
}

static int lin_reject_not_full(struct lin_problem *p, uint32_t put, uint32_t gap, uint32_t most) {
    uint32_t *core = lin_alloc(p->run, 1 + (size_t)p->n, sizeof *core), count = 0;
    if (!core)
        return LIN_UNDECIDED;
    core[count++] = put;
    for (uint32_t i = 0; i < p->n; i++)
        if (i != put && p->call[i] <= gap && gap < p->ret[i])
            core[count++] = i;
    return lin_reject(p, LF_LIN_NOT_FULL, put, core, count, most, p->run->spec->capacity);
}

/* A batch ends with FULL: what it put before was put by the last gap where FULL is right. */
static void lin_tighten_batch(struct lin_problem *p, uint32_t full) {
    if (!p->before)
        return;
    uint32_t last = p->may_full[p->ret[full] - 1];
    for (uint32_t b = p->before[full]; b != LIN_NO; b = p->before[b])
        if (!lin_pending(lin_op(p, b)) && last > p->call[b])
            p->ret[b] = lin_min(p->ret[b], last);
}

static bool lin_settle_full(struct lin_problem *p, int *decision) {
    struct lin_run *run = p->run;
    bool running = run->spec->full == LF_LIN_RUNNING, strict = run->spec->full == LF_LIN_STRICT;
    uint32_t *use = lin_slots_in_use(p, running), seen = 0;
    p->may_full = lin_alloc(run, p->events, sizeof *p->may_full);
    if (run->stopped)
        return false;
    uint64_t enough = run->spec->capacity ? (uint64_t)run->spec->capacity + running : UINT64_MAX;
    for (uint32_t g = 0; g < p->events; g++)
        p->may_full[g] = use[g] >= enough ? (seen = g + 1) : seen;
    for (uint32_t i = 0; i < p->n; i++) {
        const struct lf_history_op *op = lin_op(p, i);
        if (!lin_is_put(op) || !lin_failed(op))
            continue;
        if (!strict)
            p->skip[i] = op->batch ? LIN_PLACED : LIN_SETTLED;
        if (lin_weak_in(p, i, p->call[i], p->ret[i] - 1)) {
            if (!strict)
                lin_tighten_batch(p, i);
            continue;
        }
        uint32_t at = p->call[i];
        for (uint32_t g = at; g < p->ret[i]; g++)
            if (use[g] > use[at])
                at = g;
        *decision = lin_reject_not_full(p, i, at, use[at] - running);
        break;
    }
    lin_free(run, use);
    if (strict) {
        lin_free(run, p->may_full);
        p->may_full = NULL;
    }
    return !run->stopped;
}

static bool lin_settle_empty(struct lin_problem *p) {
    uint32_t running = 0, seen = 0;
    p->may_empty = lin_alloc(p->run, p->events, sizeof *p->may_empty);
    if (!p->may_empty)
        return false;
    for (uint32_t r = 0; r < p->events; r++) {
        const struct lf_history_op *op = lin_op(p, p->event[r] >> 1);
        if (lin_is_put(op) && !lin_failed(op))
            running += p->event[r] & 1 ? UINT32_MAX : 1;
        p->may_empty[r] = running ? (seen = r + 1) : seen;
    }
    for (uint32_t i = 0; i < p->n; i++) {
        const struct lf_history_op *op = lin_op(p, i);
        bool asks = lin_is_get(op) || op->op == LF_OP_PEEK;
        if (asks && lin_failed(op) && lin_weak_in(p, i, p->call[i], p->ret[i] - 1))
            p->skip[i] = op->batch ? LIN_PLACED : LIN_SETTLED;
    }
    return true;
}

/* False when out of memory or time; *decision becomes LIN_REJECT when a FULL cannot be. */
bool lin_filter_answers(struct lin_problem *p, int *decision) {
    const struct lf_lin_spec *spec = p->run->spec;
    bool container = spec->kind == LF_LIN_QUEUE || spec->kind == LF_LIN_STACK || spec->kind == LF_LIN_PRIORITY_QUEUE;
    for (uint32_t i = 0; container && !spec->capacity && i < p->n; i++)
        if (lin_is_put(lin_op(p, i)) && lin_failed(lin_op(p, i))) {
            *decision = lin_reject(p, LF_LIN_NOT_FULL, i, &i, 1, 0, 0);
            return true;
        }
    if (!container)
        return true;
    if (spec->full != LF_LIN_STRICT || spec->empty != LF_LIN_STRICT) {
        p->skip = lin_alloc(p->run, p->n, 1);
        if (!p->skip)
            return false;
        memset(p->skip, 0, p->n);
    }
    if ((spec->full != LF_LIN_STRICT || lin_strict_full(p)) && !lin_settle_full(p, decision))
        return false;
    return spec->empty == LF_LIN_STRICT || lin_settle_empty(p);
}
