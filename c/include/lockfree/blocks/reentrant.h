/* reentrant.h: building block: an owner lock that its holder may take again; it is free after as many releases.
 *
 * Contract
 *   As owner_lock.h, except that the holder gets the lock at once (never LF_DEADLOCK), and that a release which is not the
 *   last one only counts. A thread that takes the lock again, after a death too, begins to count at 1.
 * Progress and death: as owner_lock.h. The depth of a dead holder is forgotten.
 *
 * Layout: the body of a lock (owner_lock.h). Only the holder reads and writes the depth; the lock word orders that. */
#ifndef LOCKFREE_REENTRANT_H
#define LOCKFREE_REENTRANT_H

#include "owner_lock.h"

LF_INLINE int lf_reentrant_is_mine(const struct lf_handle *h, struct lf_lock_body *body) {
    return lf_owner_lock_is_mine(h, &body->word);
}
/* One level more, if the caller holds the lock. */
LF_INLINE int lf__reentrant_again(const struct lf_handle *h, struct lf_lock_body *body) {
    if (!lf_reentrant_is_mine(h, body))
        return 0;
    lf_store_relaxed(&body->depth, lf_load_relaxed(&body->depth) + 1);
    return 1;
}
LF_INLINE int lf__reentrant_begins(struct lf_lock_body *body, int status) {
    if (status == LF_OK || status == LF_OWNER_DIED)
        lf_store_relaxed(&body->depth, (uint64_t)1);
    return status;
}

/* LF_OK, LF_OWNER_DIED, LF_NOT_RECOVERABLE, LF_TIMEDOUT, LF_CLOSED. */
LF_INLINE int lf_reentrant_try_acquire(struct lf_handle *h, struct lf_lock_body *body) {
    int status = lf_enter(h);
    if (LF_UNLIKELY(status != LF_OK) || lf__reentrant_again(h, body))
        return status;
    return lf__reentrant_begins(body, lf_owner_lock_acquire(h, &body->word, 0, 0));
}
/* `awhile`: LF_INTERRUPTED also after 100 ms, for callers that serve signals by themselves. */
LF_INLINE int lf_reentrant_acquire(struct lf_handle *h, struct lf_lock_body *body, uint32_t spins, uint64_t deadline,
                                   int awhile) {
    int status = lf_enter(h);
    if (LF_UNLIKELY(status != LF_OK) || lf__reentrant_again(h, body))
        return status;
    status = awhile ? lf_owner_lock_acquire_awhile(h, &body->word, spins, deadline)
                    : lf_owner_lock_acquire(h, &body->word, spins, deadline);
    return lf__reentrant_begins(body, status);
}

/* LF_OK, LF_NOT_OWNER or LF_CLOSED. */
LF_INLINE int lf_reentrant_release(struct lf_handle *h, struct lf_lock_body *body) {
    int status = lf_enter(h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    if (LF_UNLIKELY(!lf_reentrant_is_mine(h, body)))
        return LF_NOT_OWNER;
    uint64_t depth = lf_load_relaxed(&body->depth) - 1;
    lf_store_relaxed(&body->depth, depth);
    return depth != 0 ? (int)LF_OK : lf__lock_release(h, &body->word);
}

/* Gives the lock back whatever its depth, for a wait that takes it again: the depth, or 0 if the caller has not got it.
 * restore sets that depth, after an acquire. Both work on a closed handle. */
LF_INLINE uint64_t lf_reentrant_release_all(struct lf_handle *h, struct lf_lock_body *body) {
    if (!lf_reentrant_is_mine(h, body))
        return 0;
    uint64_t depth = lf_load_relaxed(&body->depth);
    lf__lock_release(h, &body->word);
    return depth;
}
LF_INLINE void lf_reentrant_restore(struct lf_handle *h, struct lf_lock_body *body, uint64_t depth) {
    if (lf_reentrant_is_mine(h, body))
        lf_store_relaxed(&body->depth, depth);
}
/* How often the caller has the lock. */
LF_INLINE uint64_t lf_reentrant_depth(struct lf_handle *h, struct lf_lock_body *body) {
    return lf_reentrant_is_mine(h, body) ? lf_load_relaxed(&body->depth) : 0;
}

#endif
