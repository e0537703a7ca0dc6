/* Queues whose puts are left open: unbounded (claims.c), bounded (slots.c).
 *
 * Slots are filled as late as they can be: when a put returns that no slot is left for, and when a get finds none. Only an
 * answer FULL wants them filled earlier, and then all of them, at its return or just before a get takes the next
 * value. Gets, too, wait for their return, unless a put finds no room, or an answer EMPTY
 * wants all slots taken before the next one is filled. This leaves out some orders: what it finds is replayed, and that it finds
 * nothing is no proof (lin_depth_is_exact). */
#include "linearize/depth.h"

/* Open answers that are not right yet: FULL if `puts`, else EMPTY; and how many gets are open. */
static bool lin_is_awaited(const struct lin_depth *d, bool puts, uint32_t *gets) {
    bool awaited = false;
    for (uint32_t w = 0; w < d->sets; w++) {
        if (gets)
            *gets += (uint32_t)__builtin_popcountll(d->used[w] & ~d->done[w] & ~d->observer[w]);
        for (uint64_t left = d->observer[w] & ~d->done[w]; left; left &= left - 1)
            awaited |= lin_is_put(lin_op(d->p, d->open[w * 64 + (uint32_t)__builtin_ctzll(left)])) == puts;
    }
    return awaited;
}

/* A put of this level returns that nobody has claimed: is an operation open that must find the level empty, and can gets
 * that are open make it so, before it is too late? It is EMPTY, or a get of a less urgent level. */
static bool lin_wants_it_empty(const struct lin_depth *d, uint32_t level) {
    uint32_t gets = 0, soonest = LIN_NO, levels = d->claims.levels;
    for (uint32_t w = 0; w < d->sets; w++)
        for (uint64_t left = d->used[w] & ~d->done[w]; left; left &= left - 1) {
            uint32_t op = d->open[w * 64 + (uint32_t)__builtin_ctzll(left)], own = lin_claims_level(&d->claims, op);
            bool empty = lin_failed(lin_op(d->p, op));
            gets += !empty;
            if (own == levels && !empty) /* it never returned: any level */
                own = level + 1 < levels ? level + 1 : level;
            if (own > level)
                soonest = lin_min(soonest, own);
        }
    return soonest != LIN_NO && lin_claims_left(&d->claims, soonest, d->at, gets) <= gets;
}

/* Unbounded: a put has no effect, but its return can be too late for others: may the gets that are open make the queue
 * empty before it? Slots: is there none for this put? */
bool lin_stops_at_put(struct lin_depth *d, uint32_t event) {
    if (!d->claims.next || !(event & 1) || !lin_puts_value(d->p, event >> 1) || !lin_claims_has(&d->claims, event >> 1))
        return false;
    return d->slots.claims ? !lin_slots_hold(&d->slots, d->at + 1)
                           : lin_wants_it_empty(d, lin_claims_level(&d->claims, event >> 1));
}

static uint32_t lin_claim_find(struct lin_depth *d, uint32_t op, uint32_t outcome) {
    return d->slots.claims ? lin_slots_find(&d->slots, op, d->at, outcome)
                           : lin_claims_find(&d->claims, op, d->at, outcome);
}

uint32_t lin_claim_outcomes(struct lin_depth *d, uint32_t op) {
    const struct lf_history_op *o = lin_op(d->p, op);
    if (lin_failed(o) && d->slots.claims)
        return lin_slots_size(&d->slots) == (lin_is_put(o) ? d->slots.capacity : 0);
    if (lin_failed(o))
        return lin_claims_empty(&d->claims, d->claims.levels, d->at);
    uint32_t more = 0;
    while (lin_claim_find(d, op, more) != LIN_NO && (!more++ || lin_pending(o)))
        continue;
    return more;
}

void lin_claim(struct lin_depth *d, struct lin_choice *c, uint32_t outcome) {
    c->taken = lin_claim_find(d, c->op, outcome);
    if (d->slots.claims)
        lin_slots_get(&d->slots, c->taken, c->op);
    else
        lin_claims_take(&d->claims, c->taken, c->op);
}

void lin_unclaim(struct lin_depth *d, const struct lin_choice *c) {
    for (int64_t k = 0; c->op == LIN_NO && k < c->value; k++)
        lin_slots_unput(&d->slots);
    if (c->taken == LIN_NO)
        return;
    if (d->slots.claims)
        lin_slots_unget(&d->slots, c->taken, c->op);
    else
        lin_claims_give_back(&d->claims, c->taken, c->op);
}

bool lin_fill(struct lin_depth *d, struct lin_choice *c, uint32_t returning, bool before) {
    const struct lf_history_op *o = lin_op(d->p, returning);
    uint32_t size = lin_slots_size(&d->slots), room = lin_slots_room(&d->slots, d->at), puts = 0;
    bool put = lin_puts_value(d->p, returning), full = lin_is_put(o) && !put;
    uint32_t again = c->outcome++;
    if (put && before)
        puts = again + 1;
    else if (again || put)
        return false;
    else if (before && !size && !full)
        puts = 1;
    else if (before == (full || (size && d->first == LIN_BY_CALL)) && lin_is_awaited(d, true, NULL))
        puts = d->slots.capacity - size;
    if (!puts || puts > room)
        return false;
    c->op = c->taken = LIN_NO;
    c->value = puts;
    for (uint32_t k = 0; k < puts; k++) {
        lin_slots_put(&d->slots, d->at);
        d->trail[d->trail_n++] = LIN_NO;
    }
    return true;
}

bool lin_gets_help(const struct lin_depth *d, uint32_t returning) {
    uint32_t gets = 0, size = lin_slots_size(&d->slots);
    if (lin_puts_value(d->p, returning))
        return d->slots.called[d->at] - d->slots.first > d->slots.capacity ||
               (lin_is_awaited(d, false, &gets) && size <= gets);
    return !lin_is_put(lin_op(d->p, returning));
}

bool lin_name_puts(struct lin_depth *d) {
    uint32_t n = 0, *put = lin_alloc(d->run, d->p->n + 1, sizeof *put);
    if (!put)
        return false;
    for (uint32_t k = 0; k < d->depth; k++)
        if (d->path[k].op != LIN_NO)
            put[n++] = d->path[k].taken;
    lin_slots_rest(&d->slots, put + n);
    for (uint32_t k = 0, slot = 0; k < d->trail_n; k++)
        if (d->trail[k] == LIN_NO)
            d->trail[k] = put[slot++];
    lin_free(d->run, put);
    return true;
}
