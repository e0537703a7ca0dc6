/* blocking.h: the one loop in which a blocking operation waits.
 *
 * Contract
 *   lf_block_on calls `attempt` until it answers something else than `refused`, the deadline passes, the
 *   handle is closed or the object shut down. It spins a bounded while, then sleeps on the event count. The last
 *   attempt comes after the deadline, so a refusal by time-out is as exact as one by a non-blocking call.
 *   A sleep is cut into slices of 20 ms: after each the dead are looked for, and what a killed peer took
 *   with it (a wake, a lock, a record in hand) delays a survivor by one slice at most. 50 looks a second cost far
 *   less than 1% of a CPU. After LF__SLICES slices, and on a signal, it returns LF_INTERRUPTED so that the
 *   caller can serve signals and call again with the same deadline.
 * Progress: sleeping. `attempt` itself must be lock-free. */
#ifndef LOCKFREE_BLOCKING_H
#define LOCKFREE_BLOCKING_H

#include "participants.h"

#ifndef LF__SLICE_NS
#define LF__SLICE_NS 20000000u
#endif
#define LF__SLICES 5

typedef int (*lf_attempt_fn)(void *operation);

/* Every operation begins by asking this: a closed handle has no segment to look at any more. */
LF_INLINE int lf_is_closed(const struct lf_handle *h) {
    return lf_load_relaxed(&h->closed) || lf_load_relaxed(&h->segment->shut_down);
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
        lf_reap_if_due(h);
        uint32_t ticket = lf_eventcount_prepare(ec);
        status = attempt(operation);
        if (status != refused || lf_is_closed(h)) {
            lf_eventcount_cancel(ec, ticket);
            return status != refused ? status : LF_CLOSED;
        }
        uint64_t nap = LF__SLICE_NS;
        if (deadline != LF_FOREVER) {
            uint64_t now = lf_now();
            if (now >= deadline) {
                lf_eventcount_cancel(ec, ticket);
                return attempt(operation); /* whatever held us up since the last one: this is after the deadline */
            }
            if (deadline - now < nap)
                nap = deadline - now;
        }
        if (lf_eventcount_wait(ec, ticket, nap) == -EINTR)
            return LF_INTERRUPTED;
    }
    return LF_INTERRUPTED;
}

/* Ends this handle: its sleepers return LF_CLOSED. Others are woken once, find nothing and sleep again. */
LF_INLINE void lf_close(struct lf_handle *h, struct lf_eventcount *const *counts, int n) {
    lf_store_relaxed(&h->closed, 1u); /* ordered by [E2] */
    for (int i = 0; i < n; i++)
        lf_eventcount_notify_all(counts[i]);
}

/* Ends the object for everybody: sleepers and later calls return LF_CLOSED in every process. */
LF_INLINE void lf_shutdown(struct lf_handle *h, struct lf_eventcount *const *counts, int n) {
    lf_store_relaxed(&h->segment->shut_down, 1u); /* ordered by [E2] */
    for (int i = 0; i < n; i++)
        lf_eventcount_notify_all(counts[i]);
}

#endif
