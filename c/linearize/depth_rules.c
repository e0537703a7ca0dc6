/* Which open operation may take effect now: the order within a batch, one order among operations that are alike, the
 * gets that are known, and the tickets. */
#include "linearize/depth.h"

bool lin_batch_allows(const struct lin_depth *d, uint32_t op) {
    uint32_t b = d->p->before ? d->p->before[op] : LIN_NO;
    if (b == LIN_NO || lin_out_of_sight(d->p, b))
        return true;
    uint32_t slot = d->slot_of[b];
    return d->open[slot] != b || lin_bit(d->done, slot);
}

static bool lin_turn_allows(const struct lin_depth *d, uint32_t op) {
    const struct lin_turns *t = &d->steps.turns;
    if (!t->lo || t->lo[op] == 0 || !lin_is_put(lin_op(d->p, op)))
        return true;
    if (d->content.stack) /* nothing below is taken before this */
        return d->content.soonest[d->content.last] >= t->lo[op];
    if (t->next[d->at - 1] < t->lo[op])
        return false;
    for (uint32_t w = 0; w < d->sets; w++)
        for (uint64_t left = d->used[w] & ~d->done[w]; left; left &= left - 1) {
            uint32_t other = d->open[w * 64 + (uint32_t)__builtin_ctzll(left)];
            if (other != op && (t->hi[other] < t->lo[op] || lin_goes_first(d->p, t, other, op)))
                return false;
        }
    return true;
}

static bool lin_first_of_its_kind(const struct lin_depth *d, uint32_t op) {
    uint32_t like = d->alike[op];
    if (like == LIN_NO)
        return true;
    for (uint32_t w = 0; w < d->sets; w++)
        for (uint64_t left = d->used[w] & ~d->done[w]; left; left &= left - 1) {
            uint32_t other = d->open[w * 64 + (uint32_t)__builtin_ctzll(left)];
            if (d->alike[other] == like && other != op && lin_alike(d->p, op, other) &&
                (d->p->ret[other] < d->p->ret[op] || (d->p->ret[other] == d->p->ret[op] && other < op)))
                return false;
        }
    return true;
}

bool lin_allowed(const struct lin_depth *d, uint32_t op) {
    return lin_batch_allows(d, op) && lin_first_of_its_kind(d, op) && lin_turn_allows(d, op);
}

/* A queue: is the value of another open put taken sooner, by the middle of its get? */
static bool lin_is_taken_later(const struct lin_depth *d, uint32_t op) {
    const struct lin_turns *t = &d->steps.turns;
    if (!t->hi || d->content.stack || d->first != LIN_BY_RETURN || !lin_puts_value(d->p, op))
        return false;
    uint64_t taken = (uint64_t)t->lo[op] + t->hi[op];
    for (uint32_t w = 0; w < d->sets; w++)
        for (uint64_t left = d->used[w] & ~d->done[w]; left; left &= left - 1) {
            uint32_t other = d->open[w * 64 + (uint32_t)__builtin_ctzll(left)];
            if (lin_puts_value(d->p, other) && (uint64_t)t->lo[other] + t->hi[other] < taken)
                return true;
        }
    return false;
}

bool lin_was_later(const struct lin_depth *d, uint32_t op) {
    const struct lf_history_op *o = lin_op(d->p, op);
    for (uint32_t w = 0; (o->flags & LF_HISTORY_TICKET) && w < d->sets; w++)
        for (uint64_t left = d->used[w] & ~d->done[w]; left; left &= left - 1) {
            const struct lf_history_op *other = lin_op(d->p, d->open[w * 64 + (uint32_t)__builtin_ctzll(left)]);
            if (other->op == o->op && other->key == o->key && lin_ticket(other) < lin_ticket(o))
                return true;
        }
    return lin_is_taken_later(d, op);
}

bool lin_stays(struct lin_depth *d, uint32_t op) {
    enum { ALWAYS = 32 };
    uint8_t *moves = &d->moves[lin_op(d->p, op)->op];
    if (*moves == ALWAYS || !lin_step(&d->steps, d->state, op) || d->steps.count == 0)
        return false;
    bool stays = d->steps.count == 1 && d->steps.out[0] == d->state;
    *moves = stays ? 0 : *moves + 1;
    return stays;
}
