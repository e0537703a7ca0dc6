/* In a queue without a capacity puts are ordered by their intervals alone; with one, see slots.c. A get may claim a put that has been called unless another one that nobody
 * has claimed returned before that call; it takes the one of its value that returns first, since that one stands in the
 * way of most others. EMPTY is right when every put that has returned is claimed: so the return of a put is the last chance to
 * make the queue empty before it. Nothing else matters: the puts can then
 * be given effects, in the order of the claims, each as early as it may be.
 *
 * Of a priority queue each level is such a queue of its own. For it, a get of a less urgent level is what EMPTY is: at that
 * instant nothing of the level is inside. Without an order of ties a get may claim any put of its level. */
#include "linearize/claims.h"

enum { LIN_LEVELS_MAX = 64 }; /* each get looks through them */

static void lin_ring_append(uint32_t *next, uint32_t *prev, uint32_t head, uint32_t x) {
    next[x] = head;
    prev[x] = prev[head];
    next[prev[head]] = x;
    prev[head] = x;
}

static bool lin_suits(struct lin_problem *p) {
    const struct lf_lin_spec *spec = p->run->spec;
    bool priorities = spec->kind == LF_LIN_PRIORITY_QUEUE && !spec->capacity && !spec->fronts;
    if ((spec->kind != LF_LIN_QUEUE && !priorities) || p->before || p->run->options->start)
        return false;
    for (uint32_t i = 0; i < p->n; i++) {
        const struct lf_history_op *o = lin_op(p, i);
        if (o->op == LF_OP_PEEK || (lin_is_put(o) && lin_failed(o) && !spec->capacity))
            return false;
    }
    return true;
}

/* Numbers the values, and the levels of priorities; how many values there are. */
static uint32_t lin_number_values(struct lin_claims *c) {
    struct lin_problem *p = c->p;
    uint64_t *key = lin_alloc(p->run, p->n, sizeof *key);
    uint32_t *item = lin_alloc(p->run, p->n, sizeof *item), n;
    bool priorities = p->run->spec->kind == LF_LIN_PRIORITY_QUEUE;
    if (priorities)
        c->level = lin_alloc(p->run, p->n, sizeof *c->level);
    if (p->run->stopped)
        return 0;
    uint32_t values = lin_rank_values(p, key, item, &n, c->value);
    if (priorities) {
        for (uint32_t k = 0; k < n; k++)
            key[k] = (uint64_t)lin_op(p, item[k])->arg2 ^ (UINT64_C(1) << 63);
        c->levels = lin_rank_keys(p->run, key, item, n, c->level);
        for (uint32_t k = 0; k < n; k++)
            key[k] = (uint64_t)c->level[item[k]] << 32 | c->value[item[k]];
        values = lin_rank_keys(p->run, key, item, n, c->value);
    }
    lin_free(p->run, item);
    lin_free(p->run, key);
    return values;
}

bool lin_claims_init(struct lin_claims *c, struct lin_problem *p) {
    struct lin_run *run = p->run;
    memset(c, 0, sizeof *c);
    if (!lin_suits(p))
        return true;
    c->p = p;
    c->levels = 1;
    c->value = lin_alloc(run, p->n, sizeof *c->value);
    uint32_t values = c->value ? lin_number_values(c) : 0, size = p->n + 1 + values;
    if (c->levels > LIN_LEVELS_MAX)
        return true;
    c->prev = lin_alloc(run, p->n + c->levels, sizeof *c->prev);
    c->later = lin_alloc(run, size, sizeof *c->later);
    c->earlier = lin_alloc(run, size, sizeof *c->earlier);
    uint32_t *next = lin_alloc(run, p->n + c->levels, sizeof *next);
    c->spare = lin_alloc(run, values + 1, sizeof *c->spare);
    if (run->stopped)
        return false;
    memset(c->spare, 0, (values + 1) * sizeof *c->spare);
    for (uint32_t i = 0; i < p->n; i++)
        if (lin_puts_value(p, i))
            c->spare[c->value[i]]++;
    for (uint32_t i = 0; i < p->n; i++)
        if (!lin_is_put(lin_op(p, i)) && c->value[i] != LIN_NO && c->spare[c->value[i]])
            c->spare[c->value[i]]--;
    for (uint32_t head = p->n; head < p->n + c->levels; head++)
        next[head] = c->prev[head] = head;
    for (uint32_t head = p->n; head < size; head++)
        c->later[head] = c->earlier[head] = head;
    for (uint32_t pending = 0; pending < 2; pending++)
        for (uint32_t r = 0; r < p->events; r++) {
            uint32_t i = p->event[r] >> 1;
            if (!lin_puts_value(p, i) || lin_pending(lin_op(p, i)) != pending || (p->event[r] & 1) == pending)
                continue;
            lin_ring_append(next, c->prev, p->n + lin_claims_level(c, i), i);
            lin_ring_append(c->later, c->earlier, p->n + 1 + c->value[i], i);
        }
    c->horizon = lin_alloc(run, p->events + 1, sizeof *c->horizon);
    if (!c->horizon)
        return false;
    c->horizon[0] = 0;
    for (uint32_t r = 0; r < p->events; r++) {
        uint32_t i = p->event[r] >> 1;
        bool called = !(p->event[r] & 1) && lin_puts_value(p, i) && !lin_pending(lin_op(p, i));
        c->horizon[r + 1] = called ? lin_max(c->horizon[r], p->ret[i]) : c->horizon[r];
    }
    c->next = next;
    return true;
}

/* A pending get: may it claim this put, and not just as well one of the same value that returns earlier? */
static bool lin_claims_distinct(const struct lin_claims *c, uint32_t put, uint32_t before) {
    uint32_t head = c->p->n + 1 + c->value[put], other = c->earlier[put];
    while (other != head && c->p->call[other] >= before)
        other = c->earlier[other];
    return other == head && c->spare[c->value[put]] > 0;
}

/* The outcome-th put of a ring that `get` may claim, now that the levels before its own may be empty; counts down. */
static uint32_t lin_claims_in(const struct lin_claims *c, uint32_t level, uint32_t get, uint32_t at,
                              uint32_t *outcome) {
    const struct lin_problem *p = c->p;
    uint32_t first = c->next[p->n + level], before = at;
    bool any = c->value[get] == LIN_NO;
    if (first != p->n + level && !p->run->spec->unordered)
        before = lin_min(at, p->ret[first]);
    const uint32_t *next = any ? c->next : c->later, *prev = any ? c->prev : c->earlier;
    uint32_t head = any ? p->n + level : p->n + 1 + c->value[get], put;
    /* beyond the horizon nothing has been called yet, but for what never returned, at the end */
    for (put = next[head]; put != head && p->ret[put] <= c->horizon[at]; put = next[put])
        if (p->call[put] < before && (!any || lin_claims_distinct(c, put, before)) && !(*outcome)--)
            return put;
    for (uint32_t last = prev[head]; last != head && p->ret[last] == p->events; last = prev[last])
        if (p->call[last] < before && (!any || lin_claims_distinct(c, last, before)) && !(*outcome)--)
            return last;
    return LIN_NO;
}

uint32_t lin_claims_find(const struct lin_claims *c, uint32_t get, uint32_t at, uint32_t outcome) {
    if (c->value[get] != LIN_NO) {
        uint32_t level = lin_claims_level(c, get);
        return lin_claims_empty(c, level, at) ? lin_claims_in(c, level, get, at, &outcome) : LIN_NO;
    }
    uint32_t put = LIN_NO;
    for (uint32_t level = 0; level < c->levels && put == LIN_NO && lin_claims_empty(c, level, at); level++)
        put = lin_claims_in(c, level, get, at, &outcome);
    return put;
}

bool lin_claims_empty(const struct lin_claims *c, uint32_t levels, uint32_t at) {
    for (uint32_t head = c->p->n; head < c->p->n + levels; head++)
        if (c->next[head] != head && c->p->ret[c->next[head]] < at)
            return false;
    return true;
}

uint32_t lin_claims_blocker(const struct lin_claims *c, uint32_t get, uint32_t at) {
    uint32_t n = c->p->n, own = lin_claims_level(c, get);
    for (uint32_t head = n; head < n + own; head++)
        if (c->next[head] != head && c->p->ret[c->next[head]] < at)
            return c->next[head];
    if (own == c->levels || lin_claims_find(c, get, at, 0) != LIN_NO || c->next[n + own] == n + own)
        return LIN_NO;
    return c->next[n + own];
}

bool lin_claims_has(const struct lin_claims *c, uint32_t put) { return c->next[c->prev[put]] == put; }

uint32_t lin_claims_left(const struct lin_claims *c, uint32_t levels, uint32_t at, uint32_t most) {
    uint32_t n = 0;
    for (uint32_t head = c->p->n; head < c->p->n + levels; head++)
        for (uint32_t put = c->next[head]; put != head && c->p->ret[put] < at && n <= most; put = c->next[put])
            n++;
    return n;
}

static void lin_claims_mark(struct lin_claims *c, uint32_t put) {
    c->hash[0] ^= lin_mix(put * 0x9e3779b97f4a7c15u + 1);
    c->hash[1] ^= lin_mix(put * 0xd6e8feb86659fd93u + 7) * 0xa0761d6478bd642fu;
}

void lin_claims_take(struct lin_claims *c, uint32_t put, uint32_t get) {
    c->spare[c->value[put]] -= c->value[get] == LIN_NO;
    c->next[c->prev[put]] = c->next[put];
    c->prev[c->next[put]] = c->prev[put];
    c->later[c->earlier[put]] = c->later[put];
    c->earlier[c->later[put]] = c->earlier[put];
    lin_claims_mark(c, put);
}

void lin_claims_give_back(struct lin_claims *c, uint32_t put, uint32_t get) {
    c->spare[c->value[put]] += c->value[get] == LIN_NO;
    c->next[c->prev[put]] = put;
    c->prev[c->next[put]] = put;
    c->later[c->earlier[put]] = put;
    c->earlier[c->later[put]] = put;
    lin_claims_mark(c, put);
}
