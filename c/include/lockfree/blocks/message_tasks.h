/* message_tasks.h: building block: which messages of a ring have been dealt with, and waiting until all have.
 *
 * Contract
 *   Each message that is put is one task. lf_message_ring_task_done says that one is dealt with; LF_OVERFLOW if none is
 *   left. lf_message_ring_join waits until none is left. What a thread wrote before task_done can be read after join.
 *   After an immediate shutdown what is inside will not be taken any more, and is no task.
 * Progress: task_done is lock-free; join sleeps.
 * Death: a put that was cut off is a task from the instant on at which its message is inside, and not before: the position
 *   of the message is the count. A task that a dead process had taken stays open; somebody else may say that it is done.
 *   A message that is published again because a process died (a lease) is one more task. One that is put back is not.
 * Linearization points: task_done: its compare-and-swap; a refusal and join: the load of `done`. Both counts only grow, and
 *   `done` is never above the other, so equal values mean that they were equal when the first was read. */
#ifndef LOCKFREE_MESSAGE_TASKS_H
#define LOCKFREE_MESSAGE_TASKS_H

#include "message_blocks.h"

/* Tasks so far. */
LF_INLINE uint64_t lf__message_tasks(const struct lf_message_ring *r) {
    const struct lf_queue *q = &r->queues[LF__MESSAGES];
    return lf_load_acquire(&r->h.segment->ending) == LF__ENDED ? lf_queue_taken(q) : lf_queue_published(q);
}

/* How many are not dealt with. Exact at one instant of the call if it is 0, or while nobody else runs. */
LF_INLINE uint64_t lf_message_ring_unfinished(const struct lf_message_ring *r) {
    uint64_t done = lf_load_acquire(&r->body->done); /* [K1] pairs with [K2] */
    int64_t open = (int64_t)(lf__message_tasks(r) - done);
    return open > 0 ? (uint64_t)open : 0;
}

LF_INLINE int lf__message_task_done(struct lf_message_ring *r) {
    uint64_t done = lf_load_acquire(&r->body->done);
    do {
        if ((int64_t)(lf__message_tasks(r) - done) <= 0)
            return LF_OVERFLOW;
    } while (!lf_cas_seq_cst(&r->body->done, &done, done + 1)); /* [K2] pairs with [K1]; [E2] with [E1] */
    if (lf_message_ring_unfinished(r) == 0)
        lf_eventcount_notify_after_rmw(&r->body->all_done, UINT32_MAX);
    return LF_OK;
}
/* LF_OK, LF_OVERFLOW or LF_CLOSED. */
LF_INLINE int lf_message_ring_task_done(struct lf_message_ring *r) {
    int status = lf_enter(&r->h);
    return LF_LIKELY(status == LF_OK) ? lf__message_task_done(r) : status;
}

LF_INLINE int lf__message_attempt_join(void *operation) {
    return lf_message_ring_unfinished((struct lf_message_ring *)operation) == 0 ? LF_OK : LF_TIMEDOUT;
}
/* Deadline in ns of lf_now(), LF_FOREVER, or 0 to look once: LF_OK, LF_TIMEDOUT, LF_CLOSED, LF_LOST, LF_INTERRUPTED. */
LF_INLINE int lf_message_ring_join(struct lf_message_ring *r, uint64_t deadline) {
    int status = lf_enter(&r->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    return lf_block_on(&r->h, &r->body->all_done, lf__message_attempt_join, r, LF_TIMEDOUT, deadline);
}

#endif
