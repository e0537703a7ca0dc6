/* Stacks whose pops may have taken one of several values: values are equal, or a pop never returned.
 *
 * Once every pop has a push, the values are as good as distinct, and stack.c takes the outermost ones away until none is
 * left. A pairing that leaves some is changed where it got stuck: two pops change their pushes, a pop that never returned
 * takes a value or gives it back. What leaves no more values than before is kept. A linearization found like that is
 * replayed; if none is found, nothing is known. */
#include "linearize/internal.h"

struct lin_pairing {
    struct lin_problem *p;
    uint32_t *class_of; /* [n] operations that push or pop the same value */
    uint32_t *mate;     /* [n] the push of a pop and the pop of a push, LIN_NO: none */
    uint32_t *push, pushes, *loose, loose_pops;
    uint32_t *member, *begin; /* pushes, class by class */
    struct lin_table t;
    uint32_t *push_of; /* [values of t] */
    uint32_t *order, *last_free, *stuck, stuck_count, cost;
    uint32_t *kept;              /* what is stuck in the pairing that is kept */
    uint64_t chance, work, most; /* events looked at, and how many may be */
};

static uint32_t lin_random(struct lin_pairing *x, uint32_t n) {
    x->chance = lin_mix(x->chance + 0x9e3779b97f4a7c15u);
    return (uint32_t)(x->chance % n);
}

/* -- a first pairing ------------------------------------------------------------------------------------------- */

static bool lin_number_classes(struct lin_pairing *x) {
    struct lin_problem *p = x->p;
    uint64_t *key = lin_alloc(p->run, p->n, sizeof *key);
    uint32_t *item = lin_alloc(p->run, p->n, sizeof *item), n;
    if (p->run->stopped)
        return false;
    uint32_t classes = lin_rank_values(p, key, item, &n, x->class_of);
    x->begin = lin_alloc(p->run, (size_t)classes + 2, sizeof *x->begin);
    if (p->run->stopped)
        return false;
    memset(x->begin, 0, ((size_t)classes + 2) * sizeof *x->begin);
    for (uint32_t k = 0; k < x->pushes; k++)
        x->begin[x->class_of[x->push[k]] + 2]++;
    for (uint32_t c = 0; c < classes; c++)
        x->begin[c + 2] += x->begin[c + 1];
    for (uint32_t k = 0; k < x->pushes; k++)
        x->member[x->begin[x->class_of[x->push[k]] + 1]++] = x->push[k];
    return true;
}

/* Each pop that returns takes a push of its value that was called before: one that overlaps it, if there is any, since
 * that is in nobody's way, and of these the one that returns first; else the one that returned last. False: there is none. */
static bool lin_pair_first(struct lin_pairing *x) {
    struct lin_problem *p = x->p;
    uint32_t *next = lin_alloc(p->run, p->n, sizeof *next), *top = lin_alloc(p->run, p->n + 1, sizeof *top);
    uint32_t *open = lin_alloc(p->run, p->n + 1, sizeof *open);
    if (p->run->stopped)
        return false;
    memset(top, 0xff, (p->n + 1) * sizeof *top);   /* by class: what has returned, the last one first */
    memset(open, 0xff, (p->n + 1) * sizeof *open); /* and what has not, by return */
    for (uint32_t r = 0; r < p->events; r++) {
        uint32_t op = p->event[r] >> 1, class = x->class_of[op], *link, *found;
        if (class == LIN_NO)
            continue;
        if (lin_is_put(lin_op(p, op))) {
            if (!(p->event[r] & 1))
                lin_open_by_return(p, &open[class], next, op);
            else if (x->mate[op] == LIN_NO) {
                for (link = &open[class]; *link != op;)
                    link = &next[*link];
                *link = next[op];
                next[op] = top[class];
                top[class] = op;
            }
            continue;
        }
        if (!(p->event[r] & 1))
            continue;
        found = open[class] != LIN_NO && p->ret[open[class]] < p->events ? &open[class] : NULL;
        for (link = &top[class]; *link != LIN_NO && p->ret[*link] > p->call[op]; link = &next[*link])
            found = link;
        if (!found)
            found = top[class] != LIN_NO ? &top[class] : &open[class];
        if (*found == LIN_NO)
            return false;
        x->mate[op] = *found;
        x->mate[*found] = op;
        *found = next[*found];
    }
    return true;
}

/* -- how good it is -------------------------------------------------------------------------------------------- */

/* Fills in the values as they are paired, and takes away what can be taken. Only what has to be done before the event
 * `until` counts: what may be done later is done then, or never. */
static bool lin_try_pairing(struct lin_pairing *x, uint32_t until) {
    struct lin_problem begun = *x->p, *p = &begun;
    struct lin_block *mark = p->run->blocks;
    uint32_t done = 0;
    p->events = until;
    x->work += until;
    x->t.m = 0;
    for (uint32_t k = 0; k < x->pushes && p->call[x->push[k]] < until; k++) {
        uint32_t push = x->push[k], pop = x->mate[push];
        if (pop == LIN_NO && lin_pending(lin_op(p, push)))
            continue; /* it may as well not have happened */
        x->push_of[x->t.m] = push;
        struct lin_value *v = &x->t.values[x->t.m++];
        *v = (struct lin_value){.put = push, .get = pop, .put_lo = p->call[push], .get_lo = until, .get_hi = until};
        v->put_hi = lin_min(p->ret[push] - 1, until);
        if (pop == LIN_NO)
            continue;
        v->get_hi = lin_min(p->ret[pop] - 1, until);
        v->get_lo = lin_min(lin_max(p->call[pop], v->put_lo), until);
        v->put_hi = lin_min(v->put_hi, v->get_hi);
    }
    lin_peel(p, &x->t, x->order, &done, x->last_free);
    lin_release(p->run, mark);
    if (p->run->stopped)
        return false;
    for (uint32_t k = 0; k < done; k++)
        x->push_of[x->order[k]] = LIN_NO;
    x->stuck_count = 0;
    for (uint32_t k = 0; k < x->t.m; k++)
        if (x->push_of[k] != LIN_NO)
            x->stuck[x->stuck_count++] = x->push_of[k];
    x->cost = x->stuck_count;
    for (uint32_t i = 0; i < x->t.empties; i++) {
        uint32_t get = x->t.empty[i];
        if (p->ret[get] > until ||
            (x->last_free[p->ret[get] - 1] != LIN_NO && x->last_free[p->ret[get] - 1] >= p->call[get]))
            continue;
        for (uint32_t k = 0; !x->stuck_count && k < x->t.m; k++) /* what stands in the way of the first EMPTY */
            if (x->t.values[k].put_hi < p->ret[get] - 1 && x->t.values[k].get_lo > p->call[get])
                x->stuck[x->stuck_count++] = x->t.values[k].put;
        x->cost++;
    }
    return true;
}

/* -- changes --------------------------------------------------------------------------------------------------- */

struct lin_change {
    uint32_t a, b, pop_a, pop_b; /* two pushes and their pops before; b LIN_NO: there is one push, and pop_b is free */
};

/* Is this pop one that the push may be taken by? */
static bool lin_may_pair(const struct lin_pairing *x, uint32_t push, uint32_t pop) {
    return pop == LIN_NO ||
           (x->p->call[push] < x->p->ret[pop] && (x->class_of[pop] == LIN_NO || x->class_of[pop] == x->class_of[push]));
}

static void lin_couple(struct lin_pairing *x, uint32_t push, uint32_t pop) {
    x->mate[push] = pop;
    if (pop != LIN_NO)
        x->mate[pop] = push;
}

static bool lin_change(struct lin_pairing *x, const struct lin_change *c) {
    bool two = c->b != LIN_NO;
    if (!lin_may_pair(x, c->a, c->pop_b) || (two && !lin_may_pair(x, c->b, c->pop_a)))
        return false;
    if (!two && c->pop_a != LIN_NO)
        x->mate[c->pop_a] = LIN_NO;
    lin_couple(x, c->a, c->pop_b);
    if (two)
        lin_couple(x, c->b, c->pop_a);
    return true;
}

static void lin_change_back(struct lin_pairing *x, const struct lin_change *c) {
    if (c->b == LIN_NO && c->pop_b != LIN_NO)
        x->mate[c->pop_b] = LIN_NO;
    lin_couple(x, c->a, c->pop_a);
    if (c->b != LIN_NO)
        lin_couple(x, c->b, c->pop_b);
}

/* One of the last of `n` in a list, most often. */
static uint32_t lin_random_late(struct lin_pairing *x, uint32_t n) {
    uint32_t far = (uint32_t)1 << lin_random(x, 33 - (uint32_t)__builtin_clz(n));
    return n - 1 - lin_random(x, lin_min(far, n));
}

/* How many operations of a list in the order of calls are called before the event. */
static uint32_t lin_called(const struct lin_problem *p, const uint32_t *list, uint32_t n, uint32_t event) {
    uint32_t lo = 0;
    while (lo < n) {
        uint32_t mid = lo + (n - lo) / 2;
        if (p->call[list[mid]] < event)
            lo = mid + 1;
        else
            n = mid;
    }
    return lo;
}

/* The push that the event before `until` is about; LIN_NO: there is none yet. */
static uint32_t lin_concerned(const struct lin_pairing *x, uint32_t until) {
    uint32_t op = x->p->event[until - 1] >> 1, push = lin_is_put(lin_op(x->p, op)) ? op : x->mate[op];
    return push == LIN_NO || lin_failed(lin_op(x->p, push)) || x->p->call[push] >= until ? LIN_NO : push;
}

/* The change of the pops of two pushes. False: there is none. */
static bool lin_exchange(const struct lin_pairing *x, uint32_t a, uint32_t b, struct lin_change *c) {
    *c = (struct lin_change){a, b, x->mate[a], x->mate[b]};
    return a != b && c->pop_a != c->pop_b;
}

/* A change at a push that is stuck. False: not this time. */
static bool lin_find_change(struct lin_pairing *x, uint32_t stuck, uint32_t until, struct lin_change *c) {
    struct lin_problem *p = x->p;
    uint32_t a = lin_random(x, 2) ? lin_concerned(x, until) : LIN_NO;
    if (a == LIN_NO)
        a = x->kept[lin_random(x, stuck)];
    uint32_t class = x->class_of[a], from = x->begin[class];
    uint32_t n = lin_called(p, x->member + from, x->begin[class + 1] - from, until);
    uint32_t loose = lin_called(p, x->loose, x->loose_pops, until);
    *c = (struct lin_change){a, LIN_NO, x->mate[a], LIN_NO};
    bool is_loose = c->pop_a != LIN_NO && lin_pending(lin_op(p, c->pop_a));
    if (loose && (c->pop_a == LIN_NO || is_loose) && (n == 1 || lin_random(x, 2))) {
        if (is_loose && lin_random(x, 4) == 0)
            return true;
        c->pop_b = x->loose[lin_random_late(x, loose)];
        c->b = x->mate[c->pop_b];
        return c->b != a;
    }
    uint32_t near = lin_random(x, 2) ? n : lin_called(p, x->member + from, n, p->call[a] + 1 + lin_random(x, 64));
    return lin_exchange(x, a, x->member[from + lin_random_late(x, near)], c);
}

enum { LIN_PARTNERS = 256 };

/* Makes the change; takes it back, unless no more is stuck then. */
static bool lin_try_change(struct lin_pairing *x, const struct lin_change *c, uint32_t until, uint32_t *cost,
                           uint32_t *stuck) {
    if (x->work++ > x->most || !lin_poll(x->p->run))
        return false;
    if (!lin_change(x, c))
        return true;
    if (!lin_try_pairing(x, until))
        return false;
    if (x->cost > *cost) {
        lin_change_back(x, c);
        return true;
    }
    *cost = x->cost;
    *stuck = x->stuck_count;
    memcpy(x->kept, x->stuck, *stuck * sizeof *x->kept);
    return true;
}

/* Changes the pairing until it does up to the event `until`. */
static bool lin_improve_pairing(struct lin_pairing *x, uint32_t until) {
    uint32_t cost = x->cost, stuck = x->stuck_count, a = lin_concerned(x, until);
    struct lin_change c;
    memcpy(x->kept, x->stuck, stuck * sizeof *x->kept);
    if (a != LIN_NO) {
        const uint32_t *member = x->member + x->begin[x->class_of[a]];
        uint32_t n = lin_called(x->p, member, x->begin[x->class_of[a] + 1] - x->begin[x->class_of[a]], until);
        for (uint32_t k = 0; cost && k < n && k < LIN_PARTNERS; k++)
            if (lin_exchange(x, a, member[n - 1 - k], &c) && !lin_try_change(x, &c, until, &cost, &stuck))
                return false;
    }
    while (cost && stuck)
        if (lin_find_change(x, stuck, until, &c) && !lin_try_change(x, &c, until, &cost, &stuck))
            return false;
    return cost == 0;
}

/* Goes on to later events as long as the pairing does, and changes it where it does not. */
static bool lin_pair_all(struct lin_pairing *x) {
    struct lin_run *run = x->p->run;
    uint32_t events = x->p->events, good = 0, step = events;
    while (good < events) {
        uint32_t until = step < events - good ? good + step : events;
        if (!lin_poll(run) || !lin_try_pairing(x, until))
            return false;
        if (x->cost && until - good > 1) {
            step = (until - good + 3) / 4;
            continue;
        }
        if (x->cost && !lin_improve_pairing(x, until))
            return false;
        good = until;
        step *= 2;
    }
    return lin_try_pairing(x, events) && x->cost == 0;
}

/* -- the decision ---------------------------------------------------------------------------------------------- */

static bool lin_pairing_init(struct lin_pairing *x, struct lin_problem *p) {
    struct lin_run *run = p->run;
    memset(x, 0, sizeof *x);
    x->p = p;
    uint32_t **all[] = {&x->class_of, &x->mate,  &x->push,  &x->loose, &x->member,
                        &x->push_of,  &x->order, &x->stuck, &x->kept,  &x->t.empty};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        *all[k] = lin_alloc(run, p->n, sizeof **all[k]);
    x->t.values = lin_alloc(run, p->n, sizeof *x->t.values);
    x->last_free = lin_alloc(run, p->events + 2, sizeof *x->last_free);
    if (run->stopped)
        return false;
    memset(x->mate, 0xff, p->n * sizeof *x->mate);
    for (uint32_t r = 0; r < p->events; r++) {
        uint32_t i = p->event[r] >> 1;
        const struct lf_history_op *o = lin_op(p, i);
        if (p->event[r] & 1)
            continue;
        if (lin_is_put(o) && !lin_failed(o))
            x->push[x->pushes++] = i;
        else if (lin_is_get(o) && lin_pending(o))
            x->loose[x->loose_pops++] = i;
        else if (lin_is_get(o) && lin_failed(o) && !(p->skip && p->skip[i]))
            x->t.empty[x->t.empties++] = i;
    }
    return lin_number_classes(x);
}

int lin_decide_stack_pairs(struct lin_problem *p, uint64_t most) {
    struct lin_pairing x;
    if (p->run->spec->kind != LF_LIN_STACK || p->before || lin_strict_full(p))
        return LIN_UNDECIDED;
    for (uint32_t i = 0; i < p->n; i++)
        if (lin_op(p, i)->op == LF_OP_PEEK)
            return LIN_UNDECIDED;
    if (!lin_pairing_init(&x, p))
        return LIN_UNDECIDED;
    x.most = most;
    if (!x.pushes || !lin_pair_first(&x) || !lin_pair_all(&x))
        return LIN_UNDECIDED;
    return lin_pass_through(p, &x.t, x.order, x.last_free, LIN_NESTED) ? LIN_ACCEPT : LIN_UNDECIDED;
}
