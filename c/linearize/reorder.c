/* Bounded queues with FULL in its strict reading: improves the order of the values where the sweep of it ends.
 *
 * What ends a sweep is local: at some gap too many values are inside, or too few for an answer FULL. A value that is
 * put or taken about then, and that real time allows to go before some of its neighbours, changes this if it does. Each
 * such move is tried: the sweep begins again before the first gap that the move changes. The move that
 * brings the sweep furthest stays. Where none helps, one that does no harm stays, and others are tried after it.
 *
 * A move changes the queue twice: where its values are put, and where they are taken. With a large capacity that is far
 * apart. So a move may help at one place and do harm at the other. If no other move helps, such a one stays. Then the
 * place that it harmed is mended, by moves that do not undo it: an ejection chain. A chain that gets nowhere is taken
 * back, and another one is begun. Equal values can also change their puts, or their gets, which does no harm elsewhere.
 * At last, moves of values and over distances that are farther away are tried.
 * This finds an order or it does not: an order is accepted because a sweep of it came to the end.
 * Sources: Glover, Tabu search (ORSA Journal on Computing, 1989); Glover, Ejection chains (Discrete Applied Mathematics, 1996). */
#include "linearize/reorder.h"
#include "linearize/search.h"

enum {
    LIN_BEYOND = 256,  /* events behind the end of the sweep that a move must bring it */
    LIN_HARMLESS = 48, /* moves in a row that do not help */
    LIN_CHAIN = 32,    /* moves of one chain that do harm */
    LIN_CHAINS = 8,    /* before the moves become wider */
    LIN_WIDEST = 5,    /* how often that is done */
    LIN_SWEEPS = 128   /* what all trials together may cost */
};

/* One of `n` by chance, of which this is the newest. */
static bool lin_draw(uint32_t turn, uint32_t k, uint32_t n) { return lin_mix((uint64_t)turn << 32 | k) % n == 0; }

/* Keeps the move that brings the sweep furthest beyond `end`, else one that does no harm. False: there is none. */
static bool lin_improve(struct lin_reorderer *x, uint32_t end, uint32_t turn) {
    uint32_t until = lin_min(end + LIN_BEYOND, x->p->events), furthest = 0, chosen = 0, harmless = 0;
    lin_find_moves(x, end);
    for (uint32_t k = 0; k < x->moves && furthest < until; k++) {
        if (lin_is_forbidden(x, x->move[k]))
            continue;
        uint32_t reached = lin_try_move(x, x->move[k], until);
        if (x->p->run->stopped || x->steps > x->most)
            return false;
        if (reached > lin_max(furthest, end))
            furthest = reached, chosen = k;
        else if (reached == end && furthest <= end && lin_draw(turn, k, ++harmless))
            furthest = end, chosen = k;
    }
    if (furthest < end || furthest == 0)
        return false;
    lin_keep_move(x, x->move[chosen]);
    return true;
}

/* Keeps a move that does harm before `end`: mostly one that helps there. False: there is none. */
static bool lin_go_on_with_chain(struct lin_reorderer *x, uint32_t end, uint32_t turn) {
    enum { ONE_IN = 4 };
    uint32_t until = lin_min(end + LIN_BEYOND, x->p->events), helps = 0, others = 0, helping = 0, other = 0;
    lin_find_moves(x, end);
    for (uint32_t k = 0; k < x->moves; k++) {
        if (lin_is_forbidden(x, x->move[k]))
            continue;
        uint32_t reached = lin_try_here(x, x->move[k], until);
        if (x->p->run->stopped || x->steps > x->most)
            return false;
        if (reached > end && lin_draw(turn, k, ++helps))
            helping = k;
        else if (reached <= end && lin_draw(turn, k, ++others))
            other = k;
    }
    if (helps + others == 0)
        return false;
    struct lin_move move = x->move[helps == 0 || (others && lin_mix(turn) % ONE_IN == 0) ? other : helping];
    lin_forbid_undoing(x, move);
    lin_keep_move(x, move);
    return true;
}

/* Until the sweep comes to the end. False: no order was found. */
static bool lin_reorder(struct lin_reorderer *x) {
    struct lin_run *run = x->p->run;
    uint32_t end = 0, furthest = 0, last = 0, in_vain = 0, harmful = 0, chains = 0;
    for (uint32_t turn = 0; !run->stopped; turn++) {
        last = end;
        end = lin_run_sweep(x, lin_back_to(x, x->marks - 1), x->p->events, true);
        if (end == x->p->events || run->stopped)
            break;
        in_vain = end > last ? 0 : in_vain + 1;
        if (end > furthest) {
            furthest = end;
            in_vain = harmful = chains = x->tabus = x->wide = 0;
        }
        if (in_vain < LIN_HARMLESS && lin_improve(x, end, turn))
            continue;
        if (run->stopped || x->steps > x->most)
            return false;
        in_vain = 0;
        if (harmful == 0)
            lin_keep_order(x);
        if (harmful++ < LIN_CHAIN && lin_go_on_with_chain(x, end, turn))
            continue;
        lin_restore_order(x);
        harmful = x->tabus = 0;
        if (++chains == LIN_CHAINS) {
            chains = 0;
            if (++x->wide > LIN_WIDEST)
                return false;
        }
    }
    return !run->stopped;
}

/* Like lin_sweep, but changes `order` where that helps. Batches are left to the search. */
bool lin_sweep_reordering(struct lin_problem *p, struct lin_value *v, uint32_t m, uint32_t *order) {
    struct lin_run *run = p->run;
    if (p->before)
        return lin_sweep(p, v, m, order);
    struct lin_block *all = run->blocks;
    struct lin_reorderer *x = lin_alloc(run, 1, sizeof *x);
    struct lin_value *given = p->same ? lin_alloc(run, m + 1, sizeof *given) : NULL;
    bool ok = x && (given || !p->same) && lin_reorder_open(x, p, v, m, order);
    if (given)
        memcpy(given, v, m * sizeof *v);
    if (ok) {
        x->most = LIN_SWEEPS * (uint64_t)p->events;
        ok = lin_reorder(x);
    }
    if (given && !ok)
        memcpy(v, given, m * sizeof *v);
    lin_release(run, all);
    if (run->stopped == LF_LIN_MEMORY) /* the search may do with less */
        run->stopped = 0;
    return ok;
}
