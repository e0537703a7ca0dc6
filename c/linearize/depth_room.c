/* A stack with a capacity whose values differ: a value that stays for long takes the room that others need before it goes.
 * The depth-first search looks ahead here. */
#include "linearize/depth.h"

/* least[r]: the first return of such an operation that is called at event r or later. */
static uint32_t *lin_first_returns(const struct lin_problem *p, bool puts) {
    uint32_t *least = lin_alloc(p->run, p->events + 1, sizeof *least);
    if (!least)
        return NULL;
    least[p->events] = LIN_NO;
    for (uint32_t r = p->events; r--;) {
        uint32_t op = p->event[r] >> 1;
        const struct lf_history_op *o = lin_op(p, op);
        bool counts = !(p->event[r] & 1) && !lin_out_of_sight(p, op) && !lin_pending(o) &&
                      (puts ? lin_puts_value(p, op) : lin_is_get(o) && lin_failed(o));
        least[r] = counts ? lin_min(least[r + 1], p->ret[op]) : least[r + 1];
    }
    return least;
}

bool lin_room_init(struct lin_depth *d) {
    if (!d->content.stack || !d->content.capacity || !d->steps.turns.lo)
        return true;
    d->next_put = lin_first_returns(d->p, true);
    d->next_empty = lin_first_returns(d->p, false);
    return d->next_put && d->next_empty;
}

bool lin_room_is_left(const struct lin_depth *d, uint32_t put) {
    if (!d->next_empty)
        return true;
    const struct lin_turns *t = &d->steps.turns;
    uint64_t inside = lin_content_size(&d->content), capacity = (uint64_t)d->content.capacity, above = 0;
    uint32_t until = t->lo[put]; /* the first gap in which it may go */
    if (inside == 1 && d->next_empty[d->at] <= until)
        return false;
    if (inside == capacity && d->next_put[d->at] <= until)
        return false;
    for (uint32_t w = 0; w < d->sets; w++)
        for (uint64_t left = d->used[w] & ~d->done[w]; left; left &= left - 1) {
            uint32_t op = d->open[w * 64 + (uint32_t)__builtin_ctzll(left)];
            if (op == put || lin_pending(lin_op(d->p, op)) || !lin_puts_value(d->p, op) || d->p->ret[op] > until)
                continue;
            above += t->lo[op] >= until || inside == capacity;
        }
    return inside + above <= capacity;
}
