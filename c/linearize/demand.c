/* A value that somebody still needs must not be replaced for good: the depth-first search looks ahead here. */
#include "linearize/demand.h"

static bool lin_needs(const struct lf_history_op *o, int64_t *value) {
    if (lin_pending(o))
        return false;
    *value = o->op == LF_OP_CAS ? o->arg : lin_failed(o) ? LF_HISTORY_NONE : o->result;
    return o->op == LF_OP_READ || (o->op == LF_OP_CAS && !lin_failed(o));
}

static bool lin_makes(const struct lf_history_op *o, int64_t *value) {
    *value = o->op == LF_OP_CAS ? o->arg2 : o->arg;
    return o->op == LF_OP_WRITE || (o->op == LF_OP_CAS && !lin_failed(o));
}

/* Groups `item` by `group` (numbers below `groups`), keeping the order within a group. */
static void lin_group(const uint32_t *group, const uint32_t *item, uint32_t n, uint32_t groups, uint32_t *from,
                      uint32_t *to) {
    memset(from, 0, (groups + 1) * sizeof *from);
    for (uint32_t i = 0; i < n; i++)
        from[group[i] + 1]++;
    for (uint32_t g = 0; g < groups; g++)
        from[g + 1] += from[g];
    for (uint32_t i = 0; i < n; i++)
        to[from[group[i]]++] = item[i];
    memmove(from + 1, from, groups * sizeof *from);
    from[0] = 0;
}

bool lin_demand_init(struct lin_demand *m, struct lin_stepper *s) {
    struct lin_problem *p = s->p;
    struct lin_run *run = p->run;
    m->p = p;
    m->makes = lin_alloc(run, p->n, sizeof *m->makes);
    uint32_t *need = lin_alloc(run, p->n, sizeof *need), *make_call = lin_alloc(run, p->n, sizeof *make_call);
    uint32_t *item = lin_alloc(run, p->n, sizeof *item), *group = lin_alloc(run, p->n, sizeof *group), n = 0;
    int64_t value;
    if (run->stopped)
        return false;
    memset(m->makes, 0xff, p->n * sizeof *m->makes);
    for (uint32_t r = 0; r < p->events && !run->stopped; r++) {
        uint32_t op = p->event[r] >> 1;
        if (p->event[r] & 1 || !lin_makes(lin_op(p, op), &value))
            continue;
        item[n] = r;
        m->makes[op] = group[n++] = lin_intern(run, &s->states, &value, 1);
    }
    for (uint32_t i = 0; i < p->n && !run->stopped; i++)
        if (lin_needs(lin_op(p, i), &value))
            lin_intern(run, &s->states, &value, 1);
    uint32_t states = s->states.n;
    m->need_from = lin_alloc(run, states + 1, sizeof *m->need_from);
    m->make_from = lin_alloc(run, states + 1, sizeof *m->make_from);
    if (run->stopped)
        return false;
    lin_group(group, item, n, states, m->make_from, make_call);
    n = 0;
    for (uint32_t r = 0; r < p->events; r++) {
        uint32_t op = p->event[r] >> 1;
        if (!(p->event[r] & 1) || !lin_needs(lin_op(p, op), &value))
            continue;
        item[n] = op;
        group[n++] = lin_intern(run, &s->states, &value, 1);
    }
    lin_group(group, item, n, states, m->need_from, need);
    lin_free(run, group);
    lin_free(run, item);
    m->need = need;
    m->make_call = make_call;
    return true;
}

uint32_t lin_demand_first(const struct lin_demand *m, uint32_t state, uint32_t at) {
    uint32_t lo = m->need_from[state], hi = m->need_from[state + 1];
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (m->p->ret[m->need[mid]] < at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

uint32_t lin_demand_next_make(const struct lin_demand *m, uint32_t state, uint32_t at) {
    uint32_t lo = m->make_from[state], hi = m->make_from[state + 1];
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (m->make_call[mid] < at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < m->make_from[state + 1] ? m->make_call[lo] : LIN_NO;
}
