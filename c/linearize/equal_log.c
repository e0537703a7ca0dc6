/* Logs whose values may be equal, in O(n log n).
 *
 * The readers say which value stands at each position. When it came there, and which append put it there, is open. The sweep
 * goes through the events and fills each position as late as it can: when a read of it returns, or when an append returns
 * that has no position yet. Of the open appends of its value, the position gets the one that returns first. Behind all that
 * was read an append may stand anywhere.
 *
 * No order is lost. Appends of one value fit into positions that are filled at known instants if, for each stretch of time,
 * at least as many positions are filled in it as appends were both called and returned in it, and if no position is filled
 * before enough appends were called (Hall's condition for intervals; the earliest deadline goes first). Each condition of
 * the first kind bounds the number of positions that are filled at an instant from below, the more so the more were filled
 * before. All others (appends called, reads that found nothing) bound it from above. So if any numbers satisfy all of them,
 * the least ones do, and the sweep finds these. */
#include "linearize/internal.h"

struct lin_place {
    uint32_t read, append; /* the read of it that returned first; the append that was chosen */
};

struct lin_row {
    struct lin_problem *p;
    struct lin_place *place;
    uint32_t known, filled; /* positions that somebody has read; those that are filled */
    bool beyond;            /* something stands behind them */
    uint32_t *at;           /* [n] of a read: the position that it reads or waits at */
    uint32_t *value;        /* [n] number of the value of an append or a read */
    uint32_t *first, *next; /* by value, then [n]: open appends without a position, by return */
    uint8_t *placed;        /* [n] */
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

/* What the readers say of each position; they must agree. */
static int lin_log_places(struct lin_row *row) {
    struct lin_problem *p = row->p;
    memset(row->place, 0xff, row->known * sizeof *row->place);
    for (uint32_t r = 0; r < p->events; r++) {
        uint32_t i = p->event[r] >> 1;
        const struct lf_history_op *o = lin_op(p, i);
        if (!(p->event[r] & 1) || o->op != LF_OP_READ || lin_failed(o))
            continue;
        struct lin_place *x = &row->place[row->at[i]];
        uint32_t core[2] = {x->read, i};
        if (x->read == LIN_NO)
            x->read = i;
        else if (o->result != lin_op(p, x->read)->result)
            return lin_reject(p, LF_LIN_LOG_DISAGREE, i, core, 2, o->result, row->at[i]);
    }
    return LIN_ACCEPT;
}

/* Numbers the values. A value that was read must have been appended. */
static int lin_log_values(struct lin_row *row) {
    struct lin_problem *p = row->p;
    struct lin_run *run = p->run;
    uint64_t *key = lin_alloc(run, p->n, sizeof *key);
    uint32_t *item = lin_alloc(run, p->n, sizeof *item), n = 0;
    if (run->stopped)
        return LIN_UNDECIDED;
    for (uint32_t i = 0; i < p->n; i++) {
        const struct lf_history_op *o = lin_op(p, i);
        if (o->op == LF_OP_APPEND || (!lin_failed(o) && !lin_pending(o)))
            key[n] = (uint64_t)(o->op == LF_OP_APPEND ? o->arg : o->result), item[n++] = i;
    }
    uint32_t numbers = lin_rank_keys(run, key, item, n, row->value);
    row->first = lin_alloc(run, numbers, sizeof *row->first);
    if (run->stopped)
        return LIN_UNDECIDED;
    memset(row->first, 0, numbers * sizeof *row->first);
    for (uint32_t k = 0; k < n; k++)
        if (lin_op(p, item[k])->op == LF_OP_APPEND)
            row->first[row->value[item[k]]] = LIN_NO;
    for (uint32_t k = 0; k < row->known; k++) {
        uint32_t i = row->place[k].read;
        if (row->first[row->value[i]] != LIN_NO)
            return lin_reject(p, LF_LIN_NEVER_PUT, i, &i, 1, lin_op(p, i)->result, 0);
    }
    return LIN_ACCEPT;
}

/* Fills the next position, if an append of its value is open. */
static bool lin_log_fill(struct lin_row *row) {
    struct lin_place *x = &row->place[row->filled];
    uint32_t *first = &row->first[row->value[x->read]];
    if (*first == LIN_NO)
        return false;
    x->append = *first;
    row->placed[*first] = 1;
    *first = row->next[*first];
    row->filled++;
    return true;
}

/* False: no order gets beyond this event. */
static bool lin_log_event(struct lin_row *row, uint32_t event) {
    uint32_t i = event >> 1;
    const struct lf_history_op *o = lin_op(row->p, i);
    bool returns = event & 1;
    if (o->op == LF_OP_APPEND && !returns)
        lin_open_by_return(row->p, &row->first[row->value[i]], row->next, i);
    else if (o->op == LF_OP_APPEND) {
        while (!row->placed[i] && row->filled < row->known)
            if (!lin_log_fill(row))
                return false;
        row->beyond |= !row->placed[i];
    } else if (lin_failed(o)) /* it finds nothing at the instant of its call, or never */
        return returns || (row->filled <= row->at[i] && (!row->beyond || row->at[i] < row->known));
    else if (returns)
        while (row->filled <= row->at[i])
            if (!lin_log_fill(row))
                return false;
    return true;
}

int lin_decide_equal_log(struct lin_problem *p) {
    struct lin_run *run = p->run;
    struct lin_row row = {.p = p};
    struct lf_history_op *copy = lin_alloc(run, p->n, sizeof *copy);
    row.at = lin_alloc(run, p->n, sizeof *row.at);
    row.value = lin_alloc(run, p->n, sizeof *row.value);
    row.next = lin_alloc(run, p->n, sizeof *row.next);
    row.placed = lin_alloc(run, p->n, 1);
    if (run->stopped || p->before || !lin_log_positions(p, row.at, &row.known))
        return LIN_UNDECIDED;
    memset(row.placed, 0, p->n);
    for (uint32_t i = 0; i < p->n; i++)
        if (lin_op(p, i)->op == LF_OP_APPEND ? lin_failed(lin_op(p, i)) : lin_op(p, i)->op != LF_OP_READ)
            return LIN_UNDECIDED;
    row.place = lin_alloc(run, row.known, sizeof *row.place);
    int answer = row.place ? lin_log_places(&row) : LIN_UNDECIDED;
    if (answer == LIN_ACCEPT)
        answer = lin_log_values(&row);
    for (uint32_t r = 0; answer == LIN_ACCEPT && r < p->events; r++)
        if (!lin_log_event(&row, p->event[r]))
            return lin_reject_all(p);
    if (answer != LIN_ACCEPT)
        return answer;
    for (uint32_t i = 0; i < p->n; i++) {
        copy[i] = *lin_op(p, i);
        if (copy[i].op == LF_OP_APPEND)
            copy[i].arg = i;
        else if (!lin_failed(&copy[i]) && !lin_pending(&copy[i]))
            copy[i].result = row.place[row.at[i]].append;
    }
    return lin_decide_renamed(p, copy, lin_decide_log);
}
