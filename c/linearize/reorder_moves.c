/* Bounded queues: which values may change places where a sweep ends. */
#include "linearize/reorder.h"
#include "linearize/search.h"

enum {
    LIN_REACH = 24, /* places that a value may pass */
    LIN_AROUND = 48 /* events before the end of the sweep that may be to blame */
};

void lin_forbid_undoing(struct lin_reorderer *x, struct lin_move move) {
    if (move.what != LIN_VALUE)
        return;
    x->tabu[x->tabus++ % LIN_TABU] = (struct lin_tabu){x->order[move.from], move.from > move.to};
}

/* Does it take such a value back, or others past it to where they were? */
bool lin_is_forbidden(const struct lin_reorderer *x, struct lin_move move) {
    bool earlier = move.from > move.to;
    for (uint32_t k = 0; move.what == LIN_VALUE && k < x->tabus && k < LIN_TABU; k++) {
        const struct lin_tabu *t = &x->tabu[k];
        uint32_t at = x->place[t->value];
        bool passed = at >= lin_min(move.from, move.to) && at <= lin_max(move.from, move.to);
        if (at == move.from ? earlier != t->earlier : passed && earlier == t->earlier)
            return true;
    }
    return false;
}

/* Is there a gap in [since, end] that is behind the one and before the other? */
static bool lin_crosses(uint32_t earlier, uint32_t later, uint32_t since, uint32_t end) {
    return earlier < later && earlier <= end && later > since;
}

/* Does it change how many can be inside in a gap of [since, end], if `w` goes before `z`? More: w can be put when z cannot
 * yet, or must be taken when z need not yet. Fewer: the other way round. */
static bool lin_move_helps(const struct lin_value *w, const struct lin_value *z, uint32_t since, uint32_t end,
                           bool more) {
    return more ? lin_crosses(w->put_lo, z->put_lo, since, end) || lin_crosses(w->get_hi, z->get_hi, since, end)
                : lin_crosses(w->get_lo, z->get_lo, since, end) || lin_crosses(w->put_hi, z->put_hi, since, end);
}

static void lin_list_moves(struct lin_reorderer *x, uint32_t first, uint32_t last, uint32_t since, uint32_t end,
                           bool more) {
    for (uint32_t to = first; to <= last && to < x->s.m; to++)
        for (uint32_t from = to + 1; from <= to + (LIN_REACH << x->wide) && from < x->s.m && x->moves + 2 <= LIN_MOVES;
             from++) {
            const struct lin_value *w = &x->v[x->order[from]], *z = &x->v[x->order[to]];
            if (!lin_move_helps(w, z, since, end, more))
                continue;
            uint32_t k = from, j = to;
            while (k > to && lin_may_pass(x->p, w, &x->v[x->order[k - 1]]))
                k--;
            while (j < from && lin_may_pass(x->p, &x->v[x->order[j + 1]], z))
                j++;
            if (k == to)
                x->move[x->moves++] = (struct lin_move){from, to, LIN_VALUE};
            if (j == from && from > to + 1)
                x->move[x->moves++] = (struct lin_move){to, from, LIN_VALUE};
        }
}

static bool lin_differ(uint32_t a, uint32_t b, uint32_t since, uint32_t end) {
    return lin_crosses(lin_min(a, b), lin_max(a, b), since, end);
}

/* Equal values may change their puts, or their gets: each is good for one place alone. */
static void lin_list_exchanges(struct lin_reorderer *x, uint32_t first, uint32_t last, uint32_t since, uint32_t end,
                               enum lin_moved what) {
    const struct lin_problem *p = x->p;
    for (uint32_t to = first; p->same && to <= last && to < x->s.m; to++)
        for (uint32_t from = to + 1; from <= to + (LIN_REACH << x->wide) && from < x->s.m && x->moves < LIN_MOVES;
             from++) {
            const struct lin_value *w = &x->v[x->order[from]], *z = &x->v[x->order[to]];
            if (p->same[w->put] != p->same[z->put])
                continue;
            if ((w->get != LIN_NO && p->ret[w->get] < p->call[z->put]) ||
                (z->get != LIN_NO && p->ret[z->get] < p->call[w->put]))
                continue;
            bool crosses = what == LIN_PUTS ? lin_differ(w->put_lo, z->put_lo, since, end) ||
                                                  lin_differ(w->put_hi, z->put_hi, since, end)
                                            : lin_differ(w->get_lo, z->get_lo, since, end) ||
                                                  lin_differ(w->get_hi, z->get_hi, since, end);
            if (crosses)
                x->move[x->moves++] = (struct lin_move){from, to, what};
        }
}

/* May the value at place `from` go to the place `to`? */
static bool lin_may_move(const struct lin_reorderer *x, uint32_t from, uint32_t to) {
    const struct lin_value *w = &x->v[x->order[from]];
    uint32_t k = from;
    while (k > to && lin_may_pass(x->p, w, &x->v[x->order[k - 1]]))
        k--;
    while (k < to && lin_may_pass(x->p, &x->v[x->order[k + 1]], w))
        k++;
    return k == to;
}

/* Calls that take long can take effect far from where they stand in the order: to the places `first`..`last`, which are put
 * or taken about now, may go what is put or taken by operation `op`. */
static void lin_list_far(struct lin_reorderer *x, uint32_t op, uint32_t first, uint32_t last) {
    if (x->owner[op] == LIN_NO)
        return;
    uint32_t from = x->place[x->owner[op]], far = lin_max(1, (last - first) / 3);
    if (from >= first && from <= last)
        return;
    for (uint32_t to = first; to <= last && to < x->s.m && x->moves < LIN_MOVES; to += far)
        if ((from + LIN_REACH < to || to + LIN_REACH < from) && lin_may_move(x, from, to))
            x->move[x->moves++] = (struct lin_move){from, to, LIN_VALUE};
}

/* The value at `from` holds back all behind it, or drives all before it: it goes far behind them, or far before them. */
static void lin_list_away(struct lin_reorderer *x, uint32_t from, bool behind) {
    const struct lin_value *w = &x->v[x->order[from]];
    for (uint32_t k = from, far = LIN_REACH; x->moves < LIN_MOVES;) {
        if (behind ? k + 1 == x->s.m || !lin_may_pass(x->p, &x->v[x->order[k + 1]], w)
                   : k == 0 || !lin_may_pass(x->p, w, &x->v[x->order[k - 1]])) {
            if (k > from + LIN_REACH || k + LIN_REACH < from)
                x->move[x->moves++] = (struct lin_move){from, k, LIN_VALUE};
            return;
        }
        behind ? k++ : k--;
        if ((behind ? k - from : from - k) != far)
            continue;
        x->move[x->moves++] = (struct lin_move){from, k, LIN_VALUE};
        far *= 2;
    }
}

static void lin_list_blocks(struct lin_reorderer *x, uint32_t first, uint32_t last, uint32_t since, uint32_t end,
                            bool gets) {
    for (uint32_t k = first; k <= last && k < x->s.m; k++) {
        const struct lin_value *w = &x->v[x->order[k]];
        if ((gets ? w->get_lo : w->put_lo) > since)
            lin_list_away(x, k, true);
        if ((gets ? w->get_hi : w->put_hi) <= end)
            lin_list_away(x, k, false);
    }
}

void lin_find_moves(struct lin_reorderer *x, uint32_t end) {
    uint32_t low_put = LIN_NO, high_put = 0, low_get = LIN_NO, high_get = 0, op = x->p->event[end] >> 1;
    uint32_t around = LIN_AROUND << x->wide, since = end > around ? end - around : 0;
    bool answer = (x->p->event[end] & 1) && lin_failed(lin_op(x->p, op));
    if (answer)
        since = lin_min(since, x->p->call[op]);
    x->since = since;
    lin_run_sweep(x, lin_back_to(x, lin_mark_before(x, since)), since, false);
    for (uint32_t i = 0; i < x->s.n; i++)
        low_put = lin_min(low_put, x->s.now[i].puts), low_get = lin_min(low_get, x->s.now[i].gets);
    lin_run_sweep(x, since, end, false);
    for (uint32_t i = 0; i < x->s.n; i++)
        high_put = lin_max(high_put, x->s.now[i].puts), high_get = lin_max(high_get, x->s.now[i].gets);
    bool more = answer && lin_is_put(lin_op(x->p, op));
    x->moves = 0;
    lin_list_exchanges(x, low_put, high_put + 1, since, end, LIN_PUTS);
    lin_list_exchanges(x, low_get, high_get + 1, since, end, LIN_GETS);
    for (int turn = 0; turn < 2; turn++, more = !more) {
        lin_list_moves(x, low_get, high_get + 1, since, end, more);
        lin_list_moves(x, low_put, high_put + 1, since, end, more);
    }
    lin_list_blocks(x, low_put, high_put + 1, since, end, false);
    lin_list_blocks(x, low_get, high_get + 1, since, end, true);
    uint32_t mark = since / LIN_MARK_EVERY, at = x->open_from[mark];
    for (uint32_t r = mark * LIN_MARK_EVERY; r <= end || at < x->open_from[mark + 1];) {
        uint32_t event = at < x->open_from[mark + 1] ? 2 * x->open[at++] : x->p->event[r++];
        if ((event & 1) || x->p->ret[event >> 1] <= since)
            continue;
        bool put = lin_is_put(lin_op(x->p, event >> 1));
        lin_list_far(x, event >> 1, put ? low_put : low_get, put ? high_put + 1 : high_get + 1);
    }
}
