/* rwlock.h: many readers or one writer, threads of any processes; waiters sleep.
 *
 * Usage
 *   #include <lockfree/rwlock.h>
 *
 *   struct lf_rwlock table;
 *   int status = lf_rwlock_create(&table, "table"); // others: lf_rwlock_attach(&table, "table"); NULL: no name
 *   if (status != LF_OK)
 *       return status; // after LF_SYSTEM, table.h.error is the errno
 *   do
 *       status = lf_rwlock_write(&table, lf_now() + 2000000000u); // 2 s from now; LF_FOREVER: no time-out
 *   while (status == LF_INTERRUPTED);                             // a signal, or some time has passed
 *   if (status == LF_OWNER_DIED)
 *       lf_rwlock_recover(&table); // after repairing what the lock guards
 *   if (status == LF_OK || status == LF_OWNER_DIED)
 *       status = lf_rwlock_end_write(&table); // readers: lf_rwlock_read and lf_rwlock_end_read
 *   lf_segment_unlink(&table.h, "table"); // nobody can attach any more; participants go on
 *   lf_detach(&table.h);                  // this participant leaves
 *
 * Contract
 *   While a writer has the lock nobody else has. A writer that waits holds new readers off, so readers do not starve
 *   writers; writers that follow each other may keep readers waiting. A writer is a thread; it alone can end the write.
 *   Readers are counted for each participant: any thread of it can end a read. LF_NOT_OWNER: nobody there reads.
 *   Not reentrant: a thread that reads and waits for the lock again may wait for ever. A writer that would wait for itself
 *   gets LF_DEADLOCK. Refusals of calls that do not wait are not exact: two that meet may both be refused.
 * Progress: blocking. end_read is lock-free.
 * Death: a dead reader is forgotten, and the writer goes on. If a writer dies while it may have written, the next writer
 *   gets the lock and LF_OWNER_DIED; it repairs, and calls recover. Until then readers get LF_OWNER_DIED without the
 *   lock. Ended without recover, the lock is LF_NOT_RECOVERABLE for ever. A writer that dies before its readers have left,
 *   or after it has ended its write, leaves no trace. Found as fast as with a mutex (owner_lock.h).
 *
 * Layout: the writer's lock (owner_lock.h) and whether it writes | readers may enter | readers have left | for each
 *   participant how many of its threads read.
 * Invariants
 *   [I1] A writer writes only after it had the lock and then saw every count at 0. A reader reads only after it was counted
 *        and then saw no writer. Between the two steps of each is a sequentially consistent fence, so not both go on.
 *   [I2] `writing` is 1 from the end of the writer's wait for readers to its end_write.
 * Linearization points: read: its look at the writer's lock; write: its last look at the counts.
 * Source: distributed reader counts (Hsieh and Weihl 1992); Dekker's flags between readers and the writer. */
#ifndef LOCKFREE_RWLOCK_H
#define LOCKFREE_RWLOCK_H

#include "blocks/owner_lock.h"

#define LF_KIND_RWLOCK 25u
#define LF__RWLOCK_SPINS 40u

struct lf_rwlock_body {
    struct lf_lock_body lock;                /* line 0: the writer */
    LF_ALIGNED uint32_t writing;             /* line 1: the writer */
    LF_ALIGNED struct lf_eventcount entry;   /* line 2: readers that wait announce; the end of a write looks */
    LF_ALIGNED struct lf_eventcount drained; /* line 3: the writer announces; the end of a read looks */
    LF_ALIGNED uint32_t readers[LF_PARTICIPANTS];
};
#define LF_RWLOCK_BYTES (LF_BODY_OFFSET + sizeof(struct lf_rwlock_body))

struct lf_rwlock {
    struct lf_handle h;
    struct lf_rwlock_body *body;
    uint64_t *word;
    uint32_t begun; /* of the thread that has the lock of writers: it came by begin_write, and does not write yet */
};

/* The first participants each have a cache line of their own. */
LF_INLINE uint32_t *lf__rwlock_readers(struct lf_rwlock_body *body, uint32_t participant) {
    const uint32_t lines = LF_PARTICIPANTS * 4 / LF_CACHE_LINE;
    return &body->readers[lines == 0 ? participant : participant % lines * (LF_CACHE_LINE / 4) + participant / lines];
}

LF_INLINE int lf__rwlock_view(struct lf_handle *h) {
    struct lf_rwlock *l = (struct lf_rwlock *)h;
    if (h->bytes != LF_RWLOCK_BYTES)
        return lf_mismatch(h, "size in bytes for the geometry", h->bytes, LF_RWLOCK_BYTES);
    l->body = (struct lf_rwlock_body *)(void *)h->body;
    l->word = &l->body->lock.word;
    l->begun = 0;
    return LF_OK;
}
LF_INLINE int lf__rwlock_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    struct lf_rwlock_body *body = ((struct lf_rwlock *)h)->body;
    (void)cursor;
    lf_lock_body_recover(h, gone);
    lf_store_relaxed(lf__rwlock_readers(body, gone), 0u); /* the dead read nothing any more */
    lf_eventcount_notify_all(&body->drained);
    lf_eventcount_notify_all(&body->entry);
    return 1;
}
static const struct lf_kind lf_rwlock_kind = {LF_KIND_RWLOCK, lf__rwlock_view, lf__rwlock_recover, 0};

/* In zeroed memory of the caller's, LF_RWLOCK_BYTES long; others join with lf_segment_attach_local. */
LF_INLINE int lf_rwlock_create_local(struct lf_rwlock *l, void *memory) {
    const uint64_t geometry[LF_GEOMETRY] = {0};
    return lf_segment_create_local(&l->h, &lf_rwlock_kind, memory, LF_RWLOCK_BYTES, geometry);
}

#ifndef LF_MODEL
LF_INLINE int lf_rwlock_create(struct lf_rwlock *l, const char *name) {
    const uint64_t geometry[LF_GEOMETRY] = {0};
    int status = lf_segment_create(&l->h, name, &lf_rwlock_kind, LF_RWLOCK_BYTES, geometry);
    return status == LF_OK ? lf_segment_publish(&l->h, name) : status;
}
LF_INLINE int lf_rwlock_attach(struct lf_rwlock *l, const char *name) {
    return lf_segment_attach(&l->h, name, &lf_rwlock_kind);
}
/* Through a file handed over by another process; takes it over. */
LF_INLINE int lf_rwlock_attach_fd(struct lf_rwlock *l, int fd) {
    return lf_segment_attach_fd(&l->h, fd, &lf_rwlock_kind);
}
#endif

/* ---- readers ---- */

/* LF_OK, LF_NOT_OWNER, LF_CLOSED. */
LF_INLINE int lf_rwlock_end_read(struct lf_rwlock *l) {
    int status = lf_enter(&l->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    uint32_t *mine = lf__rwlock_readers(l->body, l->h.participant), count = lf_load_relaxed(mine);
    do
        if (count == 0)
            return LF_NOT_OWNER;
    while (!lf_cas_seq_cst(mine, &count, count - 1)); /* [R2] release: what it read; pairs with [W2] */
    if (count == 1)
        lf_eventcount_notify_after_rmw(&l->body->drained, 1);
    return LF_OK;
}

LF_INLINE int lf__rwlock_enter(void *operation) {
    struct lf_rwlock *l = (struct lf_rwlock *)operation;
    if (lf__lock_participant(lf_load_relaxed(l->word)) != 0) { /* it would only be counted and leave again */
        lf_reap_if_due(&l->h);
        if (lf__lock_participant(lf_load_relaxed(l->word)) != 0)
            return LF_TIMEDOUT;
    }
    lf_fetch_add_seq_cst(lf__rwlock_readers(l->body, l->h.participant), 1u); /* [R1] pairs with [W1], [W2] */
    uint64_t word = lf_load_seq_cst(l->word); /* [R1]; acquire: what the last writer wrote is readable */
    if (LF_LIKELY(word == 0 || word == LF__LOCK_WOKEN))
        return LF_OK;
    int writer = lf__lock_participant(word) != 0, lost = (word & LF__LOCK_NOT_RECOVERABLE) != 0;
    if (!writer && !lost && !((word & LF__LOCK_DIED) && lf_load_relaxed(&l->body->writing)))
        return LF_OK; /* the dead writer had not begun to write */
    lf_rwlock_end_read(l);
    return writer ? LF_TIMEDOUT : lost ? LF_NOT_RECOVERABLE : LF_OWNER_DIED;
}
/* LF_OK: the caller reads, until lf_rwlock_end_read. LF_OWNER_DIED: a writer died, and nobody has repaired it yet; not
 * held. LF_TIMEDOUT, LF_NOT_RECOVERABLE, LF_CLOSED, LF_LOST, LF_DEADLOCK: the caller writes. Deadline in ns of lf_now(),
 * LF_FOREVER, or 0 to try once. LF_INTERRUPTED after 100 ms or on a signal: call again. */
LF_INLINE int lf_rwlock_read(struct lf_rwlock *l, uint64_t deadline) {
    int status = lf_enter(&l->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    if (deadline == LF_FOREVER && lf_owner_lock_is_mine(&l->h, l->word))
        return LF_DEADLOCK;
    return lf_block_on(&l->h, &l->body->entry, lf__rwlock_enter, l, LF_TIMEDOUT, deadline);
}

/* ---- writers ---- */

LF_INLINE void lf__rwlock_unlock(struct lf_rwlock *l) {
    lf__lock_release(&l->h, l->word);
    lf_eventcount_notify_all(&l->body->entry);
}
/* Gives the lock back before a write. If the last writer died while it wrote, the next one is to be told. */
LF_INLINE void lf__rwlock_leave(struct lf_rwlock *l) {
    if (!lf_load_relaxed(&l->body->writing)) {
        lf__rwlock_unlock(l);
        return;
    }
    uint64_t word = lf_load_relaxed(l->word);
    while (!lf_cas_release(l->word, &word, LF__LOCK_DIED | (word & LF__LOCK_WAITERS)))
        ;
    if (word & LF__LOCK_WAITERS)
        lf_futex_wake(lf__lock_futex(l->word), 1);
    lf_eventcount_notify_all(&l->body->entry);
}
/* For a caller that got LF_INTERRUPTED from write and does not call it again. */
LF_INLINE void lf_rwlock_give_up(struct lf_rwlock *l) {
    if (lf_enter(&l->h) == LF_OK && lf_owner_lock_is_mine(&l->h, l->word) && !lf_load_relaxed(&l->begun))
        lf__rwlock_leave(l);
}

LF_INLINE int lf__rwlock_has_drained(void *operation) {
    struct lf_rwlock *l = (struct lf_rwlock *)operation;
    uint32_t highest = lf_load_relaxed(&l->h.segment->highest);
    for (uint32_t i = 0; i <= highest && i < LF_PARTICIPANTS; i++)
        if (lf_load_acquire(lf__rwlock_readers(l->body, i)) != 0) /* [W2] pairs with [R2]; behind [W1] */
            return LF_TIMEDOUT;
    return LF_OK;
}
/* Takes the lock of writers, which holds new readers off: LF_OK, also after a death. */
LF_INLINE int lf__rwlock_hold_off(struct lf_rwlock *l, uint64_t deadline) {
    int status = lf_owner_lock_acquire_awhile(&l->h, l->word, LF__RWLOCK_SPINS, deadline);
    if (status != LF_OK && status != LF_OWNER_DIED)
        return status;
    lf_store_relaxed(&l->begun, 0u); /* a forked child may have the parent's */
    if (!lf_load_relaxed(&l->body->writing))
        lf__lock_recover(&l->h, l->word); /* the dead writer had not begun to write */
    lf_fence_seq_cst();                   /* [W1] pairs with [R1]: the lock is held before the looks at the counts */
    return LF_OK;
}
/* The readers have left. */
LF_INLINE int lf__rwlock_writes(struct lf_rwlock *l) {
    int died = (lf_load_relaxed(l->word) & LF__LOCK_DIED) != 0;
    lf_store_relaxed(&l->body->writing, 1u);
    return died ? LF_OWNER_DIED : LF_OK;
}
/* LF_OK: the caller writes, until lf_rwlock_end_write. LF_OWNER_DIED: the same, and the last writer died while it wrote.
 * LF_TIMEDOUT, LF_NOT_RECOVERABLE, LF_CLOSED, LF_LOST, LF_DEADLOCK. Deadline in ns of lf_now(), LF_FOREVER, or 0 to try
 * once. LF_INTERRUPTED after 100 ms or on a signal: call again from the same thread with the same deadline (it may hold
 * readers off already), or give up. */
LF_INLINE int lf_rwlock_write(struct lf_rwlock *l, uint64_t deadline) {
    int status = lf_enter(&l->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    if (!lf_owner_lock_is_mine(&l->h, l->word)) {
        if ((status = lf__rwlock_hold_off(l, deadline)) != LF_OK)
            return status;
    } else if (lf_load_relaxed(&l->begun) ||
               (lf_load_relaxed(&l->body->writing) && !(lf_load_relaxed(l->word) & LF__LOCK_DIED))) {
        return deadline == LF_FOREVER ? LF_DEADLOCK : LF_TIMEDOUT;
    }
    status = lf_block_on(&l->h, &l->body->drained, lf__rwlock_has_drained, l, LF_TIMEDOUT, deadline);
    if (status == LF_OK)
        return lf__rwlock_writes(l);
    if (status != LF_INTERRUPTED)
        lf__rwlock_leave(l);
    return status;
}

/* The same in steps, for a thread that must not sleep here: it waits for several things (watching.h). LF_BUSY: it holds
 * readers off, and those that are inside have not left; call again after `drained`, or end_wait. LF_TIMEDOUT: somebody
 * else writes, or waits to; call again after `entry`. Else as lf_rwlock_write. Other calls of this thread see a writer. */
LF_INLINE int lf_rwlock_begin_write(struct lf_rwlock *l) {
    int status = lf_enter(&l->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    if (!lf_owner_lock_is_mine(&l->h, l->word)) {
        if ((status = lf__rwlock_hold_off(l, 0)) != LF_OK)
            return status;
        lf_store_relaxed(&l->begun, 1u);
    } else if (!lf_load_relaxed(&l->begun)) {
        return LF_TIMEDOUT;
    }
    if (lf__rwlock_has_drained(l) != LF_OK) {
        lf_reap_if_due(&l->h);
        if (lf__rwlock_has_drained(l) != LF_OK)
            return LF_BUSY;
    }
    lf_store_relaxed(&l->begun, 0u);
    return lf__rwlock_writes(l);
}
/* After LF_BUSY, for a caller that does not begin to write. */
LF_INLINE void lf_rwlock_end_wait(struct lf_rwlock *l) {
    if (lf_enter(&l->h) == LF_OK && lf_owner_lock_is_mine(&l->h, l->word) && lf_load_relaxed(&l->begun)) {
        lf_store_relaxed(&l->begun, 0u);
        lf__rwlock_leave(l);
    }
}

/* LF_OK, LF_NOT_OWNER, LF_CLOSED. */
LF_INLINE int lf_rwlock_end_write(struct lf_rwlock *l) {
    int status = lf_enter(&l->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    if (!lf_owner_lock_is_mine(&l->h, l->word) || lf_load_relaxed(&l->begun))
        return LF_NOT_OWNER;
    if (!(lf_load_relaxed(l->word) & LF__LOCK_DIED))
        lf_store_relaxed(&l->body->writing, 0u);
    lf__rwlock_unlock(l);
    return LF_OK;
}
/* After LF_OWNER_DIED, once what the lock guards is in order: LF_OK, LF_NOT_OWNER or LF_CLOSED. */
LF_INLINE int lf_rwlock_recover(struct lf_rwlock *l) {
    int status = lf_enter(&l->h);
    if (status == LF_OK && lf_owner_lock_is_mine(&l->h, l->word) && lf_load_relaxed(&l->begun))
        return LF_NOT_OWNER;
    return status == LF_OK ? lf_owner_lock_recover(&l->h, l->word) : status;
}

/* How many read, or LF_CLOSED; and whether somebody writes, or waits for readers to leave: 0, 1 or LF_CLOSED. */
LF_INLINE int64_t lf_rwlock_readers(struct lf_rwlock *l) {
    int status = lf_enter(&l->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    int64_t count = 0;
    uint32_t highest = lf_load_relaxed(&l->h.segment->highest);
    lf_reap_if_due(&l->h);
    for (uint32_t i = 0; i <= highest && i < LF_PARTICIPANTS; i++)
        count += lf_load_relaxed(lf__rwlock_readers(l->body, i));
    return count;
}
LF_INLINE int lf_rwlock_locked(struct lf_rwlock *l) { return lf_owner_lock_locked(&l->h, l->word); }

LF_INLINE void lf_rwlock_close(struct lf_rwlock *l) {
    struct lf_eventcount *const counts[] = {&l->body->entry, &l->body->drained};
    lf_close(&l->h, counts, 2);
    lf_owner_lock_wake_all(l->word);
}

#endif
