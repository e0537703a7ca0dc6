/* condition.h: a condition variable: threads of any processes wait, under a lock, until they are notified.
 *
 * Usage
 *   #include <lockfree/condition.h>
 *
 *   struct lf_condition ready;
 *   int jobs = 0, status = lf_condition_create(&ready, "jobs", 0); // others: lf_condition_attach; NULL: no name
 *   if (status != LF_OK)
 *       return status; // after LF_SYSTEM, ready.h.error is the errno
 *   lf_condition_acquire(&ready, LF_FOREVER); // a thread that changes something
 *   jobs++;
 *   lf_condition_notify(&ready, 1);
 *   lf_condition_release(&ready);
 *   lf_condition_acquire(&ready, LF_FOREVER); // a thread that waits for it
 *   while (jobs == 0 && status != LF_TIMEDOUT && status != LF_OWNER_DIED)
 *       status = lf_condition_wait(&ready, lf_now() + 2000000000u); // 2 s from now; LF_FOREVER: no time-out
 *   lf_condition_release(&ready);
 *   lf_segment_unlink(&ready.h, "jobs"); // nobody can attach any more; participants go on
 *   lf_detach(&ready.h);                 // this participant leaves
 *
 * Contract
 *   A condition has a lock, which its holder may take again (reentrant.h). wait gives it back whole, sleeps until it is
 *   notified, and takes it again to the same depth, however it ends. notify(n) notifies the n that have waited longest,
 *   or all if there are fewer. wait returns LF_OK if it was notified, even if its deadline has passed meanwhile. No
 *   waiter is woken without a notify, except after a death. A notify is not lost: a waiter that is notified and dies,
 *   or ends with a signal, before wait returns, passes it on to another waiter.
 *   LF_BUSY: LF_WAITERS threads wait already; in a space, as many as the space is for.
 *   With a lock of the caller's, which all that use the condition must share, begin, sleep and end are the parts of wait:
 *   begin; give the lock back; sleep; take it again; end or pass_on. notify_unlocked does not ask for the own lock.
 * Progress: wait sleeps, acquire blocks. notify is lock-free for the lock's holder.
 * Death: a dead waiter's place is free again and its notify is passed on. If somebody dies with the condition's own lock,
 *   the next one to acquire gets LF_OWNER_DIED, and one waiter is woken: wait returns LF_OWNER_DIED to it if it is the
 *   next one. It repairs, calls recover, and notifies whom the dead one would have notified.
 *
 * Layout: lock | waiters (waiters.h).
 * Invariants, wrap: those of reentrant.h and waiters.h.
 * Linearization points: acquire, release: of the lock. notify: its marks; wait: the end of its place, under the lock. */
#ifndef LOCKFREE_CONDITION_H
#define LOCKFREE_CONDITION_H

#include "blocks/reentrant.h"
#include "blocks/waiters.h"

#define LF_KIND_CONDITION 23u
#define LF__CONDITION_SPINS 40u

struct lf_condition_body {
    struct lf_lock_body lock; /* line 0: its holder */
    struct lf_waiters waiters;
};
LF_STATIC_ASSERT(offsetof(struct lf_condition_body, waiters) == LF_CACHE_LINE, "layout");
#define LF__CONDITION_BYTES_OF(n)                                                                                      \
    (LF_BODY_OFFSET + offsetof(struct lf_condition_body, waiters.places) + (n) * sizeof(struct lf_waiter))
#define LF_CONDITION_BYTES LF__CONDITION_BYTES_OF(LF_WAITERS)
/* In a space for so many threads, as if it were a segment. */
LF_INLINE uint64_t lf__condition_bytes_for(uint64_t threads) {
    return LF__CONDITION_BYTES_OF(threads > LF_WAITERS ? LF_WAITERS : threads);
}

struct lf_condition {
    struct lf_handle h;
    struct lf_condition_body *body;
    uint64_t *word;
    uint64_t foreign; /* the lock is another object */
    uint32_t places;  /* of waiters: LF_WAITERS, or fewer in a space */
};

LF_INLINE int lf__condition_view(struct lf_handle *h) {
    struct lf_condition *c = (struct lf_condition *)h;
    c->foreign = h->geometry[0];
    c->places = LF_WAITERS;
    if (h->home != NULL) /* the space says how many bytes it has */
        c->places = (uint32_t)((h->bytes - LF__CONDITION_BYTES_OF(0)) / sizeof(struct lf_waiter));
    else if (h->bytes != LF_CONDITION_BYTES)
        return lf_mismatch(h, "size in bytes for the geometry", h->bytes, LF_CONDITION_BYTES);
    if (c->foreign > 1)
        return lf_mismatch(h, "whether the lock is another object", c->foreign, 1);
    c->body = (struct lf_condition_body *)(void *)h->body;
    c->word = &c->body->lock.word;
    return LF_OK;
}
LF_INLINE int lf__condition_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    struct lf_condition *c = (struct lf_condition *)h;
    struct lf_condition_body *body = c->body;
    (void)cursor;
    lf_waiters_recover_dead(&body->waiters, c->places, gone);
    if (lf__lock_participant(lf_load_relaxed(&body->lock.word)) == gone)
        lf_waiters_notify(&body->waiters, c->places, 1); /* it may have died before a notify */
    return lf_lock_body_recover(h, gone);
}
static const struct lf_kind lf_condition_kind = {LF_KIND_CONDITION, lf__condition_view, lf__condition_recover, 0};

/* In zeroed memory of the caller's, LF_CONDITION_BYTES long; others join with lf_segment_attach_local. */
LF_INLINE int lf_condition_create_local(struct lf_condition *c, void *memory, uint64_t foreign) {
    const uint64_t geometry[LF_GEOMETRY] = {foreign, 0, 0, 0, 0, 0};
    return lf_segment_create_local(&c->h, &lf_condition_kind, memory, LF_CONDITION_BYTES, geometry);
}

#ifndef LF_MODEL
/* `foreign`: 1 if the lock is another object. */
LF_INLINE int lf_condition_create(struct lf_condition *c, const char *name, uint64_t foreign) {
    const uint64_t geometry[LF_GEOMETRY] = {foreign, 0, 0, 0, 0, 0};
    if (foreign > 1)
        return LF_INVALID;
    int status = lf_segment_create(&c->h, name, &lf_condition_kind, LF_CONDITION_BYTES, geometry);
    return status == LF_OK ? lf_segment_publish(&c->h, name) : status;
}
LF_INLINE int lf_condition_attach(struct lf_condition *c, const char *name) {
    return lf_segment_attach(&c->h, name, &lf_condition_kind);
}
/* Through a file handed over by another process; takes it over. */
LF_INLINE int lf_condition_attach_fd(struct lf_condition *c, int fd) {
    return lf_segment_attach_fd(&c->h, fd, &lf_condition_kind);
}
#endif

/* ---- the lock: answers as those of rlock.h ---- */

LF_INLINE int lf_condition_try_acquire(struct lf_condition *c) {
    return lf_reentrant_try_acquire(&c->h, &c->body->lock);
}
LF_INLINE int lf_condition_acquire(struct lf_condition *c, uint64_t deadline) {
    return lf_reentrant_acquire(&c->h, &c->body->lock, LF__CONDITION_SPINS, deadline, 0);
}
LF_INLINE int lf_condition_acquire_awhile(struct lf_condition *c, uint64_t deadline) {
    return lf_reentrant_acquire(&c->h, &c->body->lock, LF__CONDITION_SPINS, deadline, 1);
}
LF_INLINE int lf_condition_release(struct lf_condition *c) { return lf_reentrant_release(&c->h, &c->body->lock); }
LF_INLINE int lf_condition_recover(struct lf_condition *c) { return lf_owner_lock_recover(&c->h, c->word); }
LF_INLINE int lf_condition_locked(struct lf_condition *c) { return lf_owner_lock_locked(&c->h, c->word); }

/* ---- the parts of wait ---- */

/* A place among the waiters; LF_BUSY, LF_CLOSED. */
LF_INLINE int64_t lf_condition_begin(struct lf_condition *c) {
    int status = lf_enter(&c->h);
    return LF_UNLIKELY(status != LF_OK) ? (int64_t)status : lf_waiters_begin(&c->h, &c->body->waiters, c->places);
}
/* LF_OK: notified. LF_TIMEDOUT, LF_CLOSED, LF_LOST. LF_INTERRUPTED after 100 ms or on a signal: call again. */
LF_INLINE int lf_condition_sleep(struct lf_condition *c, int64_t place, uint64_t deadline) {
    int status = lf_enter(&c->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    return place < 0 || place >= c->places ? (int)LF_INVALID
                                           : lf_waiters_sleep(&c->h, &c->body->waiters, place, deadline);
}
/* With the lock again: whether it was notified. pass_on is for a waiter that gives up: another one is notified. */
LF_INLINE int lf_condition_end(struct lf_condition *c, int64_t place) {
    return c->h.segment != NULL && lf_waiters_end(&c->body->waiters, place);
}
LF_INLINE void lf_condition_pass_on(struct lf_condition *c, int64_t place) {
    if (c->h.segment != NULL)
        lf_waiters_pass_on(&c->body->waiters, c->places, place);
}
/* The depth to which the caller had the condition's own lock, or LF_NOT_OWNER, LF_CLOSED; the lock is free now. */
LF_INLINE int64_t lf_condition_release_all(struct lf_condition *c) {
    int status = lf_enter(&c->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    uint64_t depth = lf_reentrant_release_all(&c->h, &c->body->lock);
    return depth != 0 ? (int64_t)depth : (int64_t)LF_NOT_OWNER;
}
/* LF_OK or LF_OWNER_DIED: the lock is held to that depth again. LF_INTERRUPTED: call again. Else it is not held. */
LF_INLINE int lf_condition_acquire_again(struct lf_condition *c, int64_t depth) {
    int status = lf_condition_acquire_awhile(c, LF_FOREVER);
    if (status == LF_OK || status == LF_OWNER_DIED)
        lf_reentrant_restore(&c->h, &c->body->lock, (uint64_t)depth);
    return status;
}

/* 0 or 1: whether the caller has the lock; LF_CLOSED. */
LF_INLINE int lf_condition_is_owned(struct lf_condition *c) {
    int status = lf_enter(&c->h);
    return LF_UNLIKELY(status != LF_OK) ? status : lf_reentrant_is_mine(&c->h, &c->body->lock);
}

/* ---- wait and notify ---- */

/* LF_OK: notified; LF_TIMEDOUT; LF_INTERRUPTED: a signal, or 100 ms have passed: look at what you wait for, and call
 * again; LF_OWNER_DIED: the last holder died with the lock. With all of these the lock is held again. LF_NOT_OWNER,
 * LF_BUSY: nothing was done. Else (LF_CLOSED, LF_NOT_RECOVERABLE, LF_LOST) the lock is not held. */
LF_INLINE int lf_condition_wait(struct lf_condition *c, uint64_t deadline) {
    int owned = lf_condition_is_owned(c), again;
    if (owned != 1)
        return owned == 0 ? (int)LF_NOT_OWNER : owned;
    int64_t place = lf_condition_begin(c);
    if (place < 0)
        return (int)place;
    int64_t depth = lf_condition_release_all(c);
    int status = lf_condition_sleep(c, place, deadline);
    do
        again = lf_condition_acquire_again(c, depth);
    while (again == LF_INTERRUPTED);
    if (status != LF_OK && status != LF_TIMEDOUT)
        lf_condition_pass_on(c, place);
    else if (lf_condition_end(c, place))
        status = LF_OK;
    return again != LF_OK ? again : status;
}

/* How many were notified, at most n; LF_CLOSED. */
LF_INLINE int64_t lf_condition_notify_unlocked(struct lf_condition *c, uint32_t n) {
    int status = lf_enter(&c->h);
    return LF_UNLIKELY(status != LF_OK) ? (int64_t)status : (int64_t)lf_waiters_notify(&c->body->waiters, c->places, n);
}
/* The same by the lock's holder; else LF_NOT_OWNER. */
LF_INLINE int64_t lf_condition_notify(struct lf_condition *c, uint32_t n) {
    int owned = lf_condition_is_owned(c);
    if (owned != 1)
        return owned == 0 ? (int)LF_NOT_OWNER : owned;
    return lf_condition_notify_unlocked(c, n);
}

LF_INLINE void lf_condition_close(struct lf_condition *c) {
    lf_close(&c->h, NULL, 0);
    lf_waiters_wake_all(&c->h, &c->body->waiters, c->places);
    lf_owner_lock_wake_all(c->word);
}

#endif
