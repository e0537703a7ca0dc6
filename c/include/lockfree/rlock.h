/* rlock.h: a lock that its holder may take again; waiters sleep.
 *
 * Usage
 *   #include <lockfree/rlock.h>
 *
 *   struct lf_rlock lock;
 *   int status = lf_rlock_create(&lock, "accounts"); // others: lf_rlock_attach(&lock, "accounts"); NULL: no name
 *   if (status != LF_OK)
 *       return status; // after LF_SYSTEM, lock.h.error is the errno
 *   status = lf_rlock_acquire(&lock, lf_now() + 2000000000u); // 2 s from now; LF_FOREVER: no time-out
 *   if (status == LF_OWNER_DIED)
 *       lf_rlock_recover(&lock); // after repairing what the lock guards
 *   if (status == LF_OK || status == LF_OWNER_DIED) {
 *       status = lf_rlock_acquire(&lock, LF_FOREVER); // again, at once
 *       lf_rlock_release(&lock);
 *       lf_rlock_release(&lock); // now it is free
 *   }
 *   lf_segment_unlink(&lock.h, "accounts"); // nobody can attach any more; participants go on
 *   lf_detach(&lock.h);                     // this participant leaves
 *
 * Contract, layout: reentrant.h. The holder is a thread of a process. The lock is free after as many releases as acquires.
 * Progress, death, invariants, linearization points: owner_lock.h. After LF_OWNER_DIED the caller has the lock once.
 * Waiting: as Mutex (mutex.h). */
#ifndef LOCKFREE_RLOCK_H
#define LOCKFREE_RLOCK_H

#include "blocks/reentrant.h"

#define LF_KIND_RLOCK 22u
#define LF__RLOCK_SPINS 40u

struct lf_rlock {
    struct lf_handle h;
    uint64_t *word;
    struct lf_lock_body *body;
};

LF_INLINE int lf__rlock_view(struct lf_handle *h) {
    struct lf_rlock *r = (struct lf_rlock *)h;
    if (h->bytes != LF_LOCK_BYTES)
        return lf_mismatch(h, "size in bytes for the geometry", h->bytes, LF_LOCK_BYTES);
    r->body = (struct lf_lock_body *)(void *)h->body;
    r->word = &r->body->word;
    return LF_OK;
}
LF_INLINE int lf__rlock_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    (void)cursor;
    return lf_lock_body_recover(h, gone);
}
static const struct lf_kind lf_rlock_kind = {LF_KIND_RLOCK, lf__rlock_view, lf__rlock_recover, 0};

/* In zeroed memory of the caller's, LF_LOCK_BYTES long; others join with lf_segment_attach_local. */
LF_INLINE int lf_rlock_create_local(struct lf_rlock *r, void *memory) {
    const uint64_t geometry[LF_GEOMETRY] = {0};
    return lf_segment_create_local(&r->h, &lf_rlock_kind, memory, LF_LOCK_BYTES, geometry);
}

#ifndef LF_MODEL
LF_INLINE int lf_rlock_create(struct lf_rlock *r, const char *name) {
    const uint64_t geometry[LF_GEOMETRY] = {0};
    int status = lf_segment_create(&r->h, name, &lf_rlock_kind, LF_LOCK_BYTES, geometry);
    return status == LF_OK ? lf_segment_publish(&r->h, name) : status;
}
LF_INLINE int lf_rlock_attach(struct lf_rlock *r, const char *name) {
    return lf_segment_attach(&r->h, name, &lf_rlock_kind);
}
/* Through a file handed over by another process; takes it over. */
LF_INLINE int lf_rlock_attach_fd(struct lf_rlock *r, int fd) { return lf_segment_attach_fd(&r->h, fd, &lf_rlock_kind); }
#endif

/* LF_OK, LF_OWNER_DIED, LF_NOT_RECOVERABLE, LF_TIMEDOUT (refused), LF_CLOSED. */
LF_INLINE int lf_rlock_try_acquire(struct lf_rlock *r) { return lf_reentrant_try_acquire(&r->h, r->body); }
/* Deadline in ns of lf_now(), LF_FOREVER, or 0 to try once. Also LF_LOST, and LF_INTERRUPTED: a signal handler
 * interrupted the sleep of this thread, which has not got the lock. */
LF_INLINE int lf_rlock_acquire(struct lf_rlock *r, uint64_t deadline) {
    return lf_reentrant_acquire(&r->h, r->body, LF__RLOCK_SPINS, deadline, 0);
}
/* The same, but LF_INTERRUPTED also after 100 ms: for callers that serve signals themselves. Call again. */
LF_INLINE int lf_rlock_acquire_awhile(struct lf_rlock *r, uint64_t deadline) {
    return lf_reentrant_acquire(&r->h, r->body, LF__RLOCK_SPINS, deadline, 1);
}
/* LF_OK, LF_NOT_OWNER or LF_CLOSED. */
LF_INLINE int lf_rlock_release(struct lf_rlock *r) { return lf_reentrant_release(&r->h, r->body); }
/* After LF_OWNER_DIED, once what the lock guards is in order: LF_OK, LF_NOT_OWNER or LF_CLOSED. */
LF_INLINE int lf_rlock_recover(struct lf_rlock *r) { return lf_owner_lock_recover(&r->h, r->word); }
/* 0, 1 or LF_CLOSED. */
LF_INLINE int lf_rlock_locked(struct lf_rlock *r) { return lf_owner_lock_locked(&r->h, r->word); }

/* How often the calling thread has the lock, 0 if it has not got it; or LF_CLOSED. */
LF_INLINE int64_t lf_rlock_depth(struct lf_rlock *r) {
    int status = lf_enter(&r->h);
    return LF_UNLIKELY(status != LF_OK) ? (int64_t)status : (int64_t)lf_reentrant_depth(&r->h, r->body);
}
/* For a wait for something else meanwhile: gives it back whole, and says how often the caller had it; LF_NOT_OWNER. */
LF_INLINE int64_t lf_rlock_release_all(struct lf_rlock *r) {
    int status = lf_enter(&r->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    uint64_t depth = lf_reentrant_release_all(&r->h, r->body);
    return depth != 0 ? (int64_t)depth : (int64_t)LF_NOT_OWNER;
}
LF_INLINE void lf_rlock_restore(struct lf_rlock *r, int64_t depth) {
    if (lf_enter(&r->h) == LF_OK)
        lf_reentrant_restore(&r->h, r->body, (uint64_t)depth);
}

LF_INLINE void lf_rlock_close(struct lf_rlock *r) {
    lf_close(&r->h, NULL, 0);
    lf_owner_lock_wake_all(r->word);
}

#endif
