/* priority_queue.h: bounded queue of byte records with 1..128 levels of urgency, many producers, many consumers.
 *
 * Usage
 *   #include <lockfree/priority_queue.h>
 *
 *   struct lf_priority_queue q;
 *   int status = lf_priority_queue_create(&q, "jobs", 64, 32, 3, 0); // 64 records of up to 32 bytes, 3 levels
 *   if (status != LF_OK)                                             // others: lf_priority_queue_attach(&q, "jobs")
 *       return status;                                               // after LF_SYSTEM, q.h.error is the errno
 *   status = lf_priority_queue_try_put(&q, "hello", 5, 2);           // level 2; LF_OK, LF_FULL, LF_CLOSED
 *   char record[32];                                                 // as many bytes as record_size
 *   uint32_t level;
 *   int64_t length = lf_priority_queue_get(&q, record, &level, lf_now() + 1000000000u); // waits for 1 s at most
 *   status = length < 0 ? (int)length : LF_OK; // LF_TIMEDOUT, LF_INTERRUPTED by a signal, LF_CLOSED after shutdown
 *   lf_segment_unlink(&q.h, "jobs"); // nobody can attach any more; participants go on
 *   lf_detach(&q.h);                 // this participant leaves
 *
 * Contract
 *   Linearizable. get takes from the most urgent level (0 first) that is not empty, FIFO within a level. EMPTY is
 *   exact. FULL means: at one instant of the call, the records inside plus those in the hands of running operations
 *   (being written, copied out, reserved, peeked or leased) were >= capacity. Withdrawn records count until their
 *   slots are back: at once or, if too many stand behind others, when a get comes by. withdraw takes a record out by its
 *   ticket, once; not if a get has it.
 *   With LF_FRONTS beside the number of levels a record can go to the front of its level: requeue_front of one in hand,
 *   which is never refused, and put_front, which is FULL as put is. It comes before all that was put into its level in
 *   the usual way, and behind what stands in front there already: FIFO, so no preempted record is overtaken by one that
 *   was preempted later. It has a ticket as every record has.
 * Progress: try_*, reserve/commit, peek/release and the batches are lock-free; put and get sleep (blocking.h).
 * Death: nobody is blocked. The next recovery frees the slots of records that the dead participant was writing or had
 *   taken for good. A record whose put was cut off may still arrive. A leased one goes to the tail of its level again, or
 *   of what stands in front there, if it came from there.
 *
 * Layout: {not_empty, not_full, W, withdrawals, spares} | queue of free slots | one queue per line (priority_lines.h) | slots.
 *   A slot is {custody word, length, payload}. A record of up to 64 bytes does not straddle cache lines (64 bytes).
 * Invariants and linearization points: level_queues.h and index_queue.h. put: the change of W (level_queues.h says
 *   whose); get: the change of W that decides it; EMPTY: the load of W; FULL: the load in `free` that finds nothing, with no spare
 *   left (spare_slots.h).
 * Batches: what put_many puts is visible at its end, in order within a level; get_many: a series of gets. */
#ifndef LOCKFREE_PRIORITY_QUEUE_H
#define LOCKFREE_PRIORITY_QUEUE_H

#include "blocks/priority_lines.h"

#define LF_KIND_PRIORITY_QUEUE 10u

LF_INLINE void lf__priority_gave(void *context, int queue) {
    struct lf_priority_queue *q = (struct lf_priority_queue *)context;
    if (queue == LF__FREE)
        lf_eventcount_notify(&q->body->not_full, 1);
    if (lf_load_relaxed(&q->h.segment->ending) != LF__OPEN)
        lf_eventcount_notify_all(&q->body->not_empty); /* a consumer that drains it may wait for this slot */
}
LF_INLINE int lf__priority_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    struct lf_priority_queue *q = (struct lf_priority_queue *)h;
    struct lf_gone who = lf_who_is_gone(h, gone);
    if (*cursor == 0) {
        lf_levels_settle(&q->levels); /* a pop of the dead one may be decided and not applied; no other will follow */
        lf_spares_recover(&q->spares, &who, h->participant, lf__priority_gave, q);
    }
    int done = lf_store_recover(q->queues, 1 + q->levels.count, LF__FREE, &who, h->participant, cursor,
                                lf__priority_gave, q) &&
               lf_levels_cut_marked(&q->levels, h->participant, cursor);
    if (done && lf_levels_announce_all(&q->levels))
        lf_eventcount_notify_all(&q->body->not_empty);
    return done;
}

static const struct lf_kind lf_priority_queue_kind = {LF_KIND_PRIORITY_QUEUE, lf__priority_view, lf__priority_recover,
                                                      1};

/* In zeroed memory of the caller; others in the process: lf_segment_attach_local. */
LF_INLINE int lf_priority_queue_create_local(struct lf_priority_queue *q, void *memory, uint64_t capacity,
                                             uint64_t record_size, uint64_t levels, uint64_t start) {
    uint64_t bytes, geometry[LF_GEOMETRY] = {capacity, record_size, levels, start, 0, 0};
    int status = lf_priority_queue_bytes(capacity, record_size, levels, &bytes);
    if (status == LF_OK)
        status = lf_segment_create_local(&q->h, &lf_priority_queue_kind, memory, bytes, geometry);
    if (status == LF_OK) {
        lf__join_fences(q->h.segment, 1);
        lf__priority_layout(q, start);
    }
    return status;
}

#ifndef LF_MODEL
/* A segment laid out and not yet published, so that the caller may write its note. */
LF_INLINE int lf__priority_queue_allocate(struct lf_priority_queue *q, const char *name, uint64_t capacity,
                                          uint64_t record_size, uint64_t levels, uint64_t start) {
    uint64_t bytes, geometry[LF_GEOMETRY] = {capacity, record_size, levels, start, 0, 0};
    if (lf_priority_queue_bytes(capacity, record_size, levels, &bytes) != LF_OK)
        return LF_INVALID;
    int status = lf_segment_create(&q->h, name, &lf_priority_queue_kind, bytes, geometry);
    if (status == LF_OK)
        lf__priority_layout(q, start);
    return status;
}
/* name NULL: anonymous. `start`: the first position; pass 0 (tests begin near the wraps). */
LF_INLINE int lf_priority_queue_create(struct lf_priority_queue *q, const char *name, uint64_t capacity,
                                       uint64_t record_size, uint64_t levels, uint64_t start) {
    int status = lf__priority_queue_allocate(q, name, capacity, record_size, levels, start);
    return status == LF_OK ? lf_segment_publish(&q->h, name) : status;
}
LF_INLINE int lf_priority_queue_attach(struct lf_priority_queue *q, const char *name) {
    return lf_segment_attach(&q->h, name, &lf_priority_queue_kind);
}
LF_INLINE int lf_priority_queue_attach_fd(struct lf_priority_queue *q, int fd) {
    return lf_segment_attach_fd(&q->h, fd, &lf_priority_queue_kind);
}
#endif

/* ---- zero copy: the caller has a slot between two calls ---- */
/* A release in two steps, for batches. The first frees a slot; the second wakes sleepers, once for `count` slots. */
LF_INLINE int lf__priority_free(struct lf_priority_queue *q, int64_t index) {
    int status = lf_queue_publish(&q->queues[LF__FREE], (uint64_t)index, q->h.participant);
    lf_spares_relax(&q->spares, &q->h);
    return status;
}
LF_INLINE void lf__priority_freed(struct lf_priority_queue *q, uint32_t count) {
    lf_eventcount_notify_after_rmw(&q->body->not_full, count);
    if (LF_UNLIKELY(lf_load_relaxed(&q->h.segment->ending) != LF__OPEN))
        lf_eventcount_notify_all(&q->body->not_empty); /* a getter that drains the queue may wait for these slots */
}
/* Gives back the slot of a record that was peeked at. A getter that drains the queue may be waiting for it. */
LF_INLINE int lf_priority_queue_release(struct lf_priority_queue *q, int64_t index) {
    enum lf_spare_kept kept = lf_spare_keep(&q->spares, &q->h, (uint64_t)index);
    if (LF_LIKELY(kept == LF__KEPT))
        return LF_OK;
    int status = kept == LF__TAKEN ? (int)LF_OK : lf__priority_free(q, index);
    lf__priority_freed(q, 1);
    return status;
}
LF_INLINE int lf_priority_queue_cancel(struct lf_priority_queue *q, int64_t index) {
    return lf_priority_queue_release(q, index);
}

/* A free slot to write into: its number >= 0, LF_FULL, LF_CLOSED or LF_CORRUPT. Then commit or cancel; a commit is not
 * refused, even if the queue has been shut down since. */
LF_INLINE int64_t lf_priority_queue_reserve(struct lf_priority_queue *q) {
    int status = lf_enter_to_put(&q->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    int64_t index = lf_spare_take(&q->spares, &q->h);
    uint64_t scarce = 0;
    if (index == LF_EMPTY) {
        scarce = lf_spares_look(&q->spares);
        index = lf_queue_take(&q->queues[LF__FREE], q->h.participant);
    }
    if (LF_UNLIKELY(index == LF_EMPTY) && lf_reap_if_due(&q->h) > 0)
        index = lf_queue_take(&q->queues[LF__FREE], q->h.participant);
    if (LF_UNLIKELY(index == LF_EMPTY))
        index = lf_spares_refuse(&q->spares, &q->h, scarce);
    if (LF_UNLIKELY(index == LF_EMPTY)) /* once the queue ends, one that drains it may have a spare in hand */
        return lf_load_relaxed(&q->h.segment->ending) == LF__OPEN ? LF_FULL : LF_CLOSED;
    /* [D2]: either the getter that drains the queue sees that this slot is out, or we see that the queue ends */
    if (LF_UNLIKELY(lf_load_seq_cst(&q->h.segment->ending) != LF__OPEN) && index >= 0) {
        lf_priority_queue_release(q, index);
        return LF_CLOSED;
    }
    return index;
}
LF_INLINE int lf__priority_publish(struct lf_priority_queue *q, int64_t index, uint32_t line, uint64_t *ticket) {
    int status = lf_queue_publish_at(&q->queues[1 + line], (uint64_t)index, q->h.participant, 0, ticket);
    *ticket = lf_levels_ticket(line, *ticket);
    if (LF_LIKELY(status == LF_OK))
        status = lf_levels_announce(&q->levels, lf_levels_group(&q->levels, line));
    lf_eventcount_notify_after_rmw(&q->body->not_empty, 1);
    return status;
}
/* Puts a slot into its level, at the tail: a reservation that was written, or a record that goes back. */
LF_INLINE int lf_priority_queue_requeue(struct lf_priority_queue *q, int64_t index, uint32_t level) {
    uint64_t ticket = 0;
    return LF_UNLIKELY(level >= q->n_levels) ? (int)LF_INVALID
                                             : lf__priority_publish(q, index, lf__priority_tail(q, level), &ticket);
}
/* As requeue, but to the front of its level; LF_INVALID without LF_FRONTS. */
LF_INLINE int lf_priority_queue_requeue_front(struct lf_priority_queue *q, int64_t index, uint32_t level) {
    uint64_t ticket = 0;
    return LF_UNLIKELY(level >= q->n_levels || !q->fronts)
               ? (int)LF_INVALID
               : lf__priority_publish(q, index, lf__priority_front(level), &ticket);
}
/* A record that was taken and is not wanted: to the tail of what it was taken from, as recovery does with a lease. */
LF_INLINE int lf_priority_queue_give_back(struct lf_priority_queue *q, int64_t index, uint32_t level) {
    uint32_t from = lf__custody_queue(lf_load_relaxed(lf__custody(&q->store, (uint64_t)index))); /* in our custody */
    return q->fronts && from == 1 + lf__priority_front(level) ? lf_priority_queue_requeue_front(q, index, level)
                                                              : lf_priority_queue_requeue(q, index, level);
}
LF_INLINE int lf_priority_queue_commit(struct lf_priority_queue *q, int64_t index, uint64_t length, uint32_t level) {
    lf_priority_queue_slot(q, (uint64_t)index)->length = (uint32_t)length;
    return lf_priority_queue_requeue(q, index, level);
}
/* Nothing was inside; see lf__mpmc_empty. */
LF_INLINE int64_t lf__priority_empty(struct lf_priority_queue *q, uint32_t taker, uint32_t *level) {
    if (LF_LIKELY(lf_load_seq_cst(&q->h.segment->ending) == LF__OPEN)) /* [D3] pairs with [D1], and [D2] through it */
        return LF_EMPTY;
    if (LF_UNLIKELY(lf_spares_drain(&q->spares, &q->h) != LF_OK))
        return LF_CORRUPT;
    if (!lf_queue_is_whole(&q->queues[LF__FREE]))
        return LF_EMPTY;
    int64_t index = lf_levels_take(&q->levels, taker, level);
    return index == LF_EMPTY ? (int64_t)LF_CLOSED : index;
}

/* Takes the first record out of the queue, in its slot. With `lease` LF_LEASE (else 0) it is published again if we die.
 * Returns its slot number >= 0, or LF_EMPTY, LF_CLOSED or LF_CORRUPT. Then release. */
LF_INLINE int64_t lf_priority_queue_peek(struct lf_priority_queue *q, uint32_t lease, uint32_t *level,
                                         uint64_t *length) {
    int status = lf_enter_to_get(&q->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    uint32_t taker = q->h.participant | lease;
    int64_t index = lf_levels_take(&q->levels, taker, level);
    if (LF_UNLIKELY(index == LF_EMPTY) && lf_reap_if_due(&q->h) > 0)
        index = lf_levels_take(&q->levels, taker, level);
    if (LF_UNLIKELY(index == LF_EMPTY))
        index = lf__priority_empty(q, taker, level);
    if (index >= 0) {
        *length = lf_priority_queue_slot(q, (uint64_t)index)->length;
        if (LF_UNLIKELY(*length > q->record_size)) {
            lf_priority_queue_release(q, index);
            return LF_CORRUPT;
        }
        *level = lf__priority_level(q, *level);
    }
    return index;
}

/* ---- copying; deadline in ns of lf_now(), LF_FOREVER, or 0 to try once ---- */
struct lf__priority_call {
    struct lf_priority_queue *q;
    int64_t index;
    uint64_t length;
    uint32_t lease, level;
};
LF_INLINE int lf__priority_attempt_reserve(void *operation) {
    struct lf__priority_call *call = (struct lf__priority_call *)operation;
    call->index = lf_priority_queue_reserve(call->q);
    return call->index < 0 ? (int)call->index : LF_OK;
}
LF_INLINE int lf__priority_attempt_peek(void *operation) {
    struct lf__priority_call *call = (struct lf__priority_call *)operation;
    call->index = lf_priority_queue_peek(call->q, call->lease, &call->level, &call->length);
    return call->index < 0 ? (int)call->index : LF_OK;
}

/* As reserve, but waits while the queue is full. Also returns LF_INTERRUPTED and LF_CLOSED. */
LF_INLINE int64_t lf_priority_queue_reserve_wait(struct lf_priority_queue *q, uint64_t deadline) {
    struct lf__priority_call call = {q, 0, 0, 0, 0};
    int status = lf_block_on(&q->h, &q->body->not_full, lf__priority_attempt_reserve, &call, LF_FULL, deadline);
    return status == LF_OK ? call.index : status;
}
LF_INLINE int64_t lf_priority_queue_peek_wait(struct lf_priority_queue *q, uint32_t lease, uint32_t *level,
                                              uint64_t *length, uint64_t deadline) {
    struct lf__priority_call call = {q, 0, 0, lease, 0};
    int status = lf_block_on(&q->h, &q->body->not_empty, lf__priority_attempt_peek, &call, LF_EMPTY, deadline);
    *level = call.level;
    *length = call.length;
    return status == LF_OK ? call.index : status;
}
LF_INLINE int lf__priority_put(struct lf_priority_queue *q, const void *record, uint64_t length, uint32_t line,
                               uint64_t deadline, uint64_t *ticket) {
    if (LF_UNLIKELY(length > q->record_size))
        return LF_TOO_LONG;
    int64_t index = deadline == 0 ? lf_priority_queue_reserve(q) : lf_priority_queue_reserve_wait(q, deadline);
    if (index < 0)
        return (int)index;
    lf_copy(lf_slot_payload(lf_priority_queue_slot(q, (uint64_t)index)), record, length);
    lf_priority_queue_slot(q, (uint64_t)index)->length = (uint32_t)length;
    return lf__priority_publish(q, index, line, ticket);
}
/* As put; the ticket names the record for lf_priority_queue_withdraw. */
LF_INLINE int lf_priority_queue_put_ticket(struct lf_priority_queue *q, const void *record, uint64_t length,
                                           uint32_t level, uint64_t deadline, uint64_t *ticket) {
    if (LF_UNLIKELY(level >= q->n_levels))
        return LF_INVALID;
    return lf__priority_put(q, record, length, lf__priority_tail(q, level), deadline, ticket);
}
/* As put_ticket, but to the front of its level; LF_INVALID without LF_FRONTS. */
LF_INLINE int lf_priority_queue_put_front(struct lf_priority_queue *q, const void *record, uint64_t length,
                                          uint32_t level, uint64_t deadline, uint64_t *ticket) {
    if (LF_UNLIKELY(level >= q->n_levels || !q->fronts))
        return LF_INVALID;
    return lf__priority_put(q, record, length, lf__priority_front(level), deadline, ticket);
}
LF_INLINE int lf_priority_queue_put(struct lf_priority_queue *q, const void *record, uint64_t length, uint32_t level,
                                    uint64_t deadline) {
    uint64_t ticket = 0;
    return lf_priority_queue_put_ticket(q, record, length, level, deadline, &ticket);
}
/* 1: the record of a ticket is out, and nobody gets it. 0: it was taken, or withdrawn before. No consumer by that. */
LF_INLINE int lf_priority_queue_withdraw(struct lf_priority_queue *q, uint64_t ticket) {
    int status = lf__enter_open(&q->h, LF__ENDED);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    return lf_levels_withdraw(&q->levels, ticket, q->h.participant);
}
/* `record` has room for record_size bytes. Returns the length >= 0, or a negative status. */
LF_INLINE int64_t lf_priority_queue_get(struct lf_priority_queue *q, void *record, uint32_t *level, uint64_t deadline) {
    uint64_t length = 0;
    int64_t index = deadline == 0 ? lf_priority_queue_peek(q, 0, level, &length)
                                  : lf_priority_queue_peek_wait(q, 0, level, &length, deadline);
    if (index < 0)
        return index;
    lf_copy(record, lf_slot_payload(lf_priority_queue_slot(q, (uint64_t)index)), length);
    int status = lf_priority_queue_release(q, index);
    return status == LF_OK ? (int64_t)length : status;
}
LF_INLINE int lf_priority_queue_try_put(struct lf_priority_queue *q, const void *r, uint64_t length, uint32_t level) {
    return lf_priority_queue_put(q, r, length, level, 0);
}
LF_INLINE int64_t lf_priority_queue_try_get(struct lf_priority_queue *q, void *record, uint32_t *level) {
    return lf_priority_queue_get(q, record, level, 0);
}

/* ---- batches ---- */
/* Puts records until the queue is full, record i into levels[i]. Returns how many went in, or a negative status if none
 * did. Either every record has `length` bytes and they are `pitch` apart, or `lengths` is given and they are packed. */
LF_INLINE int64_t lf_priority_queue_put_many(struct lf_priority_queue *q, const void *records, uint64_t pitch,
                                             uint64_t length, const uint32_t *lengths, const uint32_t *levels,
                                             uint64_t count) {
    const unsigned char *from = (const unsigned char *)records;
    uint64_t done = 0;
    int64_t index = 0;
    uint32_t groups = 0;
    int status = LF_OK;
    for (uint64_t i = 0; i < count; i++) {
        if ((lengths != NULL ? lengths[i] : length) > q->record_size)
            return LF_TOO_LONG;
        if (levels[i] >= q->n_levels)
            return LF_INVALID;
    }
    while (done < count && status == LF_OK && (index = lf_priority_queue_reserve(q)) >= 0) {
        struct lf_slot *slot = lf_priority_queue_slot(q, (uint64_t)index);
        if (lengths != NULL)
            pitch = length = lengths[done];
        lf_copy(lf_slot_payload(slot), from, length);
        slot->length = (uint32_t)length;
        uint32_t line = lf__priority_tail(q, levels[done]);
        status = lf_queue_publish(&q->queues[1 + line], (uint64_t)index, q->h.participant);
        groups |= lf_levels_group(&q->levels, line);
        from += pitch;
        done++;
    }
    if (done > 0) {
        int announced = lf_levels_announce(&q->levels, groups); /* one change of W for all of them */
        lf_eventcount_notify_after_rmw(&q->body->not_empty, (uint32_t)done);
        if (LF_UNLIKELY(status != LF_OK || announced != LF_OK))
            return LF_CORRUPT;
    }
    return done > 0 || count == 0 || index == LF_FULL ? (int64_t)done : index;
}

/* Takes up to `count` records into rows of `pitch` >= record_size bytes, padded with zeros. `levels` and `lengths` (or
 * NULL) get those of each. Returns how many, or a negative status if none. */
LF_INLINE int64_t lf_priority_queue_get_many(struct lf_priority_queue *q, void *records, uint64_t pitch,
                                             uint32_t *lengths, uint32_t *levels, uint64_t count) {
    unsigned char *to = (unsigned char *)records;
    uint64_t done = 0, length = 0;
    int64_t index = 0;
    if (pitch < q->record_size)
        return LF_INVALID;
    while (done < count && (index = lf_priority_queue_peek(q, 0, &levels[done], &length)) >= 0) {
        lf_copy(to + done * pitch, lf_slot_payload(lf_priority_queue_slot(q, (uint64_t)index)), length);
        memset(to + done * pitch + length, 0, pitch - length);
        if (lengths != NULL)
            lengths[done] = (uint32_t)length;
        if (lf__priority_free(q, index) != LF_OK)
            return LF_CORRUPT;
        done++;
    }
    if (done > 0)
        lf__priority_freed(q, (uint32_t)done);
    return done > 0 || count == 0 || index == LF_EMPTY ? (int64_t)done : index;
}

/* Slots that a put can take. Exact while nobody else runs. */
LF_INLINE uint64_t lf_priority_queue_free_slots(const struct lf_priority_queue *q) {
    return lf_queue_size(&q->queues[LF__FREE]) + lf_spares_size(&q->spares);
}
/* Records inside, 0 to capacity. Exact while nobody else runs. */
LF_INLINE uint64_t lf_priority_queue_size(const struct lf_priority_queue *q) { return lf_levels_size(&q->levels); }

LF_INLINE void lf_priority_queue_close(struct lf_priority_queue *q) {
    struct lf_eventcount *const counts[] = {&q->body->not_empty, &q->body->not_full};
    lf_close(&q->h, counts, 2);
}
/* Ends the queue for everybody. Puts are refused from now on; gets when nothing is inside, or at once (`immediate`). */
LF_INLINE void lf_priority_queue_shutdown(struct lf_priority_queue *q, int immediate) {
    struct lf_eventcount *const counts[] = {&q->body->not_empty, &q->body->not_full};
    lf_shutdown(&q->h, immediate, counts, 2);
}

#endif
