/* owner_lock.h: building block: a lock word that names its holder, so that the holder's death can be found.
 *
 * Contract
 *   At most one thread of one participant holds the word. acquire spins for a bounded time, then sleeps. Only the
 *   holder can release (LF_NOT_OWNER). A thread that would wait for itself for ever gets LF_DEADLOCK. The semantics of
 *   death are those of POSIX robust mutexes. The next acquirer holds the lock and gets LF_OWNER_DIED. It repairs what
 *   the lock guards and calls recover. If it releases without recover, the lock is LF_NOT_RECOVERABLE for ever, for
 *   everybody.
 * Progress: blocking. A refusal is exact: at one instant of the call (with a time-out: after the deadline) somebody
 *   held the lock.
 * Death of the holder: a thread that is about to sleep finds it at once, a sleeper within about as long as it has slept:
 *   20 ms at most, and 100 ms at most once it has slept for 100 ms (slices: blocking.h). Death of a waiter, or of a
 *   releaser between its exchange and its wake: a wake is late by as much. A handle that is detached while it holds the
 *   lock counts as dead. A thread that ends with the lock held does not, as long as its process lives.
 *
 * Layout: one 64-bit word
 *   {thread token : 32 | 0 : 16 | WOKEN (wake_all changes it) | WAITERS | NOT_RECOVERABLE | DIED | participant : 12}
 *   participant 0: free. The futex is the low half.
 * Invariants
 *   [I1] Only the holder, or after its death the recovering thread, changes participant and token of a held word.
 *   [I2] A sleeper saw WAITERS in the word that it sleeps on. A woken thread sets WAITERS again when it takes the lock
 *        or finds it taken, because it cannot know whether others still sleep.
 *   [I3] DIED is set from the recovery of a dead holder until recover or release.
 * Linearization points: acquire: its compare-and-swap; release: its exchange; refusal: the load that sees a holder.
 * Source: the wait protocol is mutex3 of Drepper, "Futexes are tricky", 2011; 40 pauses before sleeping did best when
 *   threads outnumber cores, where queue locks (ticket, MCS) collapse. */
#ifndef LOCKFREE_OWNER_LOCK_H
#define LOCKFREE_OWNER_LOCK_H

#include "blocking.h"
#include "thread_token.h"

#define LF__LOCK_PARTICIPANT ((uint64_t)LF_PARTICIPANT_MASK)
#define LF__LOCK_DIED (UINT64_C(1) << 12)
#define LF__LOCK_NOT_RECOVERABLE (UINT64_C(1) << 13)
#define LF__LOCK_WAITERS (UINT64_C(1) << 14)
#define LF__LOCK_WOKEN (UINT64_C(1) << 15)
#define LF__LOCK_HOLDER (UINT64_C(0xffffffff) << 32 | LF__LOCK_PARTICIPANT)

LF_INLINE uint64_t lf__lock_me(const struct lf_handle *h) { return (uint64_t)lf_thread_token() << 32 | h->participant; }
LF_INLINE uint32_t lf__lock_participant(uint64_t word) { return (uint32_t)(word & LF__LOCK_PARTICIPANT); }
LF_INLINE uint32_t *lf__lock_futex(uint64_t *word) { return (uint32_t *)(void *)word; }

LF_INLINE int lf_owner_lock_is_mine(const struct lf_handle *h, uint64_t *word) {
    return ((lf_load_relaxed(word) ^ lf__lock_me(h)) & LF__LOCK_HOLDER) == 0;
}

/* Takes the lock if it is free: LF_OK, LF_OWNER_DIED or LF_NOT_RECOVERABLE. Else LF_TIMEDOUT; with `announce` the word
 * then has WAITERS. *seen is the word that was found. */
LF_INLINE int lf__lock_take(uint64_t *word, uint64_t me, int announce, uint64_t *seen) {
    *seen = 0;
    if (LF_LIKELY(lf_cas_acquire(word, seen, me))) /* [L1] pairs with [L2]: what the last holder wrote is readable */
        return LF_OK;
    for (;;) {
        if (lf__lock_participant(*seen) == 0) {
            if (*seen & LF__LOCK_NOT_RECOVERABLE)
                return LF_NOT_RECOVERABLE;
            if (lf_cas_acquire(word, seen, me | (*seen & (LF__LOCK_DIED | LF__LOCK_WAITERS)))) /* [L1] */
                return *seen & LF__LOCK_DIED ? LF_OWNER_DIED : LF_OK;
        } else if (!announce || (*seen & LF__LOCK_WAITERS)) {
            return LF_TIMEDOUT;
        } else if (lf_cas_acquire(word, seen, *seen | LF__LOCK_WAITERS)) { /* [L3] pairs with [L4] */
            *seen |= LF__LOCK_WAITERS;
            return LF_TIMEDOUT;
        }
    }
}

#define LF__AGAIN (-1000) /* some time has passed */

/* The waiting part of acquire, after a first refusal. LF_INTERRUPTED: a signal. */
static __attribute__((noinline, unused)) int lf__lock_wait(struct lf_handle *h, uint64_t *word, uint64_t me,
                                                           uint32_t spins, uint64_t deadline) {
    uint64_t seen;
    struct lf__slices slices = lf__slices_begin(h, word, deadline);
    struct lf__spin spin = lf__spin_begin(h, slices.resumed ? 0 : spins, 1, deadline);
    while (lf__spin_on(h, &spin))
        if (lf__lock_participant(lf_load_relaxed(word)) == 0) {
            int status = lf__lock_take(word, me, 0, &seen);
            if (status != LF_TIMEDOUT) {
                lf__spin_saw(h, &spin);
                return status;
            }
        }
    lf__spin_missed(h, &spin);
    slices.most = slices.resumed ? 5 * LF__SLICE_NS : LF__SLICE_NS; /* each waiter looks at the holder alone */
    for (int looks = 0;;) {
        uint64_t now = deadline == LF_FOREVER ? 0 : lf_now();
        int status = lf__lock_take(word, me, 1, &seen);
        if (status != LF_TIMEDOUT) {
            if (slices.slept == 0 && spin.learns)
                lf__spin_found(h);
            return status;
        }
        if (deadline == LF_FOREVER && ((seen ^ me) & LF__LOCK_HOLDER) == 0)
            return LF_DEADLOCK;
        status = lf_enter(h);
        if (status != LF_OK)
            return status;
        if (deadline != LF_FOREVER && now >= deadline)
            return LF_TIMEDOUT;
        if (slices.slept >= LF__AWHILE_NS) {
            lf__slices_pause(&slices, word, deadline);
            return LF__AGAIN;
        }
        status = lf_reap_one(h, lf__lock_participant(seen));
        if (status == LF_LOST && looks > 0)
            return LF_LOST;
        if (status > 0)
            continue;
        looks = 1;
        lf__fall_asleep(h, !slices.resumed && slices.slept == 0);
        uint64_t slice = lf__slice(&slices, lf__crowd(h, &slices), now, deadline);
        int ended = lf_futex_wait(lf__lock_futex(word), (uint32_t)seen, slice);
        lf__woken(h, ended);
        if (ended == -EINTR)
            return LF_INTERRUPTED;
        me |= LF__LOCK_WAITERS; /* [I2] */
    }
}

/* The deadline is in ns of lf_now(), LF_FOREVER, or 0 to try once. At most `spins` pauses before the first sleep, where
 * looking is adaptive.
 * LF_OK, LF_OWNER_DIED (held, see recover), LF_NOT_RECOVERABLE, LF_TIMEDOUT, LF_CLOSED, LF_DEADLOCK (the calling thread
 * holds it, and the deadline is LF_FOREVER), LF_INTERRUPTED (a signal: call again with the same deadline), LF__AGAIN. */
LF_INLINE int lf__lock_acquire(struct lf_handle *h, uint64_t *word, uint32_t spins, uint64_t deadline) {
    int status = lf_enter(h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    uint64_t seen, me = lf__lock_me(h);
    status = lf__lock_take(word, me, 0, &seen);
    if (LF_LIKELY(status != LF_TIMEDOUT))
        return status;
    if (deadline != 0)
        return lf__lock_wait(h, word, me, spins, deadline);
    return lf_reap_if_due(h) > 0 ? lf__lock_take(word, me, 0, &seen) : LF_TIMEDOUT;
}

/* The same, for callers that serve signals by themselves: LF_INTERRUPTED also after 100 ms. */
LF_INLINE int lf_owner_lock_acquire_awhile(struct lf_handle *h, uint64_t *word, uint32_t spins, uint64_t deadline) {
    int status = lf__lock_acquire(h, word, spins, deadline);
    return LF_UNLIKELY(status == LF__AGAIN) ? (int)LF_INTERRUPTED : status;
}
/* The same, until there is an answer: LF_INTERRUPTED only if a signal handler has interrupted the sleep. A handler that
 * runs between two slices is not reported. */
LF_INLINE int lf_owner_lock_acquire(struct lf_handle *h, uint64_t *word, uint32_t spins, uint64_t deadline) {
    int status;
    do
        status = lf__lock_acquire(h, word, spins, deadline);
    while (LF_UNLIKELY(status == LF__AGAIN));
    return status;
}

/* LF_OK, or LF_NOT_OWNER and nothing changed. Works on a closed handle. */
LF_INLINE int lf__lock_release(struct lf_handle *h, uint64_t *word) {
    uint64_t seen = lf_load_relaxed(word); /* nobody else can change the bits that are checked here [I1] */
    if (LF_UNLIKELY(((seen ^ lf__lock_me(h)) & LF__LOCK_HOLDER) != 0))
        return LF_NOT_OWNER;
    uint64_t next = seen & LF__LOCK_DIED ? LF__LOCK_NOT_RECOVERABLE : 0;
    seen = lf_exchange_release(word, next); /* [L2] pairs with [L1] */
    if (LF_UNLIKELY(seen & LF__LOCK_WAITERS))
        lf_futex_wake(lf__lock_futex(word), next ? INT32_MAX : 1);
    return LF_OK;
}
LF_INLINE int lf_owner_lock_release(struct lf_handle *h, uint64_t *word) {
    int status = lf_enter(h);
    return LF_UNLIKELY(status != LF_OK) ? status : lf__lock_release(h, word);
}

/* Says that what the lock guards is in order again. Does nothing if it was. Works on a closed handle. */
LF_INLINE int lf__lock_recover(struct lf_handle *h, uint64_t *word) {
    uint64_t seen = lf_load_relaxed(word);
    if (((seen ^ lf__lock_me(h)) & LF__LOCK_HOLDER) != 0)
        return LF_NOT_OWNER;
    while (!lf_cas_relaxed(word, &seen, seen & ~LF__LOCK_DIED))
        ;
    return LF_OK;
}
LF_INLINE int lf_owner_lock_recover(struct lf_handle *h, uint64_t *word) {
    int status = lf_enter(h);
    return LF_UNLIKELY(status != LF_OK) ? status : lf__lock_recover(h, word);
}

/* Whether somebody holds the lock: 0, 1 or LF_CLOSED. Looks for the holder's death at most once per tick. */
LF_INLINE int lf_owner_lock_locked(struct lf_handle *h, uint64_t *word) {
    int status = lf_enter(h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    if (lf__lock_participant(lf_load_relaxed(word)) == 0)
        return 0;
    lf_reap_if_due(h);
    return lf__lock_participant(lf_load_relaxed(word)) != 0;
}

/* For the kind's recover. If it is run again after a death in the middle, it does no harm; one wake may be late. */
LF_INLINE void lf_owner_lock_recover_dead(uint64_t *word, uint32_t gone) {
    uint64_t seen = lf_load_relaxed(word); /* the lock of the dead one's byte orders what it did */
    while (lf__lock_participant(seen) == gone) {
        uint64_t free_word = LF__LOCK_DIED | (seen & LF__LOCK_WAITERS);
        if (lf_cas_release(word, &seen, free_word)) { /* [L2] pairs with [L1] of the next holder */
            if (seen & LF__LOCK_WAITERS)
                lf_futex_wake(lf__lock_futex(word), 1);
            return;
        }
    }
}

/* After `closed` was set: makes every thread that sleeps, or is about to sleep, look again. */
LF_INLINE void lf_owner_lock_wake_all(uint64_t *word) {
    uint64_t seen = lf_load_relaxed(word);
    while (!lf_cas_release(word, &seen, seen ^ LF__LOCK_WOKEN)) /* [L4] pairs with [L3]: closed is readable */
        ;
    lf_futex_wake(lf__lock_futex(word), INT32_MAX);
}

/* The body of a segment that is nothing but a lock. */
struct lf_lock_body {
    LF_ALIGNED uint64_t word;
    uint32_t died;  /* the process that died with the lock last; for messages */
    uint64_t depth; /* how often the holder has it; of locks that can be taken again (reentrant.h) */
};
LF_STATIC_ASSERT(sizeof(struct lf_lock_body) == LF_CACHE_LINE, "layout");
#define LF_LOCK_BYTES (LF_BODY_OFFSET + sizeof(struct lf_lock_body))

/* The recover of the kinds whose body this is. The next holder reads `died` after it has taken the lock. */
LF_INLINE int lf_lock_body_recover(struct lf_handle *h, uint32_t gone) {
    struct lf_lock_body *body = (struct lf_lock_body *)(void *)h->body;
    if (lf__lock_participant(lf_load_relaxed(&body->word)) == gone)
        lf_store_relaxed(&body->died, lf_load_relaxed(&h->segment->participants[gone].pid));
    lf_owner_lock_recover_dead(&body->word, gone);
    return 1;
}

#endif
