/* Queues without an order, and priority queues without an order of ties, whose values may be equal.
 *
 * Without a capacity puts and gets of one value and priority are a class of their own: a get takes any put of its class. Two
 * kinds of instants bind the classes: at an EMPTY nothing is inside, and at a get nothing more urgent. So the levels are
 * taken from the most urgent one on, and `may` holds the instants at which nothing of the levels before needs to be inside.
 * A get takes effect at the last of them in its interval, and takes the put of its class that returns first. At an instant a
 * class needs to have nothing inside if at least as many of its gets are open as puts have returned that no get has taken.
 *
 * This asks for no more than every order does. A later get has more puts to choose from, and the put that returned first
 * cannot wait longer than another one. Each instant is looked at alone, as if open gets made the level empty at no other
 * one. So what has no place here has none in any order. What has one is given names by this matching, and the near-linear
 * algorithm looks for the order; if that finds none, the history is left to the search.
 *
 * Gets that never returned may be left out. For a rejection each of them counts at every instant after its call, for one put
 * of any class: a history that is wrong even so is wrong. */
#include "linearize/internal.h"

enum { LIN_BAG_LEVELS_MAX = 256 }; /* each goes through all events */

struct lin_bag {
    struct lin_problem *p;
    uint32_t *class, *level;           /* [n] of puts, and of gets that took a value; else LIN_NO */
    uint32_t *first, *next;            /* by class, then [n]: open or returned puts that no get has taken, by return */
    uint32_t *inside, *open;           /* by class: puts that have returned and that no get has taken; open gets */
    uint32_t *last, *at_last, *follow; /* [n] of a get: its last instant; the gets of an instant, a list */
    uint32_t *match;                   /* [n] of a get: its put */
    uint8_t *may;                      /* [events] */
    uint32_t levels, classes;
    bool spare; /* gets that never returned count, too */
};

static bool lin_takes(const struct lin_problem *p, uint32_t i) {
    const struct lf_history_op *o = lin_op(p, i);
    return lin_is_get(o) && !lin_failed(o) && !lin_pending(o);
}

/* Numbers classes and levels. */
static bool lin_bag_classes(struct lin_bag *b) {
    struct lin_problem *p = b->p;
    struct lin_run *run = p->run;
    uint64_t *key = lin_alloc(run, p->n, sizeof *key);
    uint32_t *item = lin_alloc(run, p->n, sizeof *item), n = 0;
    if (run->stopped)
        return false;
    memset(b->class, 0xff, p->n * sizeof *b->class);
    memset(b->level, 0xff, p->n * sizeof *b->level);
    for (uint32_t i = 0; i < p->n; i++) {
        const struct lf_history_op *o = lin_op(p, i);
        if ((lin_is_put(o) && !lin_failed(o)) || lin_takes(p, i))
            key[n] = (uint64_t)(lin_is_put(o) ? o->arg : o->result), item[n++] = i;
    }
    lin_rank_keys(run, key, item, n, b->class);
    for (uint32_t k = 0; k < n; k++)
        key[k] = (uint64_t)lin_op(p, item[k])->arg2 ^ (UINT64_C(1) << 63);
    b->levels = lin_rank_keys(run, key, item, n, b->level);
    for (uint32_t k = 0; k < n; k++)
        key[k] = (uint64_t)b->level[item[k]] << 32 | b->class[item[k]];
    b->classes = lin_rank_keys(run, key, item, n, b->class);
    lin_free(run, item);
    lin_free(run, key);
    return !run->stopped;
}

static bool lin_bag_init(struct lin_bag *b) {
    struct lin_problem *p = b->p;
    struct lin_run *run = p->run;
    b->class = lin_alloc(run, p->n, sizeof *b->class);
    b->level = lin_alloc(run, p->n, sizeof *b->level);
    if (run->stopped || !lin_bag_classes(b))
        return false;
    b->first = lin_alloc(run, b->classes, sizeof *b->first);
    b->inside = lin_alloc(run, b->classes, sizeof *b->inside);
    b->open = lin_alloc(run, b->classes, sizeof *b->open);
    b->next = lin_alloc(run, p->n, sizeof *b->next);
    b->last = lin_alloc(run, p->events, sizeof *b->last);
    b->at_last = lin_alloc(run, p->events, sizeof *b->at_last);
    b->follow = lin_alloc(run, p->n, sizeof *b->follow);
    b->match = lin_alloc(run, p->n, sizeof *b->match);
    b->may = lin_alloc(run, p->events, sizeof *b->may);
    return !run->stopped;
}

/* `last` becomes, of each instant, the last one up to it in `may`. */
static void lin_bag_instants(struct lin_bag *b) {
    for (uint32_t g = 0, last = LIN_NO; g < b->p->events; g++) {
        last = b->may[g] ? g : last;
        b->last[g] = last;
        b->at_last[g] = LIN_NO;
    }
}

/* Is there an instant in `may` between the call and the return? */
static bool lin_bag_fits(const struct lin_bag *b, uint32_t i) {
    uint32_t last = b->last[b->p->ret[i] - 1];
    return last != LIN_NO && last >= b->p->call[i];
}

/* One level. `may` loses the instants at which something of it must be inside. False: a get has no put. */
static bool lin_bag_level(struct lin_bag *b, uint32_t level) {
    struct lin_problem *p = b->p;
    uint32_t spare = 0;
    uint64_t excess = 0; /* puts that have returned, beyond the open gets of their classes */
    lin_bag_instants(b);
    for (uint32_t c = 0; c < b->classes; c++)
        b->first[c] = LIN_NO, b->inside[c] = b->open[c] = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        if (b->level[i] != level || lin_is_put(lin_op(p, i)))
            continue;
        if (!lin_bag_fits(b, i))
            return false;
        uint32_t *at = &b->at_last[b->last[p->ret[i] - 1]];
        b->follow[i] = *at;
        *at = i;
    }
    for (uint32_t g = 0; g < p->events; g++) {
        uint32_t i = p->event[g] >> 1, c = b->class[i];
        const struct lf_history_op *o = lin_op(p, i);
        bool returns = p->event[g] & 1;
        spare += b->spare && lin_is_get(o) && lin_pending(o);
        if (b->level[i] == level && lin_is_put(o)) {
            if (!returns)
                lin_open_by_return(p, &b->first[c], b->next, i);
            else if (b->next[i] != i)
                excess += b->inside[c]++ >= b->open[c];
        } else if (b->level[i] == level && !returns)
            excess -= b->inside[c] > b->open[c]++;
        b->may[g] &= excess <= spare;
        for (uint32_t get = b->at_last[g]; get != LIN_NO; get = b->follow[get]) {
            uint32_t of = b->class[get], put = b->first[of];
            if (put == LIN_NO)
                return false;
            b->match[get] = put;
            b->first[of] = b->next[put];
            b->next[put] = put; /* taken */
            b->open[of]--;
            if (p->ret[put] <= g)
                b->inside[of]--;
        }
    }
    return true;
}

/* False: something has no place in any order. */
static bool lin_bag_holds(struct lin_bag *b) {
    struct lin_problem *p = b->p;
    memset(b->may, 1, p->events * sizeof *b->may);
    for (uint32_t level = 0; level < b->levels; level++)
        if (!lin_poll(p->run) || !lin_bag_level(b, level))
            return false;
    lin_bag_instants(b);
    for (uint32_t i = 0; i < p->n; i++)
        if (!lin_is_put(lin_op(p, i)) && lin_failed(lin_op(p, i)) && !(p->skip && p->skip[i]) && !lin_bag_fits(b, i))
            return false;
    return true;
}

/* Also a relaxation of queues with an order of ties and of those with a capacity: what it rejects is wrong. */
int lin_decide_bag(struct lin_problem *p) {
    struct lin_run *run = p->run;
    struct lin_bag b = {.p = p};
    bool pending = false;
    if (p->before || run->spec->fronts || run->spec->kind != LF_LIN_PRIORITY_QUEUE)
        return LIN_UNDECIDED;
    for (uint32_t i = 0; i < p->n; i++) {
        if (!lin_is_put(lin_op(p, i)) && !lin_is_get(lin_op(p, i)))
            return LIN_UNDECIDED;
        pending |= lin_is_get(lin_op(p, i)) && lin_pending(lin_op(p, i));
    }
    struct lf_history_op *copy = lin_alloc(run, p->n, sizeof *copy);
    if (!copy || !lin_bag_init(&b) || b.levels > LIN_BAG_LEVELS_MAX)
        return LIN_UNDECIDED;
    bool holds = lin_bag_holds(&b);
    if (!holds && pending) {
        b.spare = true;
        return lin_bag_holds(&b) || run->stopped ? LIN_UNDECIDED : lin_reject_all(p);
    }
    if (run->stopped || !holds)
        return run->stopped ? LIN_UNDECIDED : lin_reject_all(p);
    if (!run->spec->unordered)
        return LIN_UNDECIDED;
    for (uint32_t i = 0; i < p->n; i++) {
        copy[i] = *lin_op(p, i);
        if (lin_is_put(&copy[i]))
            copy[i].arg = i;
        else if (lin_takes(p, i))
            copy[i].result = b.match[i];
    }
    return lin_decide_renamed(p, copy, lin_decide_priority_queue);
}
