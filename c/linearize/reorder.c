/* Bounded queues with FULL in its strict reading: improves the order of the values where the sweep of it ends.
 *
 * What ends a sweep is local: at some gap too many values are inside, or too few for an answer FULL. A value that is
 * put or taken about then, and that real time allows to go before some of its neighbours, changes this if it does. Each
 * such move is tried: the sweep begins again before the first gap that the move changes. The move that
 * brings the sweep furthest stays. Where none helps, one that does no harm stays, and others are tried after it; then moves
 * of values and over distances that are farther away.
 * This finds an order or it does not: an order is accepted because a sweep of it came to the end. */
#include "linearize/search.h"
#include "linearize/sweep.h"

enum {
    LIN_MARK_EVERY = 64, /* events between two states of the sweep that are kept */
    LIN_REACH = 24,      /* places that a value may pass */
    LIN_AROUND = 48,     /* events before the end of the sweep that may be to blame */
    LIN_BEYOND = 256,    /* events behind it that a move must bring the sweep */
    LIN_MOVES = 512,
    LIN_HARMLESS = 48, /* moves in a row that do not help */
    LIN_WIDEST = 5,    /* how often both are doubled where nothing helps: calls may take long */
    LIN_SWEEPS = 128   /* what all trials together may cost */
};

struct lin_mark {
    uint32_t event, n; /* before this event */
    size_t from;       /* in `pair` */
    uint64_t full, empty;
    uint32_t answer[64];
};

struct lin_move {
    uint32_t from, to;
};

struct lin_reorderer {
    struct lin_sweeper s;
    struct lin_problem *p;
    struct lin_value *v;
    uint32_t *order;
    uint32_t *place;            /* [m] by value, the inverse of order */
    uint32_t *owner;            /* [n] the value that an operation puts or gets, LIN_NO: none */
    uint32_t *open_from, *open; /* operations that run before event LIN_MARK_EVERY * i: open[open_from[i] ..) */
    struct lin_mark *mark;
    uint32_t marks, mark_room;
    struct lin_pair *pair;
    size_t pairs, pair_room;
    struct lin_move move[LIN_MOVES], tried;
    uint32_t moves;
    uint32_t wide;        /* how often the last failure has doubled what is looked at */
    uint64_t steps, most; /* of sweeps */
};

/* -- the sweep, from a mark --------------------------------------------------------------------------------- */

static bool lin_mark_here(struct lin_reorderer *x, uint32_t event) {
    struct lin_run *run = x->p->run;
    if (x->marks == x->mark_room) {
        uint32_t room = x->mark_room ? 2 * x->mark_room : 64;
        if (!lin_grow(run, (void **)&x->mark, x->marks, room, sizeof *x->mark))
            return false;
        x->mark_room = room;
    }
    if (x->pairs + x->s.n > x->pair_room) {
        size_t room = 2 * x->pair_room + x->s.n + 1024;
        if (!lin_grow(run, (void **)&x->pair, x->pairs, room, sizeof *x->pair))
            return false;
        x->pair_room = room;
    }
    struct lin_mark *mark = &x->mark[x->marks++];
    *mark = (struct lin_mark){.event = event, .n = x->s.n, .from = x->pairs, .full = x->s.full, .empty = x->s.empty};
    memcpy(mark->answer, x->s.answer, sizeof mark->answer);
    memcpy(x->pair + x->pairs, x->s.now, x->s.n * sizeof *x->pair);
    x->pairs += x->s.n;
    return true;
}

/* The last mark at or before `event`. */
static uint32_t lin_mark_before(const struct lin_reorderer *x, uint32_t event) {
    uint32_t k = lin_min(event / LIN_MARK_EVERY, x->marks - 1);
    while (x->mark[k].event > event)
        k--;
    return k;
}

static uint32_t lin_back_to(struct lin_reorderer *x, uint32_t k) {
    const struct lin_mark *mark = &x->mark[k];
    x->s.n = mark->n;
    x->s.full = mark->full;
    x->s.empty = mark->empty;
    memcpy(x->s.answer, mark->answer, sizeof mark->answer);
    memcpy(x->s.now, x->pair + mark->from, mark->n * sizeof *x->pair);
    return mark->event;
}

/* Is the sweep where it was at this mark? */
static bool lin_is_at(const struct lin_reorderer *x, uint32_t k) {
    const struct lin_pair *then = x->pair + x->mark[k].from;
    uint64_t now_sum = 0, then_sum = 0;
    for (uint32_t i = 0; i < x->s.n && x->s.n == x->mark[k].n; i++) {
        const struct lin_pair *now = &x->s.now[i];
        now_sum += lin_mix(((uint64_t)now->puts << 32 | now->gets) ^ lin_mix(now->right));
        then_sum += lin_mix(((uint64_t)then[i].puts << 32 | then[i].gets) ^ lin_mix(then[i].right));
    }
    return x->s.n == x->mark[k].n && now_sum == then_sum;
}

/* Sweeps from `event` on; the event at which that ends, at most `until`. */
static uint32_t lin_run_sweep(struct lin_reorderer *x, uint32_t event, uint32_t until, bool keep) {
    for (; event < until; event++, x->steps++) {
        if (keep && event % LIN_MARK_EVERY == 0 && event > x->mark[x->marks - 1].event && !lin_mark_here(x, event))
            return event;
        if (!lin_sweep_step(&x->s, event))
            return event;
    }
    return event;
}

/* -- moves -------------------------------------------------------------------------------------------------- */

/* The value at place `from` goes to the place `to`; those between make room. */
static void lin_make_move(struct lin_reorderer *x, uint32_t from, uint32_t to) {
    uint32_t *order = x->order, value = order[from];
    if (from > to)
        memmove(order + to + 1, order + to, (from - to) * sizeof *order);
    else
        memmove(order + from, order + from + 1, (to - from) * sizeof *order);
    order[to] = value;
    for (uint32_t k = lin_min(from, to); k <= lin_max(from, to); k++)
        x->place[order[k]] = k;
    lin_sweep_rebound(&x->s, x->v, order, lin_min(from, to), lin_max(from, to));
}

/* What a move changes: the gaps in which the values are put, and from which on they are taken. */
struct lin_touched {
    uint32_t first_put, last_put, first_get;
};

static struct lin_touched lin_touched_by(const struct lin_reorderer *x, struct lin_move move) {
    struct lin_touched t = {LIN_NO, 0, LIN_NO};
    for (uint32_t k = lin_min(move.from, move.to); k <= lin_max(move.from, move.to); k++) {
        const struct lin_value *v = &x->v[x->order[k]];
        t.first_put = lin_min(t.first_put, v->put_lo);
        t.last_put = lin_max(t.last_put, v->put_hi);
        t.first_get = lin_min(t.first_get, v->get_lo);
    }
    return t;
}

/* How far the sweep gets after the move, which is then taken back. When it is what it was before the move, it skips what
 * follows until the values are taken. */
static uint32_t lin_try_move(struct lin_reorderer *x, struct lin_move move, uint32_t until) {
    struct lin_touched t = lin_touched_by(x, move);
    uint32_t k = lin_mark_before(x, t.first_put), event = lin_back_to(x, k), stop;
    lin_make_move(x, move.from, move.to);
    for (; event < until; event = stop) {
        stop = k + 1 < x->marks && event < t.first_get ? x->mark[++k].event : until;
        uint32_t reached = lin_run_sweep(x, event, lin_min(stop, until), false);
        if (reached < stop) {
            event = reached;
            break;
        }
        uint32_t later = stop > t.last_put && stop < t.first_get ? lin_mark_before(x, t.first_get) : k;
        if (later > k && lin_is_at(x, k))
            stop = lin_back_to(x, k = later);
    }
    lin_make_move(x, move.to, move.from);
    return event;
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
                x->move[x->moves++] = (struct lin_move){from, to};
            if (j == from && from > to + 1)
                x->move[x->moves++] = (struct lin_move){to, from};
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
            x->move[x->moves++] = (struct lin_move){from, to};
}

/* The value at `from` holds back all behind it, or drives all before it: it goes far behind them, or far before them. */
static void lin_list_away(struct lin_reorderer *x, uint32_t from, bool behind) {
    const struct lin_value *w = &x->v[x->order[from]];
    for (uint32_t k = from, far = LIN_REACH; x->moves < LIN_MOVES;) {
        if (behind ? k + 1 == x->s.m || !lin_may_pass(x->p, &x->v[x->order[k + 1]], w)
                   : k == 0 || !lin_may_pass(x->p, w, &x->v[x->order[k - 1]])) {
            if (k > from + LIN_REACH || k + LIN_REACH < from)
                x->move[x->moves++] = (struct lin_move){from, k};
            return;
        }
        behind ? k++ : k--;
        if ((behind ? k - from : from - k) != far)
            continue;
        x->move[x->moves++] = (struct lin_move){from, k};
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

/* All moves that may help where the sweep ends. */
static void lin_find_moves(struct lin_reorderer *x, uint32_t end) {
    uint32_t low_put = LIN_NO, high_put = 0, low_get = LIN_NO, high_get = 0, op = x->p->event[end] >> 1;
    uint32_t around = LIN_AROUND << x->wide, since = end > around ? end - around : 0;
    bool answer = (x->p->event[end] & 1) && lin_failed(lin_op(x->p, op));
    if (answer)
        since = lin_min(since, x->p->call[op]);
    lin_run_sweep(x, lin_back_to(x, lin_mark_before(x, since)), since, false);
    for (uint32_t i = 0; i < x->s.n; i++)
        low_put = lin_min(low_put, x->s.now[i].puts), low_get = lin_min(low_get, x->s.now[i].gets);
    lin_run_sweep(x, since, end, false);
    for (uint32_t i = 0; i < x->s.n; i++)
        high_put = lin_max(high_put, x->s.now[i].puts), high_get = lin_max(high_get, x->s.now[i].gets);
    bool more = answer && lin_is_put(lin_op(x->p, op));
    x->moves = 0;
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

/* Keeps the move that brings the sweep furthest beyond `end`, else one that does no harm. False: there is none. */
static bool lin_improve(struct lin_reorderer *x, uint32_t end, uint32_t turn) {
    uint32_t until = lin_min(end + LIN_BEYOND, x->p->events), furthest = 0, chosen = 0, harmless = 0;
    lin_find_moves(x, end);
    for (uint32_t k = 0; k < x->moves && furthest < until; k++) {
        uint32_t reached = lin_try_move(x, x->move[k], until);
        if (x->p->run->stopped || x->steps > x->most)
            return false;
        if (reached > lin_max(furthest, end))
            furthest = reached, chosen = k;
        else if (reached == end && furthest <= end && lin_mix((uint64_t)turn << 32 | k) % ++harmless == 0)
            furthest = end, chosen = k;
    }
    if (furthest < end || furthest == 0)
        return false;
    uint32_t mark = lin_mark_before(x, lin_touched_by(x, x->move[chosen]).first_put);
    lin_make_move(x, x->move[chosen].from, x->move[chosen].to);
    x->marks = mark + 1;
    x->pairs = x->mark[mark].from + x->mark[mark].n;
    return true;
}

static bool lin_find_open(struct lin_reorderer *x, uint32_t m) {
    struct lin_problem *p = x->p;
    uint32_t marks = p->events / LIN_MARK_EVERY + 1;
    uint64_t n = 0;
    x->place = lin_alloc(p->run, m + 1, sizeof *x->place);
    x->owner = lin_alloc(p->run, p->n, sizeof *x->owner);
    x->open_from = lin_alloc(p->run, marks + 2, sizeof *x->open_from);
    if (p->run->stopped)
        return false;
    for (uint32_t k = 0; k < m; k++)
        x->place[x->order[k]] = k;
    memset(x->owner, 0xff, p->n * sizeof *x->owner);
    for (uint32_t i = 0; i < m; i++) {
        x->owner[x->v[i].put] = i;
        if (x->v[i].get != LIN_NO)
            x->owner[x->v[i].get] = i;
    }
    memset(x->open_from, 0, (marks + 2) * sizeof *x->open_from);
    for (int turn = 0; turn < 2; turn++) {
        for (uint32_t i = 0; i < p->n; i++)
            for (uint32_t k = p->call[i] / LIN_MARK_EVERY + 1;
                 x->owner[i] != LIN_NO && k * LIN_MARK_EVERY <= p->ret[i] && k < marks; k++)
                if (turn)
                    x->open[x->open_from[k + 1]++] = i;
                else
                    x->open_from[k + 2]++, n++;
        for (uint32_t k = 0; !turn && k < marks; k++)
            x->open_from[k + 2] += x->open_from[k + 1];
        if (!turn && (n > UINT32_MAX / 2 || !(x->open = lin_alloc(p->run, n + 1, sizeof *x->open))))
            return false;
    }
    return true;
}

/* Like lin_sweep, but changes `order` where that helps. Batches are left to the search. */
bool lin_sweep_reordering(struct lin_problem *p, struct lin_value *v, uint32_t m, uint32_t *order) {
    struct lin_run *run = p->run;
    if (p->before)
        return lin_sweep(p, v, m, order);
    struct lin_block *all = run->blocks;
    struct lin_reorderer *x = lin_alloc(run, 1, sizeof *x);
    if (!x)
        return false;
    memset(x, 0, sizeof *x);
    x->p = p;
    x->v = v;
    x->order = order;
    x->most = LIN_SWEEPS * (uint64_t)p->events;
    uint32_t end = 0, furthest = 0, in_vain = 0, turn = 0;
    bool ok = lin_sweep_open(&x->s, p, v, m, order) && lin_find_open(x, m) && lin_mark_here(x, 0);
    while (ok && !run->stopped) {
        end = lin_run_sweep(x, lin_back_to(x, x->marks - 1), p->events, true);
        if (end == p->events || run->stopped)
            break;
        in_vain = end > furthest ? 0 : in_vain + 1;
        x->wide = end > furthest ? 0 : x->wide;
        furthest = lin_max(end, furthest);
        while (in_vain >= LIN_HARMLESS || !(ok = lin_improve(x, end, turn++))) {
            in_vain = 0;
            ok = !run->stopped && x->steps <= x->most && x->wide < LIN_WIDEST;
            if (!ok)
                break;
            x->wide++;
        }
    }
    ok = ok && !run->stopped;
    lin_release(run, all);
    if (run->stopped == LF_LIN_MEMORY) /* the search may do with less */
        run->stopped = 0;
    return ok;
}
