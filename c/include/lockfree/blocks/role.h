/* role.h: building block: a right that one thread has at a time, such as to be the producer of a ring.
 *
 * Contract
 *   A role is a word in shared memory: {participant : 32 | thread token : 32}, 0 for nobody. lf_role_take makes the
 *   calling thread its holder unless somebody alive has it: a thread of this process that has not ended, or a process
 *   that has not died. A thread finds out with one load whether it has the role (lf_role_is_mine).
 * Progress: is_mine, give_back and recover are wait-free. Taking over from a holder that has just ended may need a few
 *   short sleeps, until the kernel has removed it.
 * Death: the kind's recover calls lf_role_recover for each of its roles. A thread of another process that ended without
 *   giving its role back keeps it while that process lives. */
#ifndef LOCKFREE_ROLE_H
#define LOCKFREE_ROLE_H

#include "reaping.h"
#include "thread_token.h"

LF_INLINE uint64_t lf_role_me(const struct lf_handle *h) { return (uint64_t)h->participant << 32 | lf_thread_token(); }

LF_INLINE int lf_role_is_mine(const struct lf_handle *h, const uint64_t *role) {
    return lf_load_relaxed(role) == lf_role_me(h);
}

/* lf_enter, and whether the calling thread has the role, in one. No may be wrong: then ask both. The token that a thread
 * was told lately counts in the process and for the handles of the epoch in which it was told. */
#ifdef LF_MODEL
LF_INLINE int lf_role_is_at_hand(const struct lf_handle *h, const uint64_t *role) {
    return !lf_load_relaxed(&h->closed) && lf_role_is_mine(h, role);
}
LF_INLINE void lf__role_is_told(const struct lf_handle *h) { (void)h; }
#else
static __thread struct {
    uint64_t epoch;
    uint32_t token;
} lf__told __attribute__((unused)) = {UINT64_MAX, 0};

LF_INLINE int lf_role_is_at_hand(const struct lf_handle *h, const uint64_t *role) {
    uint64_t epoch = lf_load_acquire(&h->epoch); /* [N3] pairs with [N2] */
    return LF_LIKELY(epoch == lf__told.epoch && epoch == lf_load_relaxed(h->current)) &&
           lf_load_relaxed(role) == ((uint64_t)h->participant << 32 | lf__told.token);
}
/* The caller has entered. A child that was forked with a handle on memory of the caller's would not notice. */
LF_INLINE void lf__role_is_told(const struct lf_handle *h) {
    if (h->current == &lf__no_fork)
        return;
    lf__told.token = lf_thread_token();
    lf__told.epoch = lf_load_relaxed(&h->epoch);
}
#endif

LF_INLINE void lf_role_give_back(uint64_t *role) { lf_store_release(role, (uint64_t)0); /* [O1] pairs with [O2] */ }

LF_INLINE void lf_role_recover(uint64_t *role, uint32_t gone) {
    uint64_t holder = lf_load_relaxed(role);
    if (holder >> 32 == gone)
        lf_cas_release(role, &holder, (uint64_t)0); /* [O1] */
}

/* Makes `me` the holder: lf_role_me, or the participant beside a token that stands for all its threads. LF_OK or
 * LF_ROLE_TAKEN. What the last holder wrote before it gave the role back, or ended, can be read. */
LF_INLINE int lf_role_take_as(struct lf_handle *h, uint64_t *role, uint64_t me) {
    for (int tries = 0; tries < 4; tries++) {
        uint64_t holder = lf_load_relaxed(role);
        int ours = holder >> 32 == h->participant;
        if (ours && lf_thread_stays_alive((uint32_t)holder))
            return LF_ROLE_TAKEN;
        if (ours || holder == 0) {
            if (lf_cas_acquire(role, &holder, me)) /* [O2] pairs with [O1] */
                return LF_OK;
            continue;
        }
        if (tries > 0)
            lf_nap(100000); /* another thread may be recovering the holder now */
        lf_reap(h);
    }
    return LF_ROLE_TAKEN;
}
LF_INLINE int lf_role_take(struct lf_handle *h, uint64_t *role) { return lf_role_take_as(h, role, lf_role_me(h)); }

#endif
