/* Bounded queues with FULL in its strict reading: improves the order of the values where the sweep of it ends.
 *
 * What ends a sweep is local: at some gap too many values are inside, or too few for an answer FULL. A value that is
 * put or taken about then, and that real time allows to go before some of its neighbours, changes this if it does. Each
 * such move is tried: the sweep begins again before the first gap that the move changes. The move that
 * brings the sweep furthest stays. Where none helps, one that does no harm stays, and others are tried after it.
 * This finds an order or it does not: an order is accepted because a sweep of it came to the end. */
#include "linearize/search.h"
#include "linearize/sweep.h"

enum {
    LIN_MARK_EVERY = 64, /* events between two states of the sweep that are kept */
    LIN_REACH = 24,      /* places that a value may pass */
    LIN_AROUND = 48,     /* events before the end of the sweep that may be to blame */
    LIN_BEYOND = 256,    /* events behind it that a move must bring the sweep */
    LIN_MOVES = 256,
    LIN_HARMLESS = 48, /* moves in a row that do not help */
    LIN_SWEEPS = 64    /* what all trials together may cost */
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
    struct lin_mark *mark;
    uint32_t marks, mark_room;
    struct lin_pair *pair;
    size_t pairs, pair_room;
    struct lin_move move[LIN_MOVES], tried;
    uint32_t moves;
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
        for (uint32_t from = to + 1; from <= to + LIN_REACH && from < x->s.m && x->moves + 2 <= LIN_MOVES; from++) {
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

/* All moves that may help where the sweep ends. */
static void lin_find_moves(struct lin_reorderer *x, uint32_t end) {
    uint32_t low_put = LIN_NO, high_put = 0, low_get = LIN_NO, high_get = 0, op = x->p->event[end] >> 1;
    uint32_t since = end > LIN_AROUND ? end - LIN_AROUND : 0;
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
    bool ok = lin_sweep_open(&x->s, p, v, m, order) && lin_mark_here(x, 0);
    while (ok && !run->stopped) {
        end = lin_run_sweep(x, lin_back_to(x, x->marks - 1), p->events, true);
        if (end == p->events || run->stopped)
            break;
        in_vain = end > furthest ? 0 : in_vain + 1;
        furthest = lin_max(end, furthest);
        ok = in_vain < LIN_HARMLESS && lin_improve(x, end, turn++);
    }
    ok = ok && !run->stopped;
    lin_release(run, all);
    if (run->stopped == LF_LIN_MEMORY) /* the search may do with less */
        run->stopped = 0;
    return ok;
}
