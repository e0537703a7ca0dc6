/* Priority queue with distinct values, in O(n log n); FIFO within a priority, or any order within it.
 *
 * From the most urgent priority down, `covered` is the union of the gaps in which something more urgent is
 * certainly inside. A get must fall into a gap outside of it; that shrinks its interval, and from the shrunk
 * intervals each priority is a FIFO of its own (or needs no order). EMPTY: outside of the union of everything. */
#include "linearize/internal.h"

struct lin_cover {
    uint32_t *next, *prev;
}; /* disjoint sets: the nearest gap that is not covered */

static uint32_t lin_find(uint32_t *set, uint32_t g) {
    uint32_t root = g;
    while (set[root] != root)
        root = set[root];
    while (set[g] != root) {
        uint32_t up = set[g];
        set[g] = root;
        g = up;
    }
    return root;
}
/* prev is shifted by one, so that "none" is 0 */
static uint32_t lin_next_free(struct lin_cover *c, uint32_t g) { return lin_find(c->next, g); }
static uint32_t lin_prev_free(struct lin_cover *c, uint32_t g) { return lin_find(c->prev, g + 1) - 1; }
static void lin_cover(struct lin_cover *c, uint32_t from, uint32_t until) {
    for (uint32_t g = lin_next_free(c, from); g < until; g = lin_next_free(c, g)) {
        c->next[g] = g + 1;
        c->prev[g + 1] = g;
    }
}

static int lin_reject_less_urgent(struct lin_problem *p, struct lin_table *t, uint32_t upto,
                                  const struct lin_value *v) {
    /* the values of smaller index are the more urgent ones */
    struct lin_table urgent = *t;
    urgent.m = upto;
    return lin_reject_not_empty(p, &urgent, v->get, v->put, LF_LIN_LESS_URGENT);
}

/* Where the gets before this one in its batch were placed, in the levels that are done. The order chosen there need not
 * be forced, so what rests on it can make a history right but never wrong. */
static uint32_t lin_batch_placed(struct lin_problem *p, const struct lin_value *v, const uint32_t *owner, uint32_t done,
                                 const struct lin_value *x) {
    uint32_t lo = x->get_lo;
    for (uint32_t b = p->before[x->get]; b != LIN_NO; b = p->before[b])
        if (owner[b] < done && v[owner[b]].get == b)
            lo = lin_max(lo, v[owner[b]].get_at);
    return lin_min(lo, x->get_hi);
}

static int lin_level(struct lin_problem *p, struct lin_table *t, struct lin_cover *cover, uint32_t from, uint32_t to,
                     uint32_t *loose, uint32_t *order, const uint32_t *owner, bool placed) {
    struct lin_value *v = t->values;
    for (uint32_t i = from; i < to; i++) {
        if (v[i].get == LIN_NO)
            continue;
        if (owner)
            v[i].get_lo = lin_min(lin_batch_first_get(p, v, owner, &v[i]), v[i].get_hi);
        if (placed)
            v[i].get_lo = lin_batch_placed(p, v, owner, from, &v[i]);
        uint32_t lo = lin_next_free(cover, v[i].get_lo), hi = lin_prev_free(cover, v[i].get_hi);
        if (lo > v[i].get_hi)
            return lin_reject_less_urgent(p, t, from, &v[i]);
        v[i].get_lo = lo;
        v[i].get_hi = hi;
        v[i].put_hi = lin_min(v[i].put_hi, hi);
    }
    int answer = LIN_ACCEPT;
    if (p->run->spec->unordered)
        for (uint32_t i = from; i < to; i++)
            order[i - from] = i - from;
    else
        answer = lin_value_order(p, v + from, to - from, t, loose, order, LIN_LAST_PUT);
    for (uint32_t i = from; i < to; i++) {
        uint32_t until = v[i].get == LIN_NO ? t->taken_from : v[i].get_lo;
        if (v[i].put_hi + 1 < until)
            lin_cover(cover, v[i].put_hi + 1, until);
        order[i - from] += from;
    }
    return answer;
}

static bool lin_by_priority(struct lin_problem *p, struct lin_table *t) {
    struct lin_run *run = p->run;
    uint64_t *key = lin_alloc(run, t->m, sizeof *key);
    uint32_t *item = lin_alloc(run, t->m, sizeof *item);
    struct lin_value *sorted = lin_alloc(run, t->m, sizeof *sorted);
    if (run->stopped)
        return false;
    for (uint32_t i = 0; i < t->m; i++) {
        item[i] = i;
        key[i] = (uint64_t)lin_line(run->spec, lin_op(p, t->values[i].put)) ^ (UINT64_C(1) << 63);
    }
    lin_sort_pairs(run, key, item, t->m);
    for (uint32_t i = 0; i < t->m; i++)
        sorted[i] = t->values[item[i]];
    lin_free(run, t->values);
    t->values = sorted;
    lin_free(run, item);
    lin_free(run, key);
    return !run->stopped;
}

static int lin_try_priority_queue(struct lin_problem *p, bool placed) {
    struct lin_run *run = p->run;
    struct lin_table t;
    int answer = lin_table_of_possible(p, &t);
    if (answer != LIN_ACCEPT)
        return answer;
    uint32_t gaps = p->events + 2, loose = 0;
    struct lin_cover cover = {lin_alloc(run, gaps, sizeof(uint32_t)), lin_alloc(run, gaps + 1, sizeof(uint32_t))};
    uint32_t *order = lin_alloc(run, t.m, sizeof *order);
    if (!lin_by_priority(p, &t) || run->stopped)
        return LIN_UNDECIDED;
    uint32_t *owner = p->before ? lin_alloc(run, p->n, sizeof *owner) : NULL;
    if (run->stopped)
        return LIN_UNDECIDED;
    if (owner)
        memset(owner, 0xff, p->n * sizeof *owner);
    for (uint32_t i = 0; owner && i < t.m; i++) {
        owner[t.values[i].put] = i;
        if (t.values[i].get != LIN_NO)
            owner[t.values[i].get] = i;
    }
    for (uint32_t g = 0; g <= gaps; g++)
        cover.prev[g] = g;
    for (uint32_t g = 0; g < gaps; g++)
        cover.next[g] = g;
    for (uint32_t from = 0, to; from < t.m; from = to) {
        int64_t level = lin_line(run->spec, lin_op(p, t.values[from].put));
        for (to = from; to < t.m && lin_line(run->spec, lin_op(p, t.values[to].put)) == level;)
            to++;
        uint32_t lent = loose;
        answer = lin_level(p, &t, &cover, from, to, &loose, order + from, owner, placed);
        /* a rejection is sound only while no pending get has been handed to a particular value */
        if (answer != LIN_ACCEPT)
            return answer == LIN_REJECT && !lent ? LIN_REJECT : LIN_UNDECIDED;
        if (!run->spec->unordered)
            lin_squeeze(t.values, order + from, to - from);
        if (!lin_poll(run))
            return LIN_UNDECIDED;
    }
    for (uint32_t i = 0; run->spec->unordered && i < t.m; i++)
        lin_squeeze(t.values, &order[i], 1);
    if (p->before)
        lin_align_batches(p, &t, order);
    const uint32_t *last_free = lin_last_free(p, &t);
    if (!last_free)
        return LIN_UNDECIDED;
    return lin_pass_through(p, &t, order, last_free, run->spec->unordered ? LIN_BY_TAKING : LIN_IN_LINE)
               ? LIN_ACCEPT
               : LIN_UNDECIDED;
}

int lin_decide_priority_queue(struct lin_problem *p) {
    int answer = lin_try_priority_queue(p, false);
    if (answer != LIN_UNDECIDED || !p->before || p->run->spec->unordered || p->run->stopped)
        return answer;
    return lin_try_priority_queue(p, true) == LIN_ACCEPT ? LIN_ACCEPT : LIN_UNDECIDED;
}
