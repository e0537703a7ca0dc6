/* The sweep of a bounded queue whose order changes: it begins again before the first gap that a change touches. */
#include "linearize/reorder.h"
#include "linearize/search.h"

/* -- marks ------------------------------------------------------------------------------------------------- */

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

uint32_t lin_mark_before(const struct lin_reorderer *x, uint32_t event) {
    uint32_t k = lin_min(event / LIN_MARK_EVERY, x->marks - 1);
    while (x->mark[k].event > event)
        k--;
    return k;
}

uint32_t lin_back_to(struct lin_reorderer *x, uint32_t k) {
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

uint32_t lin_run_sweep(struct lin_reorderer *x, uint32_t event, uint32_t until, bool keep) {
    for (; event < until; event++, x->steps++) {
        if (keep && event % LIN_MARK_EVERY == 0 && event > x->mark[x->marks - 1].event && !lin_mark_here(x, event))
            return event;
        if (!lin_sweep_step(&x->s, event))
            return event;
    }
    return event;
}

/* -- moves ------------------------------------------------------------------------------------------------- */

/* What the value puts and gets has changed. */
static void lin_own(struct lin_reorderer *x, uint32_t value) {
    const struct lin_value *v = &x->v[value];
    x->owner[v->put] = value;
    if (v->get != LIN_NO)
        x->owner[v->get] = value;
}

static void lin_rematch(struct lin_reorderer *x, struct lin_move move) {
    struct lin_value *a = &x->v[x->order[move.from]], *b = &x->v[x->order[move.to]];
    uint32_t *one = move.what == LIN_PUTS ? &a->put : &a->get, *other = move.what == LIN_PUTS ? &b->put : &b->get;
    uint32_t op = *one;
    *one = *other;
    *other = op;
    lin_bound_value(x->p, a);
    lin_bound_value(x->p, b);
    lin_own(x, x->order[move.from]);
    lin_own(x, x->order[move.to]);
}

static void lin_make_move(struct lin_reorderer *x, struct lin_move move) {
    uint32_t from = move.from, to = move.to, *order = x->order, value = order[from];
    if (move.what != LIN_VALUE) {
        lin_rematch(x, move);
    } else {
        if (from > to)
            memmove(order + to + 1, order + to, (from - to) * sizeof *order);
        else
            memmove(order + from, order + from + 1, (to - from) * sizeof *order);
        order[to] = value;
        for (uint32_t k = lin_min(from, to); k <= lin_max(from, to); k++)
            x->place[order[k]] = k;
    }
    lin_sweep_rebound(&x->s, x->v, order, lin_min(from, to), lin_max(from, to));
}
static void lin_undo_move(struct lin_reorderer *x, struct lin_move move) {
    lin_make_move(x, (struct lin_move){move.to, move.from, move.what});
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
    if (move.what == LIN_VALUE)
        return t;
    const struct lin_value *ends[2] = {&x->v[x->order[move.from]], &x->v[x->order[move.to]]};
    for (int k = 0; k < 2; k++) { /* without what the other half of each demands, which changes */
        t.last_put = lin_max(t.last_put, x->p->ret[ends[k]->put] - 1);
        if (ends[k]->get != LIN_NO)
            t.first_get = lin_min(t.first_get, x->p->call[ends[k]->get]);
    }
    return t;
}

/* When the sweep is what it was before the move, it skips what follows until the values are taken. */
uint32_t lin_try_move(struct lin_reorderer *x, struct lin_move move, uint32_t until) {
    struct lin_touched t = lin_touched_by(x, move);
    uint32_t k = lin_mark_before(x, t.first_put), event = lin_back_to(x, k), stop;
    lin_make_move(x, move);
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
    lin_undo_move(x, move);
    return event;
}

uint32_t lin_try_here(struct lin_reorderer *x, struct lin_move move, uint32_t until) {
    struct lin_touched t = lin_touched_by(x, move);
    uint32_t k = lin_mark_before(x, lin_min(x->since, t.first_get));
    if (t.last_put >= x->mark[k].event)
        return 0;
    uint32_t event = lin_back_to(x, k);
    lin_make_move(x, move);
    event = lin_run_sweep(x, event, until, false);
    lin_undo_move(x, move);
    return event;
}

static void lin_forget_from(struct lin_reorderer *x, uint32_t event) {
    const struct lin_mark *mark = &x->mark[lin_mark_before(x, event)];
    x->marks = (uint32_t)(mark - x->mark) + 1;
    x->pairs = mark->from + mark->n;
}

void lin_keep_move(struct lin_reorderer *x, struct lin_move move) {
    uint32_t first = lin_touched_by(x, move).first_put;
    lin_make_move(x, move);
    lin_forget_from(x, first);
}

void lin_keep_order(struct lin_reorderer *x) {
    memcpy(x->before, x->order, x->s.m * sizeof *x->order);
    if (x->matched)
        memcpy(x->matched, x->v, x->s.m * sizeof *x->v);
}

/* Has it another put or get than when the order was kept? */
static bool lin_is_rematched(const struct lin_reorderer *x, uint32_t value) {
    return x->matched && (x->matched[value].put != x->v[value].put || x->matched[value].get != x->v[value].get);
}

void lin_restore_order(struct lin_reorderer *x) {
    uint32_t first = LIN_NO, last = 0, event = LIN_NO;
    for (uint32_t k = 0; k < x->s.m; k++) {
        uint32_t now = x->order[k], then = x->before[k];
        if (now == then && !lin_is_rematched(x, then))
            continue;
        first = lin_min(first, k), last = k;
        event = lin_min(event, lin_min(x->v[now].put_lo, x->v[then].put_lo));
        if (x->matched)
            event = lin_min(event, lin_min(x->matched[now].put_lo, x->matched[then].put_lo));
        x->order[k] = then;
        x->place[then] = k;
    }
    if (first == LIN_NO)
        return;
    for (uint32_t k = first; x->matched && k <= last; k++) {
        uint32_t value = x->order[k];
        x->v[value] = x->matched[value];
        lin_own(x, value);
    }
    lin_sweep_rebound(&x->s, x->v, x->order, first, last);
    lin_forget_from(x, event);
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
    for (uint32_t i = 0; i < m; i++)
        lin_own(x, i);
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

bool lin_reorder_open(struct lin_reorderer *x, struct lin_problem *p, struct lin_value *v, uint32_t m,
                      uint32_t *order) {
    *x = (struct lin_reorderer){.p = p, .v = v, .order = order};
    x->before = lin_alloc(p->run, m + 1, sizeof *x->before);
    if (p->same && !(x->matched = lin_alloc(p->run, m + 1, sizeof *x->matched)))
        return false;
    return lin_sweep_open(&x->s, p, v, m, order) && lin_find_open(x, m) && lin_mark_here(x, 0);
}
