/* mutex.h: mutual exclusion between threads of any processes; waiters sleep.
 *
 * Usage
 *   #include <lockfree/mutex.h>
 *
 *   struct lf_mutex lock;
 *   int status = lf_mutex_create(&lock, "accounts"); // others: lf_mutex_attach(&lock, "accounts"); NULL: no name
 *   if (status != LF_OK)
 *       return status; // after LF_SYSTEM, lock.h.error is the errno
 *   status = lf_mutex_acquire(&lock, lf_now() + 2000000000u); // 2 s from now; LF_FOREVER: no time-out
 *   if (status == LF_OWNER_DIED)
 *       lf_mutex_recover(&lock); // after repairing what the lock guards
 *   if (status == LF_OK || status == LF_OWNER_DIED)
 *       lf_mutex_release(&lock);            // else LF_TIMEDOUT, LF_INTERRUPTED (a signal), LF_CLOSED, ...
 *   lf_segment_unlink(&lock.h, "accounts"); // nobody can attach any more; participants go on
 *   lf_detach(&lock.h);                     // this participant leaves
 *
 * Contract, progress, death, layout, invariants, linearization points: owner_lock.h.
 * Waiting: 40 pauses, then sleep. This was the best measured choice with more threads than cores and with sections that
 *   are not tiny. SpinLock (spinlock.h) is for sections of a few instructions. */
#ifndef LOCKFREE_MUTEX_H
#define LOCKFREE_MUTEX_H

#include "blocks/owner_lock.h"

#define LF_KIND_MUTEX 6u
#define LF__MUTEX_SPINS 40u

struct lf_mutex {
    struct lf_handle h;
    uint64_t *word;
};

LF_INLINE int lf__mutex_view(struct lf_handle *h) {
    if (h->bytes != LF_LOCK_BYTES)
        return lf_mismatch(h, "size in bytes for the geometry", h->bytes, LF_LOCK_BYTES);
    ((struct lf_mutex *)h)->word = &((struct lf_lock_body *)(void *)h->body)->word;
    return LF_OK;
}
LF_INLINE int lf__mutex_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    (void)cursor;
    return lf_lock_body_recover(h, gone);
}
static const struct lf_kind lf_mutex_kind = {LF_KIND_MUTEX, lf__mutex_view, lf__mutex_recover, 0};

/* In zeroed memory of the caller's, LF_LOCK_BYTES long; others join with lf_segment_attach_local. */
LF_INLINE int lf_mutex_create_local(struct lf_mutex *m, void *memory) {
    const uint64_t geometry[LF_GEOMETRY] = {0};
    return lf_segment_create_local(&m->h, &lf_mutex_kind, memory, LF_LOCK_BYTES, geometry);
}

#ifndef LF_MODEL
LF_INLINE int lf_mutex_create(struct lf_mutex *m, const char *name) {
    const uint64_t geometry[LF_GEOMETRY] = {0};
    int status = lf_segment_create(&m->h, name, &lf_mutex_kind, LF_LOCK_BYTES, geometry);
    return status == LF_OK ? lf_segment_publish(&m->h, name) : status;
}
LF_INLINE int lf_mutex_attach(struct lf_mutex *m, const char *name) {
    return lf_segment_attach(&m->h, name, &lf_mutex_kind);
}
/* Through a file handed over by another process; takes it over. */
LF_INLINE int lf_mutex_attach_fd(struct lf_mutex *m, int fd) { return lf_segment_attach_fd(&m->h, fd, &lf_mutex_kind); }
#endif

/* LF_OK, LF_OWNER_DIED, LF_NOT_RECOVERABLE, LF_TIMEDOUT (refused), LF_CLOSED. */
LF_INLINE int lf_mutex_try_acquire(struct lf_mutex *m) { return lf_owner_lock_acquire(&m->h, m->word, 0, 0); }
/* Deadline in ns of lf_now(), LF_FOREVER, or 0 to try once. Also LF_DEADLOCK, LF_LOST, and LF_INTERRUPTED: a signal handler
 * interrupted the sleep of this thread, which has not got the lock. */
LF_INLINE int lf_mutex_acquire(struct lf_mutex *m, uint64_t deadline) {
    return lf_owner_lock_acquire(&m->h, m->word, LF__MUTEX_SPINS, deadline);
}
/* The same, but LF_INTERRUPTED also after 100 ms: for callers that serve signals themselves. Call again. */
LF_INLINE int lf_mutex_acquire_awhile(struct lf_mutex *m, uint64_t deadline) {
    return lf_owner_lock_acquire_awhile(&m->h, m->word, LF__MUTEX_SPINS, deadline);
}
/* LF_OK, LF_NOT_OWNER or LF_CLOSED. */
LF_INLINE int lf_mutex_release(struct lf_mutex *m) { return lf_owner_lock_release(&m->h, m->word); }
/* After LF_OWNER_DIED, once what the lock guards is in order: LF_OK, LF_NOT_OWNER or LF_CLOSED. */
LF_INLINE int lf_mutex_recover(struct lf_mutex *m) { return lf_owner_lock_recover(&m->h, m->word); }
/* 0, 1 or LF_CLOSED. */
LF_INLINE int lf_mutex_locked(struct lf_mutex *m) { return lf_owner_lock_locked(&m->h, m->word); }

LF_INLINE void lf_mutex_close(struct lf_mutex *m) {
    lf_close(&m->h, NULL, 0);
    lf_owner_lock_wake_all(m->word);
}

#endif
