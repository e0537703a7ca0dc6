/* index_queue.h: building block: lock-free FIFO queues of slot indices. Every index is always accounted for.
 *
 * Contract
 *   A store has `slots` indices and several queues. At any instant every index is in exactly one queue, or in the
 *   custody of exactly one participant. Shared memory says in which, also if any of them dies at any instruction.
 *   lf_queue_take takes the oldest index, or answers EMPTY. EMPTY is exact: at one instant of the call every index
 *   published before had been taken. lf_queue_publish appends an index that is in the caller's custody.
 *   lf_queue_publish_run does so with neighbouring indices, in one step but for the laps of [I6]. lf_queue_take_run takes
 *   the oldest ones that are neighbours, in one step, as far as they were published in one.
 * Progress: lock-free. Claim and publication are one compare-and-swap of a cell, so there is no state in which
 *   others have to wait for somebody.
 * Death: lf_custody_recover (index_recovery.h) sends every index in a dead participant's custody on to where it was going.
 *
 * Layout: index_cells.h
 * Invariants
 *   [I1] head and tail are hints. Both are positions at which a run begins, or will. All positions below head are taken, all
 *        below tail are published. An operation walks on from the hint to the first run that is not. A thread that stops
 *        just before it moves a hint may set it back later. The next ones walk further then, one lap at most: a cell of a
 *        later round tells how far to go.
 *   [I2] a cell changes: a run inside -> partly taken -> taken -> a run of a later round inside; never anything else.
 *   [I3] before a cell from which t has taken changes again, the custody words of what t took there no longer say
 *        "coming at that position": the next thread that changes it first writes "held by t" for a slower taker (helping).
 *   [I4] so a custody word that still says "coming at P" after a later round was seen at P's cell proves that the
 *        index was never published at P.
 *   [I5] inside and in custody are `slots` indices together, and the run at the head has begun less than a run before it. So
 *        while a caller has an index, all of the cell at the tail was taken.
 *   [I6] every cell has changed in the last LF__RENEWAL + cells positions.
 * Linearization points: publish and take: their successful compare-and-swap of the cell; EMPTY: the load of the cell.
 *   Both compare-and-swaps are sequentially consistent, so that the caller may wake waiters without a fence
 *   (lf_eventcount_notify_after_rmw).
 * Wrap: positions count modulo 2^42. A mistake needs a thread that stops between its load and its compare-and-swap for
 *   exactly a multiple of that many operations on one queue. Runs that always begin at the same places would leave the cells
 *   between them as they are; after half of 2^42 positions an old cell would look like one of a later round. So one lap in
 *   LF__RENEWAL positions is published index by index [I6].
 * Sources: NCQ and SCQ (Nikolaev, DISC 2019) for the cell that carries its cycle, and for where it stands; recording
 *   the taker in the same atomic step, and helping to complete the record, after detectable objects (Attiya,
 *   Ben-Baruch, Hendler, PODC 2018). Runs are our own. */
#ifndef LOCKFREE_INDEX_QUEUE_H
#define LOCKFREE_INDEX_QUEUE_H

#include "index_cells.h"

/* A publication or a take took effect at this position of the queue `id`. Recorders of histories keep it: it orders the
 * calls. */
#ifndef LF_AT_POSITION
#define LF_AT_POSITION(id, position) ((void)0)
#endif

/* ---- where the ends are ---- */

/* [Q5] pairs with [Q6]: the record and its custody are readable; and so is what the cell's changes rest on. */
LF_INLINE uint64_t lf__cell_at(const struct lf_queue *q, uint64_t position) {
    return lf_load_acquire(lf__cell_place(q, position));
}

#define LF__FAR (UINT64_C(1) << 40) /* nobody walks so far, unless the cells hold what cannot be */

/* The first position from `position` on that is not published, and its cell. */
LF_INLINE uint64_t lf__walk_to_tail(const struct lf_queue *q, uint64_t position, uint64_t *cell) {
    uint64_t from = position;
    for (;;) {
        *cell = lf__cell_at(q, position);
        int64_t ahead = lf__cell_ahead(q, *cell, position);
        if (ahead < 0 || LF_UNLIKELY(position - from >= LF__FAR))
            return position;
        position += (uint64_t)ahead + lf__cell_count(*cell); /* a later round: all below its position is published */
    }
}

/* The first run from `position` on that is not all taken: where it begins, and its cell. Inside, or not published yet. */
LF_INLINE uint64_t lf__walk_to_head(const struct lf_queue *q, uint64_t position, uint64_t *cell) {
    uint64_t from = position, begins = position; /* a run begins here, or will */
    for (;;) {
        *cell = lf__cell_at(q, position);
        int64_t ahead = lf__cell_ahead(q, *cell, position);
        if ((ahead == 0 ? !lf__cell_is_spent(*cell) : ahead < 0 && (int64_t)(position - begins) >= 0) ||
            LF_UNLIKELY(position - from >= LF__FAR))
            return position;
        if (LF_UNLIKELY(ahead > 0)) { /* a later round: all that is a lap below its end is taken [I5] */
            begins = position + (uint64_t)ahead + lf__cell_count(*cell);
            position = begins - q->mask - 1;
        } else { /* taken; or, until `begins`, the middle of a run */
            position += ahead == 0 ? lf__cell_count(*cell) : 1;
        }
    }
}

/* Was all of the cell taken in a round before `position`, so that this position can be the next to be published? */
LF_INLINE int lf__cell_is_next(const struct lf_queue *q, uint64_t cell, uint64_t position) {
    return lf__cell_ahead(q, cell, position) < 0 && lf__cell_is_spent(cell) && lf__cell_taker(cell) != LF__WITHDRAWN;
}

/* [Q4] release; pairs with [Q3]: a thread that sees the end moved also sees the cells that it moved past. */
LF_INLINE void lf__move_end(uint64_t *end, uint64_t position) {
    if ((int64_t)(position - lf_load_relaxed(end)) > 0)
        lf_store_release(end, position);
}

/* For queues without runs. */
LF_INLINE int lf__is_inside(const struct lf_queue *q, uint64_t position) {
    uint64_t cell = lf__cell_at(q, position);
    return lf__cell_is_at(q, cell, position) && lf__cell_taker(cell) == 0;
}

/* ---- publishing ---- */

#define LF__RENEWAL (UINT64_C(1) << 36)
LF_STATIC_ASSERT(2 * LF__RENEWAL < LF__CUSTODY_POSITION / 2, "a cell that nobody renewed is still seen to be old");

/* How many of `count` indices may be published together at this position: one in the last lap before a multiple of
 * LF__RENEWAL, and no run reaches into that lap [I6]. */
LF_INLINE uint64_t lf__run_at(const struct lf_queue *q, uint64_t position, uint64_t count) {
    uint64_t behind = ~position & (LF__RENEWAL - 1), longest = behind > q->mask ? behind - q->mask : 1;
    return count == 1 || count < longest ? count : longest;
}

/* Appends `wanted` neighbouring indices in the caller's custody, the last ones at *position, unless `bound` are inside
 * (0: no bound; at most `slots`, and only in queues without runs): LF_FULL then, and they are in custody still. Positions
 * are published and taken in turn. So while the one `bound` before the next is inside, so are all between them; and once
 * it was taken, the next may be published, whatever the others do.
 * LF_CORRUPT if shared memory holds what this library cannot have written. */
static inline __attribute__((always_inline, unused)) int lf__queue_append(const struct lf_queue *q, uint64_t index,
                                                                          uint64_t wanted, uint32_t participant,
                                                                          uint64_t bound, uint64_t *position) {
    uint64_t cell = 0, tail = lf_load_acquire(&q->ends->tail); /* [Q3] pairs with [Q4]: all below is published */
    for (;;) {
        tail = lf__walk_to_tail(q, tail, &cell);
        uint64_t before = tail + (uint64_t)lf__cell_ahead(q, cell, tail); /* where the cell was used last */
        if (LF_UNLIKELY(!lf__cell_is_next(q, cell, tail) || lf__complete_custody(q, cell, before) != LF_OK)) /* [I5] */
            return LF_CORRUPT;
        if (bound != 0 && LF_UNLIKELY(lf__is_inside(q, tail - bound)))
            return LF_FULL;
        uint64_t count = lf__run_at(q, tail, wanted);
        for (uint64_t i = 0; i < count; i++)
            lf_store_relaxed(lf__custody(q->store, index + i), lf__coming(q->id, tail, participant));
        /* [Q6] release; pairs with [Q5]: the records, their custody words, and those of what was here before.
         * [E2] seq_cst; pairs with [E1]: the caller looks for waiters next. */
        if (lf_cas_seq_cst(lf__cell_place(q, tail), &cell, lf__cell(q, tail, index, count, 0))) {
            lf__move_end(&q->ends->tail, tail + count);
            for (uint64_t i = 0; i < count; i++)
                LF_AT_POSITION(q->id, tail + i);
            *position = tail;
            if (LF_LIKELY(count == wanted))
                return LF_OK;
            index += count, wanted -= count, tail += count;
        }
    }
}
static __attribute__((noinline, unused)) int lf_queue_publish_at(const struct lf_queue *q, uint64_t index,
                                                                 uint32_t participant, uint64_t bound,
                                                                 uint64_t *position) {
    return lf__queue_append(q, index, 1, participant, bound, position);
}
LF_INLINE int lf_queue_publish_within(const struct lf_queue *q, uint64_t index, uint32_t participant, uint64_t bound) {
    uint64_t position;
    return lf_queue_publish_at(q, index, participant, bound, &position);
}
static __attribute__((noinline, unused)) int lf_queue_publish(const struct lf_queue *q, uint64_t index,
                                                              uint32_t participant) {
    uint64_t position;
    return lf__queue_append(q, index, 1, participant, 0, &position);
}
/* index..index+count-1; count is 1..q->run. */
static __attribute__((noinline, unused)) int lf_queue_publish_run(const struct lf_queue *q, uint64_t index,
                                                                  uint64_t count, uint32_t participant) {
    uint64_t position;
    return lf__queue_append(q, index, count, participant, 0, &position);
}

/* ---- taking ---- */

/* Takes the oldest indices into the custody of `taker` (participant, with LF_LEASE or without), `most` of them or fewer, as
 * far as they are neighbours that were published together. Returns the first index >= 0, and *count; or LF_EMPTY, or
 * LF_CORRUPT. */
LF_INLINE int64_t lf_queue_take_run(const struct lf_queue *q, uint32_t taker, uint64_t most, uint64_t *count) {
    uint64_t cell = 0, head = lf_load_acquire(&q->ends->head); /* [Q3] pairs with [Q4]: all below is taken */
    for (;;) {
        head = lf__walk_to_head(q, head, &cell);
        if (LF_UNLIKELY(!lf__cell_is_at(q, cell, head))) { /* else inside */
            lf__move_end(&q->ends->head, head);
            /* Position `head` was unpublished when the cell was read, so nothing was inside. */
            return lf__cell_is_next(q, cell, head) ? LF_EMPTY : LF_CORRUPT;
        }
        uint64_t index = lf__cell_index(q, cell), all = lf__cell_count(cell), taken = lf__cell_taken(cell);
        if (LF_UNLIKELY(index + all > q->store->slots || taken >= all))
            return LF_CORRUPT;
        if (LF_UNLIKELY(taken != 0))
            lf__complete_custody(q, cell, head);
        *count = all - taken < most ? all - taken : most;
        /* [Q6] release; pairs with [Q5]: the custody words of what was taken before. What the publisher released was
         * acquired at [Q5].
         * [D2] pairs with [D1]: a put that takes a slot sees that the object is ending, or the one that ends it
         * sees the slot out (lf_queue_is_whole). */
        if (lf_cas_seq_cst(lf__cell_place(q, head), &cell, lf__cell_after(cell, taken + *count, taker))) {
            if (taken + *count == all)
                lf__move_end(&q->ends->head, head + all);
            for (uint64_t i = 0; i < *count; i++)
                LF_AT_POSITION(q->id, head + taken + i);
            return (int64_t)(index + taken);
        }
    }
}
LF_INLINE int64_t lf_queue_take(const struct lf_queue *q, uint32_t taker) {
    uint64_t count;
    return lf_queue_take_run(q, taker, 1, &count);
}

/* ---- counting ---- */

/* The first position that is not taken, from a hint on. */
LF_INLINE uint64_t lf__first_inside(const struct lf_queue *q, uint64_t hint) {
    uint64_t cell = 0, head = lf__walk_to_head(q, hint, &cell);
    return head + (lf__cell_is_at(q, cell, head) ? lf__cell_taken(cell) : 0);
}

/* How many positions were published so far; and how many were taken. Both only grow. Exact at one instant of the call. */
LF_INLINE uint64_t lf_queue_published(const struct lf_queue *q) {
    uint64_t cell = 0;
    return lf__walk_to_tail(q, lf_load_acquire(&q->ends->tail), &cell); /* [Q3] pairs with [Q4] */
}
LF_INLINE uint64_t lf_queue_taken(const struct lf_queue *q) {
    return lf__first_inside(q, lf_load_acquire(&q->ends->head)); /* [Q3] pairs with [Q4] */
}

/* How many are inside. Exact while nobody else runs, else a value near the truth during the call. */
LF_INLINE uint64_t lf_queue_size(const struct lf_queue *q) {
    uint64_t cell = 0, head = lf__first_inside(q, lf_load_relaxed(&q->ends->head));
    uint64_t tail = lf__walk_to_tail(q, lf_load_relaxed(&q->ends->tail), &cell);
    int64_t size = (int64_t)(tail - head);
    if (size < 0)
        return 0;
    return (uint64_t)size > q->store->slots ? q->store->slots : (uint64_t)size;
}
/* Are `n` indices inside, 1 to `slots`? No is exact: at one instant of the call fewer were. For queues without runs. */
LF_INLINE int lf_queue_has(const struct lf_queue *q, uint64_t n) {
    uint64_t last = lf_queue_taken(q) + n - 1; /* all before the first of them is taken, for good */
    return lf__cell_ahead(q, lf__cell_at(q, last), last) >= 0;
}

/* Were all slots inside this queue at one instant of the call? No may be wrong while others take and publish. */
LF_INLINE int lf_queue_is_whole(const struct lf_queue *q) {
    uint64_t cell = 0, tail = lf__walk_to_tail(q, lf_load_acquire(&q->ends->tail), &cell); /* [Q3] */
    uint64_t head = lf__walk_to_head(q, lf_load_acquire(&q->ends->head), &cell);           /* [Q3] */
    /* Takes go by position: while the first is inside, so are the others. [D3] pairs with [D2]. */
    uint64_t first = lf_load_seq_cst(lf__cell_place(q, head));
    return lf__cell_is_at(q, first, head) && !lf__cell_is_spent(first) &&
           head + lf__cell_taken(first) == tail - q->store->slots;
}

#endif
