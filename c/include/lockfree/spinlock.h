/* spinlock.h: mutual exclusion for very short sections; waiters spin for long, then sleep.
 *
 * Usage
 *   #include <lockfree/spinlock.h>
 *
 *   struct lf_spinlock lock;
 *   int status = lf_spinlock_create(&lock, "accounts"); // others: lf_spinlock_attach(&lock, "accounts")
 *   if (status != LF_OK)
 *       return status; // after LF_SYSTEM, lock.h.error is the errno
 *   do
 *       status = lf_spinlock_acquire(&lock, lf_now() + 2000000000u); // 2 s from now; LF_FOREVER: no time-out
 *   while (status == LF_INTERRUPTED);                                // a signal handler ran
 *   if (status == LF_OWNER_DIED)
 *       lf_spinlock_recover(&lock); // after repairing what the lock guards
 *   if (status == LF_OK || status == LF_OWNER_DIED)
 *       lf_spinlock_release(&lock);         // else LF_TIMEDOUT, LF_CLOSED, LF_NOT_RECOVERABLE
 *   lf_segment_unlink(&lock.h, "accounts"); // nobody can attach any more; participants go on
 *   lf_detach(&lock.h);                     // this participant leaves
 *
 * Contract, progress, death, layout, invariants, linearization points: owner_lock.h.
 * Waiting: looks for about 10 us as long as that finds the lock free (spinning.h), then sleeps. So waiters do not use up
 *   the CPU that a preempted holder needs. Mutex (mutex.h) is for all other sections. */
#ifndef LOCKFREE_SPINLOCK_H
#define LOCKFREE_SPINLOCK_H

#include "blocks/owner_lock.h"

#define LF_KIND_SPINLOCK 5u
#define LF__SPINLOCK_SPINS LF__SPIN_PAUSES

struct lf_spinlock {
    struct lf_handle h;
    uint64_t *word;
};

LF_INLINE int lf__spinlock_view(struct lf_handle *h) {
    if (h->bytes != LF_LOCK_BYTES)
        return lf_mismatch(h, "size in bytes for the geometry", h->bytes, LF_LOCK_BYTES);
    ((struct lf_spinlock *)h)->word = &((struct lf_lock_body *)(void *)h->body)->word;
    return LF_OK;
}
LF_INLINE int lf__spinlock_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    (void)cursor;
    return lf_lock_body_recover(h, gone);
}
static const struct lf_kind lf_spinlock_kind = {LF_KIND_SPINLOCK, lf__spinlock_view, lf__spinlock_recover, 0};

/* In zeroed memory of the caller's, LF_LOCK_BYTES long; others join with lf_segment_attach_local. */
LF_INLINE int lf_spinlock_create_local(struct lf_spinlock *s, void *memory) {
    const uint64_t geometry[LF_GEOMETRY] = {0};
    return lf_segment_create_local(&s->h, &lf_spinlock_kind, memory, LF_LOCK_BYTES, geometry);
}

#ifndef LF_MODEL
LF_INLINE int lf_spinlock_create(struct lf_spinlock *s, const char *name) {
    const uint64_t geometry[LF_GEOMETRY] = {0};
    int status = lf_segment_create(&s->h, name, &lf_spinlock_kind, LF_LOCK_BYTES, geometry);
    return status == LF_OK ? lf_segment_publish(&s->h, name) : status;
}
LF_INLINE int lf_spinlock_attach(struct lf_spinlock *s, const char *name) {
    return lf_segment_attach(&s->h, name, &lf_spinlock_kind);
}
/* Through a file handed over by another process; takes it over. */
LF_INLINE int lf_spinlock_attach_fd(struct lf_spinlock *s, int fd) {
    return lf_segment_attach_fd(&s->h, fd, &lf_spinlock_kind);
}
#endif

/* LF_OK, LF_OWNER_DIED, LF_NOT_RECOVERABLE, LF_TIMEDOUT (refused), LF_CLOSED. */
LF_INLINE int lf_spinlock_try_acquire(struct lf_spinlock *s) { return lf_owner_lock_acquire(&s->h, s->word, 0, 0); }
/* Deadline in ns of lf_now(), LF_FOREVER, or 0 to try once. Also LF_DEADLOCK, LF_LOST, and LF_INTERRUPTED: a signal handler
 * interrupted the sleep of this thread, which has not got the lock. */
LF_INLINE int lf_spinlock_acquire(struct lf_spinlock *s, uint64_t deadline) {
    return lf_owner_lock_acquire(&s->h, s->word, LF__SPINLOCK_SPINS, deadline);
}
/* The same, but LF_INTERRUPTED also after 100 ms: for callers that serve signals themselves. Call again. */
LF_INLINE int lf_spinlock_acquire_awhile(struct lf_spinlock *s, uint64_t deadline) {
    return lf_owner_lock_acquire_awhile(&s->h, s->word, LF__SPINLOCK_SPINS, deadline);
}
/* LF_OK, LF_NOT_OWNER or LF_CLOSED. */
LF_INLINE int lf_spinlock_release(struct lf_spinlock *s) { return lf_owner_lock_release(&s->h, s->word); }
/* After LF_OWNER_DIED, once what the lock guards is in order: LF_OK, LF_NOT_OWNER or LF_CLOSED. */
LF_INLINE int lf_spinlock_recover(struct lf_spinlock *s) { return lf_owner_lock_recover(&s->h, s->word); }
/* 0, 1 or LF_CLOSED. */
LF_INLINE int lf_spinlock_locked(struct lf_spinlock *s) { return lf_owner_lock_locked(&s->h, s->word); }

LF_INLINE void lf_spinlock_close(struct lf_spinlock *s) {
    lf_close(&s->h, NULL, 0);
    lf_owner_lock_wake_all(s->word);
}

#endif
