/* Containers with distinct values: matching every get with its put, and ordering the values. */
#include "linearize/internal.h"

static uint32_t lin_value_slot(const uint32_t *slot, uint32_t mask, const struct lin_value *v, int64_t value) {
    uint32_t h = (uint32_t)lin_mix((uint64_t)value) & mask;
    while (slot[h] != LIN_NO && v[slot[h]].value != value)
        h = (h + 1) & mask;
    return h;
}

static int lin_match_gets(struct lin_problem *p, struct lin_table *t, const uint32_t *slot, uint32_t mask) {
    struct lin_value *v = t->values;
    uint32_t loose = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        const struct lf_history_op *op = lin_op(p, i);
        if (lin_is_put(op))
            continue;
        if (lin_pending(op)) {
            t->loose[loose++] = i;
            continue;
        }
        if (lin_failed(op)) {
            if (!p->skip || !p->skip[i])
                t->empty[t->empties++] = i;
            continue;
        }
        uint32_t at = slot[lin_value_slot(slot, mask, v, op->result)];
        bool other_level = at != LIN_NO && p->run->spec->kind == LF_LIN_PRIORITY_QUEUE &&
                           lin_op(p, v[at].put)->arg2 != op->arg2;
        if (at == LIN_NO || other_level)
            return lin_reject(p, LF_LIN_NEVER_PUT, i, &i, 1, op->result, 0);
        if (v[at].get != LIN_NO) {
            uint32_t core[3] = {v[at].put, v[at].get, i};
            return lin_reject(p, LF_LIN_TAKEN_TWICE, i, core, 3, op->result, 0);
        }
        v[at].get = i;
    }
    t->loose_gets = loose;
    return LIN_ACCEPT;
}

void lin_bound_value(const struct lin_problem *p, struct lin_value *v) {
    v->put_lo = p->call[v->put];
    v->put_hi = p->ret[v->put] - 1;
    v->get_lo = v->get_hi = p->events;
    if (v->get != LIN_NO) {
        v->get_lo = lin_max(p->call[v->get], v->put_lo);
        v->get_hi = p->ret[v->get] - 1;
        v->put_hi = lin_min(v->put_hi, v->get_hi);
    } else if (lin_pending(lin_op(p, v->put))) {
        v->put_hi = p->events;
    }
}

/* LIN_UNDECIDED: the values are not distinct. */
int lin_table_build(struct lin_problem *p, struct lin_table *t) {
    struct lin_run *run = p->run;
    uint32_t puts = 0, slots = 64, pending_gets = 0, failed_gets = 0;
    memset(t, 0, sizeof *t);
    for (uint32_t i = 0; i < p->n; i++) {
        const struct lf_history_op *op = lin_op(p, i);
        if (lin_is_put(op))
            puts += !lin_failed(op);
        else
            pending_gets += lin_pending(op), failed_gets += lin_failed(op);
    }
    while (slots < 2 * puts)
        slots *= 2;
    t->values = lin_alloc(run, puts, sizeof *t->values);
    t->empty = lin_alloc(run, failed_gets, sizeof *t->empty);
    t->loose = lin_alloc(run, pending_gets, sizeof *t->loose);
    uint32_t *slot = lin_alloc(run, slots, sizeof *slot), m = 0;
    if (run->stopped)
        return LIN_UNDECIDED;
    memset(slot, 0xff, slots * sizeof *slot);
    for (uint32_t i = 0; i < p->n; i++) {
        const struct lf_history_op *op = lin_op(p, i);
        if (!lin_is_put(op) || lin_failed(op))
            continue;
        uint32_t h = lin_value_slot(slot, slots - 1, t->values, op->arg);
        if (slot[h] != LIN_NO)
            return LIN_UNDECIDED;
        slot[h] = m;
        t->values[m++] = (struct lin_value){.value = op->arg, .put = i, .get = LIN_NO};
    }
    if (!lin_poll(run))
        return LIN_UNDECIDED;
    int matched = lin_match_gets(p, t, slot, slots - 1);
    lin_free(run, slot);
    if (matched != LIN_ACCEPT)
        return matched;

    t->taken_from = p->events;
    for (uint32_t i = 0; i < t->loose_gets; i++) {
        for (uint32_t j = i; j && p->call[t->loose[j - 1]] > p->call[t->loose[j]]; j--) {
            uint32_t swap = t->loose[j];
            t->loose[j] = t->loose[j - 1], t->loose[j - 1] = swap;
        }
    }
    if (t->loose_gets)
        t->taken_from = p->call[t->loose[0]];
    /* a pending put that nobody took from may as well not have happened, but it can be why others were FULL */
    bool counts = run->spec->kind == LF_LIN_QUEUE && lin_strict_full(p);
    for (uint32_t i = 0; i < m; i++) {
        struct lin_value *v = &t->values[i];
        if (v->get == LIN_NO && lin_pending(lin_op(p, v->put)) && !counts)
            continue;
        if (v->get != LIN_NO && p->ret[v->get] < p->call[v->put]) {
            uint32_t core[2] = {v->put, v->get};
            return lin_reject(p, LF_LIN_TAKEN_EARLY, v->get, core, 2, v->value, 0);
        }
        lin_bound_value(p, v);
        t->values[t->m++] = *v;
    }
    if (p->before)
        lin_tighten_batches(p, t);
    return lin_poll(run) ? LIN_ACCEPT : LIN_UNDECIDED;
}

/* A binary heap of values, smallest key first. */
struct lin_heap {
    uint32_t *item, n;
    const uint32_t *key;
};

static bool lin_heap_less(const struct lin_heap *h, uint32_t a, uint32_t b) {
    return h->key[a] != h->key[b] ? h->key[a] < h->key[b] : a < b;
}
static void lin_heap_push(struct lin_heap *h, uint32_t x) {
    uint32_t i = h->n++;
    for (; i && lin_heap_less(h, x, h->item[(i - 1) / 2]); i = (i - 1) / 2)
        h->item[i] = h->item[(i - 1) / 2];
    h->item[i] = x;
}
static uint32_t lin_heap_pop(struct lin_heap *h) {
    uint32_t top = h->item[0], x = h->item[--h->n], i = 0;
    for (uint32_t c; (c = 2 * i + 1) < h->n; i = c) {
        if (c + 1 < h->n && lin_heap_less(h, h->item[c + 1], h->item[c]))
            c++;
        if (!lin_heap_less(h, h->item[c], x))
            break;
        h->item[i] = h->item[c];
    }
    h->item[i] = x;
    return top;
}

enum { PUT_LO = LIN_FIRST_PUT, PUT_HI = LIN_LAST_PUT, GET_LO = LIN_FIRST_GET, GET_HI = LIN_LAST_GET, LIN_BOUNDS };
enum { PUT_READY = 1, GET_READY = 2, PUT_TURN = 4, GET_TURN = 8, READY = 15, QUEUED = 16, PICKED = 32 };

struct lin_sorter {
    struct lin_problem *p;
    struct lin_value *v;
    uint32_t m;
    uint32_t *by[LIN_BOUNDS];
    uint32_t *put_before, *get_before, *put_after, *get_after; /* chains of batches; NULL without batches */
    uint8_t *state;
    struct lin_heap taken, left; /* ready: values somebody took, values nobody took */
};

static uint32_t lin_bound(const struct lin_value *v, int which) {
    return which == PUT_LO ? v->put_lo : which == PUT_HI ? v->put_hi : which == GET_LO ? v->get_lo : v->get_hi;
}

static void lin_ready(struct lin_sorter *s, uint32_t i, uint8_t bit) {
    s->state[i] |= bit;
    uint8_t need = s->v[i].get == LIN_NO ? READY & ~(GET_READY | GET_TURN) : READY;
    if ((s->state[i] & (need | QUEUED)) != need)
        return;
    s->state[i] |= QUEUED;
    lin_heap_push(s->v[i].get == LIN_NO ? &s->left : &s->taken, i);
}

static void lin_chain(struct lin_sorter *s, const uint32_t *owner, uint32_t *before, uint32_t *after, bool gets) {
    struct lin_problem *p = s->p;
    memset(before, 0xff, s->m * sizeof *before);
    memset(after, 0xff, s->m * sizeof *after);
    for (uint32_t i = 0; i < s->m; i++) {
        uint32_t op = gets ? s->v[i].get : s->v[i].put;
        uint32_t b = op == LIN_NO ? LIN_NO : p->before[op];
        while (b != LIN_NO && (owner[b] == LIN_NO || (s->v[owner[b]].get == b) != gets))
            b = p->before[b];
        if (b != LIN_NO)
            before[i] = owner[b], after[owner[b]] = i;
    }
}

static bool lin_sorter_init(struct lin_sorter *s) {
    struct lin_run *run = s->p->run;
    uint32_t m = s->m;
    uint64_t *key = lin_alloc(run, m, sizeof *key);
    for (int b = 0; b < LIN_BOUNDS; b++) {
        s->by[b] = lin_alloc(run, m, sizeof *s->by[b]);
        if (run->stopped)
            return false;
        for (uint32_t i = 0; i < m; i++)
            key[i] = lin_bound(&s->v[i], b), s->by[b][i] = i;
        lin_sort_pairs(run, key, s->by[b], m);
    }
    lin_free(run, key);
    s->state = lin_alloc(run, m, 1);
    s->taken.item = lin_alloc(run, m, sizeof(uint32_t));
    s->left.item = lin_alloc(run, m, sizeof(uint32_t));
    if (run->stopped)
        return false;
    memset(s->state, PUT_TURN | GET_TURN, m);
    if (!s->p->before)
        return true;
    uint32_t *owner = lin_alloc(run, s->p->n, sizeof *owner);
    s->put_before = lin_alloc(run, m, sizeof(uint32_t));
    s->put_after = lin_alloc(run, m, sizeof(uint32_t));
    s->get_before = lin_alloc(run, m, sizeof(uint32_t));
    s->get_after = lin_alloc(run, m, sizeof(uint32_t));
    if (run->stopped)
        return false;
    memset(owner, 0xff, s->p->n * sizeof *owner);
    for (uint32_t i = 0; i < m; i++) {
        owner[s->v[i].put] = i;
        if (s->v[i].get != LIN_NO)
            owner[s->v[i].get] = i;
    }
    lin_chain(s, owner, s->put_before, s->put_after, false);
    lin_chain(s, owner, s->get_before, s->get_after, true);
    lin_free(run, owner);
    for (uint32_t i = 0; i < m; i++) {
        if (s->put_before[i] != LIN_NO)
            s->state[i] &= (uint8_t)~PUT_TURN;
        if (s->get_before[i] != LIN_NO)
            s->state[i] &= (uint8_t)~GET_TURN;
    }
    return true;
}

static void lin_sorter_free(struct lin_sorter *s) {
    struct lin_run *run = s->p->run;
    void *all[] = {s->get_after, s->get_before, s->put_after,  s->put_before, s->left.item, s->taken.item,
                   s->state,     s->by[GET_HI], s->by[GET_LO], s->by[PUT_HI], s->by[PUT_LO]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        lin_free(run, all[i]);
}

/* Nobody can be next: follow who waits for whom until somebody repeats. `a` has the earliest last put among
 * the remaining values, `b` the earliest last get. Without batches a and b always block each other. */
static int lin_stuck(struct lin_sorter *s, uint32_t a, uint32_t b, const struct lin_table *t) {
    struct lin_problem *p = s->p;
    const struct lin_value *va = &s->v[a], *vb = &s->v[b];
    uint32_t a_from = va->get == LIN_NO ? t->taken_from : va->get_lo;
    if (va->put_hi < vb->put_lo && vb->get != LIN_NO && vb->get_hi < a_from) {
        uint32_t core[4] = {va->put, vb->put, vb->get, va->get};
        return lin_reject(p, LF_LIN_OVERTAKEN, vb->get, core, 4, va->value, vb->value);
    }
    if (!p->before || t->loose_gets)
        return LIN_UNDECIDED;
    uint32_t *seen = lin_alloc(p->run, s->m, sizeof *seen), *path = lin_alloc(p->run, s->m, sizeof *path);
    uint32_t *core = lin_alloc(p->run, 2 * (size_t)s->m, sizeof *core);
    if (p->run->stopped)
        return LIN_UNDECIDED;
    memset(seen, 0xff, s->m * sizeof *seen);
    uint32_t x = a, steps = 0, count = 0, last = LIN_NO;
    while (seen[x] == LIN_NO) {
        const struct lin_value *v = &s->v[x];
        seen[x] = steps;
        path[steps++] = x;
        if (va->put_hi < v->put_lo)
            x = a;
        else if (v->get_lo > vb->get_hi)
            x = b;
        else if (!(s->state[x] & PUT_TURN))
            x = s->put_before[x];
        else
            x = s->get_before[x];
        if (x == LIN_NO)
            return LIN_UNDECIDED;
    }
    for (uint32_t i = seen[x]; i < steps; i++) {
        core[count++] = s->v[path[i]].put;
        core[count++] = s->v[path[i]].get;
        uint32_t g = s->v[path[i]].get;
        if (g != LIN_NO && (last == LIN_NO || p->ret[g] > p->ret[last]))
            last = g;
    }
    return lin_reject(p, LF_LIN_CYCLE, last, core, count, s->v[x].value, 0);
}

/* The order in which the values pass through a FIFO: a precedes b if put(a) returned before put(b) was
 * called, or get(a) before get(b), or a batch says so. Topological; of several, the one preferred.
 * Pending gets are handed out along the way: values they take become taken (`get` and its bounds are filled in). */
int lin_value_order(struct lin_problem *p, struct lin_value *v, uint32_t m, const struct lin_table *t,
                    uint32_t *loose_next, uint32_t *order, enum lin_prefer prefer) {
    struct lin_sorter s = {.p = p, .v = v, .m = m};
    if (!lin_sorter_init(&s))
        return LIN_UNDECIDED;
    uint32_t *first = lin_alloc(p->run, m, sizeof *first);
    if (!first)
        return LIN_UNDECIDED;
    for (uint32_t i = 0; i < m && prefer != LIN_LIKELY; i++)
        first[i] = lin_bound(&v[i], prefer);
    if (prefer == LIN_LIKELY && !lin_likely_places(p, v, m, first))
        return LIN_UNDECIDED;
    s.taken.key = s.left.key = first;
    uint32_t at[LIN_BOUNDS] = {0}, done = 0;
    int answer = LIN_ACCEPT;
    while (done < m) {
        while (s.state[s.by[PUT_HI][at[PUT_HI]]] & PICKED)
            at[PUT_HI]++;
        while (s.state[s.by[GET_HI][at[GET_HI]]] & PICKED)
            at[GET_HI]++;
        uint32_t a = s.by[PUT_HI][at[PUT_HI]], b = s.by[GET_HI][at[GET_HI]], next;
        uint32_t put_limit = v[a].put_hi, get_limit = v[b].get_hi;
        for (; at[PUT_LO] < m && v[s.by[PUT_LO][at[PUT_LO]]].put_lo <= put_limit; at[PUT_LO]++)
            lin_ready(&s, s.by[PUT_LO][at[PUT_LO]], PUT_READY);
        for (; at[GET_LO] < m && v[s.by[GET_LO][at[GET_LO]]].get_lo <= get_limit; at[GET_LO]++)
            lin_ready(&s, s.by[GET_LO][at[GET_LO]], GET_READY);
        bool only_left = v[b].get == LIN_NO, lend = false;
        if (s.left.n && !only_left && *loose_next < t->loose_gets)
            lend = p->call[t->loose[*loose_next]] <= get_limit &&
                   (!s.taken.n || lin_heap_less(&s.left, s.left.item[0], s.taken.item[0]));
        if (lend)
            next = lin_heap_pop(&s.left);
        else if (s.taken.n)
            next = lin_heap_pop(&s.taken);
        else if (s.left.n && only_left)
            next = lin_heap_pop(&s.left);
        else {
            answer = lin_stuck(&s, a, b, t);
            break;
        }
        if (v[next].get == LIN_NO && *loose_next < t->loose_gets) {
            uint32_t g = t->loose[(*loose_next)++];
            v[next].get = g;
            v[next].get_lo = lin_max(p->call[g], v[next].put_lo);
            v[next].get_hi = p->events - 1;
        }
        s.state[next] |= PICKED;
        order[done++] = next;
        if (s.put_after && s.put_after[next] != LIN_NO)
            lin_ready(&s, s.put_after[next], PUT_TURN);
        if (s.get_after && s.get_after[next] != LIN_NO)
            lin_ready(&s, s.get_after[next], GET_TURN);
        if ((done & 0xffff) == 0 && !lin_poll(p->run))
            answer = LIN_UNDECIDED, m = done;
    }
    lin_free(p->run, first);
    lin_sorter_free(&s);
    return p->run->stopped ? LIN_UNDECIDED : answer;
}

/* `get` answered EMPTY, or took the value of `put`, although values certainly inside fill its interval: names
 * the fewest of them. */
int lin_reject_not_empty(struct lin_problem *p, const struct lin_table *t, uint32_t get, uint32_t put, int reason) {
    struct lin_run *run = p->run;
    uint32_t first = p->call[get], last = p->ret[get] - 1, n = 0, next = 0, count = 0, values = 0;
    uint64_t *key = lin_alloc(run, t->m, sizeof *key);
    uint32_t *item = lin_alloc(run, t->m, sizeof *item), *core = lin_alloc(run, 2 + 2 * (size_t)t->m, sizeof *core);
    if (run->stopped)
        return LIN_UNDECIDED;
    for (uint32_t i = 0; i < t->m; i++) {
        const struct lin_value *v = &t->values[i];
        if (v->put_hi < last && (v->get == LIN_NO ? t->taken_from : v->get_lo) > first)
            key[n] = v->put_hi, item[n++] = i;
    }
    lin_sort_pairs(run, key, item, n);
    core[count++] = get;
    core[count++] = put;
    uint32_t best = LIN_NO, reach = first;
    for (uint32_t gap = first; gap <= last && !run->stopped; gap = reach, values++) {
        for (; next < n && key[next] < gap; next++) {
            const struct lin_value *v = &t->values[item[next]];
            uint32_t until = v->get == LIN_NO ? t->taken_from : v->get_lo;
            if (until > reach)
                best = item[next], reach = until;
        }
        if (reach == gap)
            return LIN_UNDECIDED;
        core[count++] = t->values[best].put;
        core[count++] = t->values[best].get;
    }
    return run->stopped ? LIN_UNDECIDED
                        : lin_reject(p, reason, get, core, count, values == 1 ? lin_op(p, core[2])->arg : 0, values);
}
