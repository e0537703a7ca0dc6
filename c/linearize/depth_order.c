/* Which operation the depth-first search tries first. The order costs or saves time; it changes no answer. */
#include "linearize/depth.h"

/* Does `op` bring the object closer to a state in which `returning` has its result? */
static bool lin_helps(const struct lin_depth *d, uint32_t returning, uint32_t op) {
    const struct lf_history_op *x = lin_op(d->p, returning), *o = lin_op(d->p, op);
    switch (d->run->spec->kind) {
    case LF_LIN_QUEUE:
    case LF_LIN_STACK:
    case LF_LIN_PRIORITY_QUEUE:
        return lin_is_put(o) == (lin_is_put(x) == lin_failed(x));
    case LF_LIN_REGISTER: {
        int64_t wanted = x->op == LF_OP_CAS ? x->arg : x->result, made = o->op == LF_OP_CAS ? o->arg2 : o->arg;
        return x->op == LF_OP_CAS && lin_failed(x) ? made != wanted : made == wanted;
    }
    case LF_LIN_SEMAPHORE:
    case LF_LIN_MUTEX:
        return (o->op == LF_OP_ACQUIRE) == ((x->op == LF_OP_ACQUIRE) == lin_failed(x));
    default:
        return false;
    }
}

/* Claims: `returning` has to wait for the claim of another put. Which get is to claim that? One that names its value, else
 * one that never returned, which is good for nothing else. */
static uint64_t lin_rank_claim(const struct lin_depth *d, uint32_t returning, uint32_t op) {
    enum { NAMES, NAMES_NONE, OTHER, NOT_NEEDED };
    bool pending = lin_pending(lin_op(d->p, op));
    bool get = !lin_puts_value(d->p, returning);
    uint32_t put = get ? lin_claims_blocker(&d->claims, returning, d->at) : returning;
    if (put == LIN_NO)
        return pending ? NOT_NEEDED : OTHER;
    return pending ? NAMES_NONE : d->claims.value[op] == d->claims.value[put] ? NAMES : OTHER;
}

/* Smaller comes first. */
static uint64_t lin_rank(struct lin_depth *d, uint32_t returning, uint32_t op) {
    if (d->first == LIN_BY_RETURN && d->steps.custom && lin_stays(d, op))
        return 0;
    bool known = d->steps.turns.hi && lin_is_put(lin_op(d->p, op));
    uint64_t rank = d->p->ret[op];
    if (d->first == LIN_BY_CALL)
        rank = d->p->call[op];
    else if (known) /* what is taken first goes into a queue first, into a stack last */
        rank = d->content.stack ? LIN_NO - d->steps.turns.hi[op] : d->steps.turns.hi[op];
    if (d->first == LIN_BY_CHANCE)
        rank += lin_mix(d->chance ^ op) % (2 * (uint64_t)d->sets * 64);
    if (d->claims.next && !d->slots.claims)
        rank |= lin_rank_claim(d, returning, op) << 42;
    return rank | (uint64_t)!lin_helps(d, returning, op) << 40 | (uint64_t)lin_was_later(d, op) << 41;
}

uint32_t lin_list(struct lin_depth *d, uint32_t returning, bool later) {
    uint32_t n = 0;
    for (uint32_t w = 0; w < d->sets; w++)
        for (uint64_t left = d->used[w] & ~d->done[w] & ~d->observer[w]; left; left &= left - 1) {
            uint32_t op = d->open[w * 64 + (uint32_t)__builtin_ctzll(left)];
            if ((op == returning && !later) || !lin_allowed(d, op))
                continue;
            uint64_t rank = lin_rank(d, returning, op);
            uint32_t k = n++;
            for (; k && d->order[k - 1] > rank; k--)
                d->order[k] = d->order[k - 1], d->list[k] = d->list[k - 1];
            d->order[k] = rank;
            d->list[k] = op;
        }
    return n;
}
