/* Bounded queues. Once the order of the values is fixed, everything is a function of two numbers: how many puts
 * and how many gets have taken effect. lin_sweep follows all pairs that are possible, instant by instant, together
 * with the FULL and EMPTY answers that have been right so far: exact for that order. lin_repair improves an
 * order whose values crowd the queue somewhere. */
#include "linearize/sweep.h"

/* -- sweep --------------------------------------------------------------------------------------------- */

void lin_sweep_rebound(struct lin_sweeper *s, const struct lin_value *v, const uint32_t *order, uint32_t from,
                       uint32_t to) {
    for (uint32_t k = from; k <= to; k++) {
        s->first_put[k] = lin_max(v[order[k]].put_lo, k ? s->first_put[k - 1] : 0);
        s->first_get[k] = lin_max(v[order[k]].get_lo, k ? s->first_get[k - 1] : 0);
    }
    for (uint32_t k = to + 1; k-- > from;) {
        const struct lin_value *x = &v[order[k]];
        s->last_put[k] = lin_min(x->put_hi, k + 1 < s->m ? s->last_put[k + 1] : LIN_NO);
        s->last_get[k] = lin_min(x->get == LIN_NO ? LIN_NO : x->get_hi, k + 1 < s->m ? s->last_get[k + 1] : LIN_NO);
    }
}

static bool lin_sweep_bounds(struct lin_sweeper *s, const struct lin_value *v, const uint32_t *order) {
    struct lin_run *run = s->p->run;
    uint32_t m = s->m;
    s->first_put = lin_alloc(run, m + 1, sizeof(uint32_t));
    s->last_put = lin_alloc(run, m + 1, sizeof(uint32_t));
    s->first_get = lin_alloc(run, m + 1, sizeof(uint32_t));
    s->last_get = lin_alloc(run, m + 1, sizeof(uint32_t));
    s->now = lin_alloc(run, LIN_SWEEP_MAX, sizeof *s->now);
    s->seen = lin_alloc(run, LIN_SWEEP_MAX, sizeof *s->seen);
    s->slot = lin_alloc(run, 4 * LIN_SWEEP_MAX, sizeof *s->slot);
    if (run->stopped)
        return false;
    if (m)
        lin_sweep_rebound(s, v, order, 0, m - 1);
    return true;
}

/* Adds a pair unless one with the same numbers and at least the same answers is there. */
static bool lin_sweep_add(struct lin_sweeper *s, struct lin_pair x, uint32_t mask) {
    int64_t inside = (int64_t)x.puts - x.gets, capacity = s->p->run->spec->capacity;
    uint64_t right = capacity && inside == capacity ? s->full : inside == 0 ? s->empty : 0;
    for (uint64_t left = right & ~x.right; left; left &= left - 1) {
        int bit = __builtin_ctzll(left);
        if ((inside ? x.puts : x.gets) >= s->need[bit])
            x.right |= UINT64_C(1) << bit;
    }
    uint32_t h = (uint32_t)lin_mix((uint64_t)x.puts << 32 | x.gets) & mask;
    for (; s->slot[h] != LIN_NO; h = (h + 1) & mask) {
        const struct lin_pair *y = &s->seen[s->slot[h]];
        if (y->puts == x.puts && y->gets == x.gets && !(x.right & ~y->right))
            return true;
    }
    if (s->seen_n == LIN_SWEEP_MAX)
        return false;
    s->slot[h] = s->seen_n;
    s->seen[s->seen_n++] = x;
    return true;
}

/* Everything that can happen in `gap`; what is late at its end is dropped. */
static bool lin_sweep_gap(struct lin_sweeper *s, uint32_t gap) {
    int64_t capacity = s->p->run->spec->capacity;
    uint32_t mask = 256;
    while (mask < 64 * s->n && mask < 4 * LIN_SWEEP_MAX)
        mask *= 2;
    for (;;) {
        memset(s->slot, 0xff, mask * sizeof *s->slot);
        s->seen_n = 0;
        bool ok = true;
        for (uint32_t i = 0; i < s->n; i++)
            ok = ok && lin_sweep_add(s, s->now[i], mask - 1);
        for (uint32_t i = 0; ok && i < s->seen_n && 2 * s->seen_n < mask; i++) {
            struct lin_pair x = s->seen[i], put = {x.puts + 1, x.gets, x.right}, get = {x.puts, x.gets + 1, x.right};
            if (x.puts < s->m && s->first_put[x.puts] <= gap && (!capacity || (int64_t)x.puts - x.gets < capacity))
                ok = lin_sweep_add(s, put, mask - 1);
            if (ok && x.gets < x.puts && s->first_get[x.gets] <= gap)
                ok = lin_sweep_add(s, get, mask - 1);
        }
        if (!ok)
            return false;
        if (2 * s->seen_n < mask || mask >= 4 * LIN_SWEEP_MAX)
            break;
        mask *= 4;
        if (mask > 4 * LIN_SWEEP_MAX)
            mask = 4 * LIN_SWEEP_MAX;
    }
    s->n = 0;
    for (uint32_t i = 0; i < s->seen_n; i++) {
        struct lin_pair x = s->seen[i];
        if (x.puts < s->m && s->last_put[x.puts] <= gap)
            continue;
        if (x.gets < s->m && s->last_get[x.gets] <= gap)
            continue;
        s->now[s->n++] = x;
    }
    return s->n > 0;
}

static bool lin_sweep_event(struct lin_sweeper *s, uint32_t event) {
    uint32_t op = event >> 1, bit = 0;
    const struct lf_history_op *o = lin_op(s->p, op);
    if (!lin_failed(o) || (s->p->skip && s->p->skip[op]))
        return true;
    if (!(event & 1)) {
        while (bit < 64 && s->answer[bit] != LIN_NO)
            bit++;
        if (bit == 64)
            return false;
        s->answer[bit] = op;
        s->need[bit] = 0;
        uint32_t b = s->p->before ? s->p->before[op] : LIN_NO;
        while (b != LIN_NO && !s->need[bit])
            s->need[bit] = s->place[b], b = s->p->before[b];
        if (lin_is_put(o))
            s->full |= UINT64_C(1) << bit;
        else
            s->empty |= UINT64_C(1) << bit;
        return true;
    }
    while (s->answer[bit] != op)
        bit++;
    uint64_t one = UINT64_C(1) << bit;
    s->answer[bit] = LIN_NO;
    s->full &= ~one;
    s->empty &= ~one;
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        if (!(s->now[i].right & one))
            continue;
        s->now[n] = s->now[i];
        s->now[n++].right &= ~one;
    }
    s->n = n;
    return n > 0;
}

/* With batches: the place of the value of each operation, by which a batch says what goes before its answers. */
static bool lin_sweep_places(struct lin_sweeper *s, const struct lin_value *v, const uint32_t *order) {
    s->place = lin_alloc(s->p->run, s->p->n, sizeof *s->place);
    if (!s->place)
        return false;
    memset(s->place, 0, s->p->n * sizeof *s->place);
    for (uint32_t k = 0; k < s->m; k++) {
        s->place[v[order[k]].put] = k + 1;
        if (v[order[k]].get != LIN_NO)
            s->place[v[order[k]].get] = k + 1;
    }
    return true;
}

bool lin_sweep_open(struct lin_sweeper *s, struct lin_problem *p, const struct lin_value *v, uint32_t m,
                    const uint32_t *order) {
    *s = (struct lin_sweeper){.p = p, .m = m, .n = 1};
    if ((p->before && !lin_sweep_places(s, v, order)) || !lin_sweep_bounds(s, v, order))
        return false;
    memset(s->answer, 0xff, sizeof s->answer);
    s->now[0] = (struct lin_pair){0, 0, 0};
    return true;
}

void lin_sweep_close(struct lin_sweeper *s) {
    void *all[] = {s->place, s->slot, s->seen, s->now, s->last_get, s->first_get, s->last_put, s->first_put};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        lin_free(s->p->run, all[i]);
}

bool lin_sweep_step(struct lin_sweeper *s, uint32_t r) {
    const struct lin_problem *p = s->p;
    if (!lin_sweep_event(s, p->event[r]))
        return false;
    /* between the calls, and between the returns, of one batch nothing can happen that cannot before or after */
    if (p->before && r + 1 < p->events && (p->event[r] & 1) == (p->event[r + 1] & 1)) {
        const struct lf_history_op *a = lin_op(p, p->event[r] >> 1), *b = lin_op(p, p->event[r + 1] >> 1);
        if (a->batch && a->batch == b->batch && a->client == b->client)
            return true;
    }
    return lin_sweep_gap(s, r) && ((r & 1023) != 0 || lin_poll(p->run));
}

/* Is there a schedule of the values in this order that makes every answer right? A batch may end with answers;
 * one that goes on after them, or mixes puts and gets, is left to the search. */
bool lin_sweep(struct lin_problem *p, const struct lin_value *v, uint32_t m, const uint32_t *order) {
    struct lin_sweeper s;
    for (uint32_t i = 0; p->before && i < p->n; i++) {
        const struct lf_history_op *o = lin_op(p, i), *b = p->before[i] == LIN_NO ? NULL : lin_op(p, p->before[i]);
        if (b && (b->op != o->op || (lin_failed(b) && !lin_failed(o))))
            return false;
    }
    bool ok = lin_sweep_open(&s, p, v, m, order);
    for (uint32_t r = 0; ok && r < p->events; r++)
        ok = lin_sweep_step(&s, r);
    lin_sweep_close(&s);
    return ok;
}

/* -- repair -------------------------------------------------------------------------------------------- */

/* May `later`, somewhere behind `earlier` in the order, go before it? */
bool lin_may_pass(const struct lin_problem *p, const struct lin_value *later, const struct lin_value *earlier) {
    if (earlier->put_hi < later->put_lo || earlier->get_hi < later->get_lo)
        return false;
    if (!p->before)
        return true;
    const struct lf_history_op *a = lin_op(p, later->put), *b = lin_op(p, earlier->put);
    if (a->batch && a->batch == b->batch && a->client == b->client)
        return false;
    if (later->get == LIN_NO || earlier->get == LIN_NO)
        return true;
    a = lin_op(p, later->get), b = lin_op(p, earlier->get);
    return !(a->batch && a->batch == b->batch && a->client == b->client);
}

/* Where more values are inside than fit, takes a value that is only waiting for another one's get, and puts it
 * before that one. True if the order changed. */
static bool lin_repair_once(struct lin_problem *p, const struct lin_value *v, uint32_t m, uint32_t *order) {
    enum { REACH = 256 };
    struct lin_run *run = p->run;
    uint32_t *inside = lin_alloc(run, p->events + 2, sizeof *inside);
    bool changed = false;
    if (!inside)
        return false;
    memset(inside, 0, (p->events + 2) * sizeof *inside);
    for (uint32_t i = 0; i < m; i++)
        if (v[i].put_at + 1 < v[i].get_at)
            inside[v[i].put_at + 1]++, inside[v[i].get_at]--;
    for (uint32_t g = 1; g < p->events + 2; g++)
        inside[g] += inside[g - 1];
    for (uint32_t k = 1; k < m; k++) {
        const struct lin_value *x = &v[order[k]];
        if (x->get_at == x->get_lo || x->get == LIN_NO)
            continue;
        /* x waits in [get_lo, get_at): does anything crowd there? */
        uint32_t crowded = x->get_lo;
        while (crowded < x->get_at && (int64_t)inside[crowded] <= run->spec->capacity)
            crowded++;
        if (crowded == x->get_at)
            continue;
        uint32_t to = k;
        for (uint32_t j = k; j-- && k - j < REACH;) {
            const struct lin_value *y = &v[order[j]];
            if (!lin_may_pass(p, x, y))
                break;
            if (y->get_lo > crowded)
                to = j;
        }
        if (to == k)
            continue;
        uint32_t moved = order[k];
        memmove(order + to + 1, order + to, (k - to) * sizeof *order);
        order[to] = moved;
        changed = true;
    }
    lin_free(run, inside);
    return changed;
}

/* Squeezes `order`, improving it while that helps. */
void lin_repair(struct lin_problem *p, struct lin_value *v, uint32_t m, uint32_t *order) {
    lin_squeeze(v, order, m);
    for (int round = 0; round < 12 && p->run->spec->capacity && lin_poll(p->run); round++) {
        if (!lin_repair_once(p, v, m, order))
            break;
        lin_squeeze(v, order, m);
    }
}
