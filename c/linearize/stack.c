/* Stack with distinct values, in O(n log n).
 *
 * Let a gap be free if no remaining value is certainly inside it. A value can be the outermost one, pushed on
 * and popped to an empty stack, exactly if a free gap lies in its push and one in its pop: whatever else may be
 * inside there can be popped before or pushed after. Taking an outermost value away changes nothing for the
 * rest and frees more gaps; a history is linearizable if and only if all values can be taken away like that
 * (decrease and conquer: Lee & Mathur, OOPSLA 2025; the argument here is our own). */
#include "linearize/internal.h"

/* Cover counts over gaps: add on a range, and report each gap once when its count becomes 0. */
struct lin_counts {
    int32_t *min, *add;
    uint32_t leaves;
};

static void lin_counts_pull(struct lin_counts *c, uint32_t node) {
    c->min[node] = (c->min[2 * node] < c->min[2 * node + 1] ? c->min[2 * node] : c->min[2 * node + 1]) + c->add[node];
}

static void lin_counts_add(struct lin_counts *c, uint32_t node, uint32_t lo, uint32_t hi, uint32_t from, uint32_t to,
                           int32_t by) {
    if (from > hi || to < lo)
        return;
    if (from <= lo && hi <= to) {
        c->min[node] += by;
        c->add[node] += by;
        return;
    }
    uint32_t mid = lo + (hi - lo) / 2;
    lin_counts_add(c, 2 * node, lo, mid, from, to, by);
    lin_counts_add(c, 2 * node + 1, mid + 1, hi, from, to, by);
    lin_counts_pull(c, node);
}

/* Appends the gaps of [from, to] whose count is 0 to `out` and takes them out of the tree. */
static void lin_counts_zero(struct lin_counts *c, uint32_t node, uint32_t lo, uint32_t hi, uint32_t from, uint32_t to,
                            int32_t above, uint32_t *out, uint32_t *count) {
    if (from > hi || to < lo || c->min[node] + above > 0)
        return;
    if (lo == hi) {
        out[(*count)++] = lo;
        c->min[node] = INT32_MAX / 2;
        return;
    }
    uint32_t mid = lo + (hi - lo) / 2;
    lin_counts_zero(c, 2 * node, lo, mid, from, to, above + c->add[node], out, count);
    lin_counts_zero(c, 2 * node + 1, mid + 1, hi, from, to, above + c->add[node], out, count);
    lin_counts_pull(c, node);
}

/* Intervals waiting for a free gap: sorted by their first gap, with the largest last gap above each subtree. */
struct lin_waiting {
    uint32_t *item, *last, leaves, n;
    const struct lin_value *v;
    bool gets;
};

static uint32_t lin_waiting_lo(const struct lin_waiting *w, uint32_t i) {
    return w->gets ? w->v[w->item[i]].get_lo : w->v[w->item[i]].put_lo;
}

static bool lin_waiting_init(struct lin_run *run, struct lin_waiting *w, const struct lin_value *v, uint32_t m,
                             bool gets) {
    uint64_t *key = lin_alloc(run, m, sizeof *key);
    *w = (struct lin_waiting){.leaves = 1, .n = m, .v = v, .gets = gets};
    while (w->leaves < m)
        w->leaves *= 2;
    w->item = lin_alloc(run, m, sizeof *w->item);
    w->last = lin_alloc(run, 2 * (size_t)w->leaves, sizeof *w->last);
    if (run->stopped)
        return false;
    for (uint32_t i = 0; i < m; i++)
        w->item[i] = i, key[i] = gets ? v[i].get_lo : v[i].put_lo;
    lin_sort_pairs(run, key, w->item, m);
    memset(w->last, 0, 2 * (size_t)w->leaves * sizeof *w->last);
    for (uint32_t i = 0; i < m; i++)
        w->last[w->leaves + i] = (gets ? v[w->item[i]].get_hi : v[w->item[i]].put_hi) + 1;
    for (uint32_t k = w->leaves - 1; k; k--)
        w->last[k] = lin_max(w->last[2 * k], w->last[2 * k + 1]);
    lin_free(run, key);
    return !run->stopped;
}

/* Takes one waiting value whose interval contains `gap`; LIN_NO if there is none. */
static uint32_t lin_waiting_take(struct lin_waiting *w, uint32_t gap) {
    uint32_t lo = 0, hi = w->n, node = 1;
    while (lo < hi) { /* how many begin at or before the gap */
        uint32_t mid = lo + (hi - lo) / 2;
        if (lin_waiting_lo(w, mid) <= gap)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (!lo || w->last[1] <= gap)
        return LIN_NO;
    /* the leftmost leaf that ends after the gap */
    while (node < w->leaves)
        node = w->last[2 * node] > gap ? 2 * node : 2 * node + 1;
    uint32_t i = node - w->leaves;
    if (i >= lo)
        return LIN_NO;
    w->last[node] = 0;
    for (node /= 2; node; node /= 2)
        w->last[node] = lin_max(w->last[2 * node], w->last[2 * node + 1]);
    return w->item[i];
}

/* A set of gaps that only grows, with nearest neighbours: bits, and bits of non-zero words above. */
struct lin_gaps {
    uint64_t *level[6];
    uint32_t size[6], levels;
};

static bool lin_gaps_init(struct lin_run *run, struct lin_gaps *s, uint32_t n) {
    for (s->levels = 0;; s->levels++) {
        n = (n + 63) / 64;
        s->level[s->levels] = lin_alloc(run, n, 8);
        s->size[s->levels] = n;
        if (run->stopped)
            return false;
        memset(s->level[s->levels], 0, 8 * (size_t)n);
        if (n == 1)
            break;
    }
    s->levels++;
    return true;
}
static void lin_gaps_add(struct lin_gaps *s, uint32_t g) {
    for (uint32_t l = 0; l < s->levels; l++, g /= 64)
        s->level[l][g / 64] |= UINT64_C(1) << (g % 64);
}
static uint32_t lin_gaps_last(const struct lin_gaps *s, uint32_t g) { /* last member <= g, or LIN_NO */
    for (uint32_t l = 0; l < s->levels; l++) {
        uint64_t word = s->level[l][g / 64] & (UINT64_MAX >> (63 - g % 64));
        if (word) {
            g = g / 64 * 64 + 63 - (uint32_t)__builtin_clzll(word);
            while (l--)
                g = g * 64 + 63 - (uint32_t)__builtin_clzll(s->level[l][g]);
            return g;
        }
        if (g < 64)
            return LIN_NO;
        g = g / 64 - 1;
    }
    return LIN_NO;
}
static uint32_t lin_gaps_first(const struct lin_gaps *s, uint32_t g) { /* first member >= g, or LIN_NO */
    for (uint32_t l = 0; l < s->levels; l++) {
        if (g / 64 >= s->size[l])
            return LIN_NO;
        uint64_t word = s->level[l][g / 64] & (UINT64_MAX << (g % 64));
        if (word) {
            g = g / 64 * 64 + (uint32_t)__builtin_ctzll(word);
            while (l--)
                g = g * 64 + (uint32_t)__builtin_ctzll(s->level[l][g]);
            return g;
        }
        g = g / 64 + 1;
    }
    return LIN_NO;
}

static bool lin_counts_init(struct lin_problem *p, const struct lin_table *t, struct lin_counts *c) {
    uint32_t gaps = p->events + 1;
    for (c->leaves = 1; c->leaves < gaps;)
        c->leaves *= 2;
    c->min = lin_alloc(p->run, 2 * (size_t)c->leaves, sizeof *c->min);
    c->add = lin_alloc(p->run, 2 * (size_t)c->leaves, sizeof *c->add);
    if (p->run->stopped)
        return false;
    memset(c->min, 0, 2 * (size_t)c->leaves * sizeof *c->min);
    memset(c->add, 0, 2 * (size_t)c->leaves * sizeof *c->add);
    int32_t *leaf = c->min + c->leaves;
    for (uint32_t i = 0; i < t->m; i++)
        if (t->values[i].put_hi + 1 < t->values[i].get_lo)
            leaf[t->values[i].put_hi + 1]++, leaf[t->values[i].get_lo]--;
    for (uint32_t g = 1; g < gaps; g++)
        leaf[g] += leaf[g - 1];
    for (uint32_t g = gaps; g < c->leaves; g++)
        leaf[g] = INT32_MAX / 2;
    for (uint32_t k = c->leaves - 1; k; k--)
        lin_counts_pull(c, k);
    return true;
}

bool lin_peel(struct lin_problem *p, struct lin_table *t, uint32_t *order, uint32_t *done, uint32_t *last_free) {
    struct lin_run *run = p->run;
    struct lin_value *v = t->values;
    struct lin_counts counts;
    struct lin_waiting puts, gets;
    struct lin_gaps free_gaps;
    uint32_t gaps = p->events + 1, fresh = 0, at = 0, queued = 0, seen = LIN_NO;
    uint32_t *zero = lin_alloc(run, gaps, sizeof *zero);
    uint8_t *ready = lin_alloc(run, t->m, 1);
    *done = 0;
    if (run->stopped || !lin_counts_init(p, t, &counts) || !lin_waiting_init(run, &puts, v, t->m, false) ||
        !lin_waiting_init(run, &gets, v, t->m, true) || !lin_gaps_init(run, &free_gaps, gaps))
        return false;
    memset(ready, 0, t->m);
    lin_counts_zero(&counts, 1, 0, counts.leaves - 1, 0, gaps - 1, 0, zero, &fresh);
    for (uint32_t g = 0, k = 0; g < gaps; g++) {
        if (k < fresh && zero[k] == g)
            seen = g, k++;
        last_free[g] = seen;
    }
    for (;;) {
        for (; at < fresh; at++) {
            uint32_t x, g = zero[at];
            lin_gaps_add(&free_gaps, g);
            while ((x = lin_waiting_take(&puts, g)) != LIN_NO)
                if ((ready[x] |= 1) == 3)
                    order[queued++] = x;
            while ((x = lin_waiting_take(&gets, g)) != LIN_NO)
                if ((ready[x] |= 2) == 3)
                    order[queued++] = x;
            if ((at & 0xffff) == 0 && !lin_poll(run))
                return false;
        }
        if (*done == queued)
            return queued == t->m;
        struct lin_value *x = &v[order[(*done)++]];
        x->put_at = lin_gaps_last(&free_gaps, x->put_hi);
        x->get_at = x->put_at >= x->get_lo ? x->put_at : lin_gaps_first(&free_gaps, x->get_lo);
        if (x->put_hi + 1 < x->get_lo) {
            lin_counts_add(&counts, 1, 0, counts.leaves - 1, x->put_hi + 1, x->get_lo - 1, -1);
            lin_counts_zero(&counts, 1, 0, counts.leaves - 1, x->put_hi + 1, x->get_lo - 1, 0, zero, &fresh);
        }
    }
}

/* Pops that never returned may have taken any of the values that no other pop has. Are those left that somebody took
 * certainly, without the others? */
static bool lin_peel_taken(struct lin_problem *p, struct lin_table *t, uint32_t *order, uint32_t *done,
                           uint32_t *last_free) {
    uint32_t m = 0;
    for (uint32_t i = 0; i < t->m; i++)
        if (t->values[i].get != LIN_NO)
            t->values[m++] = t->values[i];
    t->m = m;
    return m && !lin_peel(p, t, order, done, last_free) && !p->run->stopped;
}

int lin_decide_stack(struct lin_problem *p) {
    struct lin_run *run = p->run;
    struct lin_table t;
    int answer = lin_table_of_possible(p, &t);
    if (answer != LIN_ACCEPT)
        return answer;
    uint32_t *order = lin_alloc(run, t.m, sizeof *order), done = 0;
    uint32_t *last_free = lin_alloc(run, p->events + 2, sizeof *last_free);
    if (run->stopped)
        return LIN_UNDECIDED;
    bool peeled = lin_peel(p, &t, order, &done, last_free);
    if (run->stopped)
        return LIN_UNDECIDED;
    if (peeled)
        return lin_pass_through(p, &t, order, last_free, LIN_NESTED) ? LIN_ACCEPT : LIN_UNDECIDED;
    if (t.loose_gets && !lin_peel_taken(p, &t, order, &done, last_free))
        return LIN_UNDECIDED;
    /* the values that are left cannot nest; which few of them show it is found by leaving values out */
    uint32_t *core = lin_alloc(run, 2 * (size_t)t.m, sizeof *core), count = 0, last = LIN_NO;
    if (!core)
        return LIN_UNDECIDED;
    for (uint32_t i = 0; i < done; i++)
        t.values[order[i]].put_at = LIN_NO;
    for (uint32_t i = 0; i < t.m; i++) {
        if (t.values[i].put_at == LIN_NO)
            continue;
        core[count++] = t.values[i].put;
        if (t.values[i].get == LIN_NO)
            continue;
        core[count++] = t.values[i].get;
        if (last == LIN_NO || p->ret[t.values[i].get] < p->ret[last])
            last = t.values[i].get;
    }
    return lin_reject(p, LF_LIN_NOT_NESTED, last, core, count, 0, 0);
}
