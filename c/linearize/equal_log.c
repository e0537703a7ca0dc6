/* Logs whose values may be equal.
 *
 * The readers say which value stands at each position. Which append put it there is open where values are equal. Position by
 * position it is, of the appends of that value that have been called in time, the one that returns first. Then every append
 * gets a value of its own, every read that of its append, and the near-linear algorithm decides. Another choice may be right
 * where this one is wrong: then the history is left to the search. */
#include "linearize/internal.h"

#define LIN_LOG_TAKEN (1u << 31) /* mark of an append that has its position; there are fewer operations */

struct lin_place {
    int64_t value;
    uint32_t lo, hi; /* gaps in which it is appended, as the reads say */
    uint32_t append; /* that was chosen */
};

/* Reads by reader and call: at[read] is the position that it reads or waits at. False: a reader reads twice at once. */
static bool lin_log_positions(struct lin_problem *p, uint32_t *at, uint32_t *longest) {
    struct lin_run *run = p->run;
    uint64_t *key = lin_alloc(run, p->n, sizeof *key);
    uint32_t *item = lin_alloc(run, p->n, sizeof *item), n = 0;
    if (run->stopped)
        return false;
    for (uint32_t r = 0; r < p->events; r++) {
        uint32_t i = p->event[r] >> 1;
        if (!(p->event[r] & 1) && lin_op(p, i)->op == LF_OP_READ)
            key[n] = (uint64_t)lin_reader(lin_op(p, i)), item[n++] = i;
    }
    lin_sort_pairs(run, key, item, n);
    for (uint32_t k = 0; k < n && !run->stopped; k++) {
        bool same = k && key[k] == key[k - 1];
        if (same && p->call[item[k]] < p->ret[item[k - 1]])
            return false;
        bool got = same && !lin_failed(lin_op(p, item[k - 1]));
        at[item[k]] = same ? at[item[k - 1]] + got : 0;
        if (!lin_failed(lin_op(p, item[k])) && !lin_pending(lin_op(p, item[k])))
            *longest = lin_max(*longest, at[item[k]] + 1);
    }
    return !run->stopped;
}

/* What the reads say of each position; they must agree. */
static bool lin_log_places(struct lin_problem *p, const uint32_t *at, struct lin_place *place, uint32_t n) {
    for (uint32_t k = 0; k < n; k++)
        place[k] = (struct lin_place){LF_HISTORY_NONE, 0, p->events, LIN_NO};
    for (uint32_t i = 0; i < p->n; i++) {
        const struct lf_history_op *o = lin_op(p, i);
        if (o->op != LF_OP_READ || lin_pending(o) || at[i] >= n)
            continue;
        struct lin_place *x = &place[at[i]];
        if (lin_failed(o)) {
            x->lo = lin_max(x->lo, p->call[i]);
            continue;
        }
        if (x->hi != p->events && x->value != o->result)
            return false;
        x->value = o->result;
        x->hi = lin_min(x->hi, p->ret[i] - 1);
    }
    for (uint32_t k = 1; k < n; k++)
        place[k].lo = lin_max(place[k].lo, place[k - 1].lo);
    for (uint32_t k = n; k-- > 1;)
        place[k - 1].hi = lin_min(place[k - 1].hi, place[k].hi);
    return true;
}

/* Chooses the appends; false if a position has none. */
static bool lin_log_choose(struct lin_problem *p, struct lin_place *place, uint32_t n) {
    struct lin_run *run = p->run;
    uint64_t *key = lin_alloc(run, p->n, sizeof *key);
    uint32_t *item = lin_alloc(run, p->n, sizeof *item), m = 0, earliest = 0;
    if (run->stopped)
        return false;
    /* by value, then by return: what never returned stands last */
    for (uint32_t i = 0; i < p->n; i++)
        if (lin_op(p, i)->op == LF_OP_APPEND)
            key[m] = p->ret[i], item[m++] = i;
    lin_sort_pairs(run, key, item, m);
    for (uint32_t k = 0; k < m; k++)
        key[k] = (uint64_t)lin_op(p, item[k])->arg;
    lin_sort_pairs(run, key, item, m);
    for (uint32_t k = 0; k < n && !run->stopped; k++) {
        struct lin_place *x = &place[k];
        uint32_t lo = 0, hi = m;
        while (lo < hi) {
            uint32_t mid = lo + (hi - lo) / 2;
            if (key[mid] < (uint64_t)x->value)
                lo = mid + 1;
            else
                hi = mid;
        }
        earliest = lin_max(earliest, x->lo);
        for (; lo < m && key[lo] == (uint64_t)x->value && x->append == LIN_NO; lo++) {
            uint32_t i = item[lo] & ~LIN_LOG_TAKEN;
            if (!(item[lo] & LIN_LOG_TAKEN) && p->call[i] <= x->hi && p->ret[i] > earliest) {
                x->append = i;
                item[lo] |= LIN_LOG_TAKEN;
            }
        }
        if (x->append == LIN_NO)
            return false;
        earliest = lin_max(earliest, p->call[x->append]);
    }
    return !run->stopped;
}

int lin_decide_equal_log(struct lin_problem *p) {
    struct lin_run *run = p->run;
    uint32_t *at = lin_alloc(run, p->n, sizeof *at), n = 0;
    struct lf_history_op *copy = lin_alloc(run, p->n, sizeof *copy);
    if (run->stopped || p->before || !lin_log_positions(p, at, &n))
        return LIN_UNDECIDED;
    struct lin_place *place = lin_alloc(run, n, sizeof *place);
    if (!place || !lin_log_places(p, at, place, n) || !lin_log_choose(p, place, n))
        return LIN_UNDECIDED;
    for (uint32_t i = 0; i < p->n; i++) {
        copy[i] = *lin_op(p, i);
        if (copy[i].op == LF_OP_APPEND)
            copy[i].arg = i;
        else if (!lin_failed(&copy[i]) && !lin_pending(&copy[i]))
            copy[i].result = place[at[i]].append;
    }
    return lin_decide_renamed(p, copy, lin_decide_log);
}
