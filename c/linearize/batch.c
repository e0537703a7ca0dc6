/* Priority queues and batches: the puts of a batch keep their order across priorities. */
#include "linearize/internal.h"

/* Earlier puts of a batch, and of a priority, may not come later than later ones. */
void lin_align_batches(struct lin_problem *p, struct lin_table *t, const uint32_t *order) {
    struct lin_value *v = t->values;
    uint32_t *owner = lin_alloc(p->run, p->n, sizeof *owner);
    if (!owner)
        return;
    memset(owner, 0xff, p->n * sizeof *owner);
    for (uint32_t i = 0; i < t->m; i++)
        owner[v[i].put] = i;
    for (int round = 0; round < 4; round++) {
        bool moved = false;
        for (uint32_t i = p->n; i--;) {
            uint32_t b = p->before[i];
            if (owner[i] == LIN_NO)
                continue;
            while (b != LIN_NO && owner[b] == LIN_NO)
                b = p->before[b];
            if (b == LIN_NO || v[owner[b]].put_at <= v[owner[i]].put_at)
                continue;
            v[owner[b]].put_at = v[owner[i]].put_at;
            moved = true;
        }
        for (uint32_t k = p->run->spec->unordered ? 0 : t->m; k-- > 1;) {
            struct lin_value *x = &v[order[k - 1]], *next = &v[order[k]];
            if (lin_line(p->run->spec, lin_op(p, x->put)) != lin_line(p->run->spec, lin_op(p, next->put)) ||
                x->put_at <= next->put_at)
                continue;
            x->put_at = next->put_at;
            moved = true;
        }
        if (!moved)
            break;
    }
    lin_free(p->run, owner);
}

/* What happens in one gap: values put there, of which some pass through, and gets that their batch lets come no
 * sooner. */
struct lin_group {
    struct lin_problem *p;
    const struct lin_value *v;
    const uint32_t *item;
    uint32_t n, gap;
    uint8_t *waiting;
};

static int64_t lin_level_of(const struct lin_group *g, uint32_t k) {
    return lin_line(g->p->run->spec, lin_op(g->p, g->v[g->item[k]].put));
}
static bool lin_batch_ready(const struct lin_group *g, uint32_t op) {
    for (uint32_t b = g->p->before[op]; b != LIN_NO; b = g->p->before[b])
        if (g->waiting[b])
            return false;
    return true;
}

/* A put may go when nothing that precedes it in its priority or batch is still to come in this gap. */
static bool lin_put_ready(const struct lin_group *g, uint32_t k) {
    uint32_t put = g->v[g->item[k]].put;
    for (uint32_t j = 0; j < k && !g->p->run->spec->unordered; j++)
        if (g->waiting[g->v[g->item[j]].put] && lin_level_of(g, j) == lin_level_of(g, k))
            return false;
    return g->waiting[put] && lin_batch_ready(g, put);
}

/* A get may go when nothing put in this gap comes before it. */
static bool lin_get_ready(const struct lin_group *g, uint32_t k) {
    const struct lin_value *x = &g->v[g->item[k]];
    if (x->get == LIN_NO || g->waiting[x->put] || !g->waiting[x->get] || !lin_batch_ready(g, x->get))
        return false;
    for (uint32_t j = 0; j < g->n; j++) {
        const struct lin_value *y = &g->v[g->item[j]];
        bool inside = !g->waiting[y->put] && (y->get == LIN_NO || y->get_at != g->gap || g->waiting[y->get]);
        if (j != k && inside &&
            (lin_level_of(g, j) < lin_level_of(g, k) ||
             (lin_level_of(g, j) == lin_level_of(g, k) && j < k && !g->p->run->spec->unordered)))
            return false;
    }
    return true;
}

static bool lin_emit_group(struct lin_witness *w, struct lin_group *g) {
    uint32_t left = 0;
    for (uint32_t k = 0; k < g->n; k++) {
        const struct lin_value *x = &g->v[g->item[k]];
        if (x->put_at == g->gap)
            g->waiting[x->put] = 1, left++;
        if (x->get != LIN_NO && x->get_at == g->gap)
            g->waiting[x->get] = 1, left++;
    }
    for (bool moved = true; left && moved;) {
        moved = false;
        for (uint32_t k = 0; k < g->n && !moved; k++) {
            const struct lin_value *x = &g->v[g->item[k]];
            if (!(moved = lin_get_ready(g, k)))
                continue;
            g->waiting[x->get] = 0;
            lin_emit(w, x->get, x->get_at);
        }
        /* first what can be taken at once, then what has to wait inside for its turn in a batch, then what stays */
        for (int choice = 0; choice < 3 && !moved; choice++)
            for (uint32_t k = 0; k < g->n && !moved; k++) {
                const struct lin_value *x = &g->v[g->item[k]];
                bool through = x->put_at == x->get_at && x->get != LIN_NO;
                if (choice != (through ? !lin_batch_ready(g, x->get) : 2) || !(moved = lin_put_ready(g, k)))
                    continue;
                g->waiting[x->put] = 0;
                lin_emit(w, x->put, x->put_at);
            }
        left -= moved;
    }
    return !left;
}

/* Gets of values inside that come after one in their batch that passes through in the same gap. */
bool *lin_late_gets(struct lin_problem *p, const struct lin_table *t) {
    struct lin_run *run = p->run;
    bool *late = lin_alloc(run, t->m, sizeof *late);
    uint32_t *owner = lin_alloc(run, p->n, sizeof *owner);
    if (run->stopped)
        return NULL;
    memset(late, 0, t->m * sizeof *late);
    memset(owner, 0xff, p->n * sizeof *owner);
    for (uint32_t i = 0; i < t->m; i++)
        if (t->values[i].get != LIN_NO)
            owner[t->values[i].get] = i;
    for (uint32_t i = 0; i < t->m; i++) {
        const struct lin_value *x = &t->values[i];
        if (x->get == LIN_NO || x->put_at == x->get_at)
            continue;
        for (uint32_t b = p->before[x->get]; b != LIN_NO && !late[i]; b = p->before[b]) {
            const struct lin_value *y = owner[b] == LIN_NO ? NULL : &t->values[owner[b]];
            late[i] = y && y->get_at == x->get_at && y->put_at == y->get_at;
        }
    }
    lin_free(run, owner);
    return late;
}

/* Gap by gap, puts and what passes through in an order that priorities and batches allow. */
bool lin_emit_batched(struct lin_witness *w, const struct lin_table *t, const uint32_t *order, const bool *late) {
    struct lin_problem *p = w->p;
    struct lin_run *run = p->run;
    uint32_t n = 0;
    uint64_t *key = lin_alloc(run, 2 * (size_t)t->m, sizeof *key);
    uint32_t *item = lin_alloc(run, 2 * (size_t)t->m, sizeof *item);
    uint8_t *waiting = lin_alloc(run, p->n, 1);
    if (run->stopped)
        return false;
    memset(waiting, 0, p->n);
    for (uint32_t k = 0; k < t->m; k++) {
        item[n] = order[k], key[n++] = t->values[order[k]].put_at;
        if (late[order[k]])
            item[n] = order[k], key[n++] = t->values[order[k]].get_at;
    }
    lin_sort_pairs(run, key, item, n);
    bool ok = !run->stopped;
    for (uint32_t from = 0, to; ok && from < n; from = to) {
        for (to = from; to < n && key[to] == key[from];)
            to++;
        struct lin_group g = {p, t->values, item + from, to - from, (uint32_t)key[from], waiting};
        ok = to - from <= 512 && lin_emit_group(w, &g);
    }
    lin_free(run, waiting);
    lin_free(run, item);
    lin_free(run, key);
    return ok;
}

/* What the order of batches says about the bounds, whatever else is true: the first of two puts (gets) of a batch
 * is over when the second can be at the latest, and the second cannot be before the first can. */
void lin_tighten_batches(struct lin_problem *p, struct lin_table *t) {
    struct lin_value *v = t->values;
    uint32_t *owner = lin_alloc(p->run, p->n, sizeof *owner);
    if (!owner)
        return;
    memset(owner, 0xff, p->n * sizeof *owner);
    for (uint32_t i = 0; i < t->m; i++) {
        owner[v[i].put] = i;
        if (v[i].get != LIN_NO)
            owner[v[i].get] = i;
    }
    for (int backwards = 1; backwards >= 0; backwards--)
        for (uint32_t k = 0; k < p->n; k++) {
            uint32_t i = backwards ? p->n - 1 - k : k, b = p->before[i];
            if (owner[i] == LIN_NO)
                continue;
            bool put = v[owner[i]].put == i;
            while (b != LIN_NO && (owner[b] == LIN_NO || (v[owner[b]].put == b) != put))
                b = p->before[b];
            if (b == LIN_NO)
                continue;
            struct lin_value *first = &v[owner[b]], *second = &v[owner[i]];
            if (backwards && put)
                first->put_hi = lin_min(first->put_hi, second->put_hi);
            else if (backwards) {
                first->get_hi = lin_min(first->get_hi, second->get_hi);
                first->put_hi = lin_min(first->put_hi, first->get_hi);
            } else if (!put)
                second->get_lo = lin_max(second->get_lo, first->get_lo);
        }
    lin_free(p->run, owner);
}

/* A value put before `x` in the same batch and no less urgent is taken before it. */
uint32_t lin_batch_first_get(struct lin_problem *p, const struct lin_value *v, const uint32_t *owner,
                             const struct lin_value *x) {
    uint32_t lo = x->get_lo;
    for (uint32_t b = p->before[x->put]; b != LIN_NO; b = p->before[b])
        if (owner[b] != LIN_NO && v[owner[b]].put == b &&
            lin_line(p->run->spec, lin_op(p, b)) <= lin_line(p->run->spec, lin_op(p, x->put)) &&
            v[owner[b]].get != LIN_NO)
            lo = lin_max(lo, v[owner[b]].get_lo);
    return lo;
}
