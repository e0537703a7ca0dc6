/* blocking.h: the loop in which every blocking operation waits.
 *
 * Contract
 *   lf_block_on calls `attempt` until it returns something else than `refused`, the deadline passes, the
 *   handle is closed, or the object has ended. It spins for a bounded time, then sleeps on the event count. The last
 *   attempt comes after the deadline. So a refusal by time-out is as exact as one by a non-blocking call.
 *   A sleep is cut into slices of 20 ms. After each slice the sleeper looks for dead participants. So what a killed
 *   peer took with it (a wake, a lock, a record) delays a survivor by one slice at most. 50 looks a second cost far
 *   less than 1% of a CPU. Among more than 255 participants one look sees a part of them; then slices of 5 ms follow
 *   until all are seen. After LF__SLICES slices, and on a signal, it returns LF_INTERRUPTED: the caller serves
 *   signals and calls again with the same deadline. LF_LOST: a slice has passed and it is impossible to look for the
 *   dead, so nobody knows whether the wait would end.
 * Progress: sleeping. `attempt` itself must be lock-free. */
#ifndef LOCKFREE_BLOCKING_H
#define LOCKFREE_BLOCKING_H

#include "attach.h"

#ifndef LF__SLICE_NS
#define LF__SLICE_NS 20000000u
#endif
#ifndef LF__SLICE_AMID_NS
#define LF__SLICE_AMID_NS 5000000u
#endif
#define LF__SLICES 5

typedef int (*lf_attempt_fn)(void *operation);

/* The begin of an operation on a container: lf_enter, and a check that the object has not ended for its side. */
LF_INLINE int lf_enter_to_put(struct lf_handle *h) {
    int status = lf_enter(h);
    return LF_LIKELY(status == LF_OK) && lf_load_relaxed(&h->segment->ending) != LF__OPEN ? LF_CLOSED : status;
}
LF_INLINE int lf_enter_to_get(struct lf_handle *h) {
    int status = lf_enter(h);
    return LF_LIKELY(status == LF_OK) && lf_load_relaxed(&h->segment->ending) >= LF__ENDED ? LF_CLOSED : status;
}

LF_INLINE uint32_t lf__announce(struct lf_handle *h, struct lf_eventcount *ec) {
    if (!h->asymmetric)
        return lf_eventcount_prepare(ec);
    uint32_t ticket = lf_eventcount_announce(ec);
    lf_fence_heavy_in(h->segment); /* [E1] pairs with [E2]: the light half of who wakes, or the fence of who closes */
    return ticket;
}

LF_INLINE int lf_block_on(struct lf_handle *h, struct lf_eventcount *ec, lf_attempt_fn attempt, void *operation,
                          int refused, uint64_t deadline) {
    int status = attempt(operation);
    if (status != refused || deadline == 0)
        return status;
    for (uint32_t spin = 0; spin < h->spins; spin++) {
        lf_pause();
        if (spin % 8 == 7 && (status = attempt(operation)) != refused)
            return status;
    }
    for (int slice = 0; slice < LF__SLICES; slice++) {
        int looked = lf_reap_if_due(h);
        if (LF_UNLIKELY(looked == LF_LOST && slice > 0))
            return LF_LOST;
        uint32_t ticket = lf__announce(h, ec);
        status = attempt(operation);
        if (status == refused) {
            int open = lf_enter(h);
            if (LF_UNLIKELY(open != LF_OK))
                status = open;
        }
        if (status != refused) {
            lf_eventcount_cancel(ec, ticket);
            return status;
        }
        uint64_t nap = lf_is_amid_a_round(h) ? LF__SLICE_AMID_NS : LF__SLICE_NS;
        if (deadline != LF_FOREVER) {
            uint64_t now = lf_now();
            if (now >= deadline) {
                lf_eventcount_cancel(ec, ticket);
                return attempt(operation); /* this attempt comes after the deadline */
            }
            if (deadline - now < nap)
                nap = deadline - now;
        }
        if (looked > 0) { /* what the dead held may not be given back completely yet: no sleep before that */
            lf_eventcount_cancel(ec, ticket);
            slice--;
            continue;
        }
        if (lf_eventcount_wait(ec, ticket, nap) == -EINTR)
            return LF_INTERRUPTED;
    }
    return LF_INTERRUPTED;
}

LF_INLINE void lf__notify_all_of(struct lf_eventcount *const *counts, int n) {
    for (int i = 0; i < n; i++)
        lf_eventcount_notify_all(counts[i]);
}

/* Ends this handle. Its sleepers return LF_CLOSED. Sleepers of others wake once, find nothing, and sleep again. */
LF_INLINE void lf_close(struct lf_handle *h, struct lf_eventcount *const *counts, int n) {
    lf_store_relaxed(&h->closed, 1u); /* ordered by [E2] */
    lf_store_relaxed(&h->epoch, LF__CLOSED_EPOCH);
    lf__notify_all_of(counts, n);
}

/* Ends the object for everybody. It cannot be undone. Draining: puts are refused; gets take what is inside, and then
 * are refused, too. Immediate: all are refused. Sleepers look again. */
LF_INLINE void lf_shutdown(struct lf_handle *h, int immediate, struct lf_eventcount *const *counts, int n) {
    uint32_t *ending = &h->segment->ending, was = lf_load_relaxed(ending), now = immediate ? LF__ENDED : LF__DRAINING;
    while (was < now && !lf_cas_seq_cst(ending, &was, now)) /* [D1] pairs with [D2], [D3] (the containers) */
        ;
    lf__notify_all_of(counts, n);
}

#endif
