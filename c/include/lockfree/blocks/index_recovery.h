/* index_recovery.h: building block: the indices in a dead participant's custody go on to where they were going.
 *
 * Contract: after lf_store_recover has answered 1, no index is in the custody of the dead participant.
 * Progress: bounded by the cells and slots, and by publications of others. One call does a piece of about half a
 *   millisecond; *cursor says where the next one begins.
 * Death: if the recovering participant dies, what it had taken over is in its own custody, and the next recovery goes on.
 * Layout and invariants: index_cells.h, index_queue.h. */
#ifndef LOCKFREE_INDEX_RECOVERY_H
#define LOCKFREE_INDEX_RECOVERY_H

#include "index_queue.h"

/* First part of a recovery, cell by cell: completes the custody words of what a dead participant took last from a cell. */
LF_INLINE void lf_queue_complete_custody_of(const struct lf_queue *q, uint64_t i, const struct lf_gone *gone) {
    uint64_t cell = lf__cell_at(q, i);
    uint32_t taker = lf__cell_taker(cell);
    if (taker != LF__NOBODY && lf_is_gone(gone, taker & LF_PARTICIPANT_MASK))
        lf__complete_custody(q, cell, (cell >> LF__POSITION_SHIFT & ~q->mask) | i); /* the position's low 42 bits */
}

/* Did an index whose custody says "coming at this position" arrive there? [I4] */
LF_INLINE int lf__arrived(const struct lf_queue *q, uint64_t index, uint64_t word) {
    uint64_t cell = lf__cell_at(q, word);
    return lf__cell_is_at(q, cell, word) && index - lf__cell_index(q, cell) < lf__cell_count(cell) &&
           lf__cell_taker(cell) != LF__NOBODY;
}

/* Second part, for one slot. The caller holds the byte of `gone`, whose lock orders all that the dead one did. If the
 * dead one had the index, it goes on to where it was going: a lease and an unfinished publication to the queue in its
 * custody word, everything else to queue `free_queue`. `queues` are indexed by id. Returns the id of the queue, or -1
 * if the dead one did not have it. */
LF_INLINE int lf_custody_recover(const struct lf_queue *queues, uint32_t n_queues, uint32_t free_queue, uint64_t index,
                                 const struct lf_gone *gone, uint32_t recoverer) {
    uint64_t *custody = lf__custody(queues[0].store, index);
    uint64_t word = lf_load_relaxed(custody);
    uint32_t queue = lf__custody_queue(word);
    if (!lf_is_gone(gone, lf__custody_taker(word) & LF_PARTICIPANT_MASK) || queue >= n_queues)
        return -1;
    if (!lf__is_held(word) && lf__arrived(&queues[queue], index, word))
        return -1;
    int owed = lf__is_held(word) ? (lf__custody_taker(word) & LF_LEASE) != 0 : queue != free_queue;
    /* The lease bit tells the next recoverer, if this one dies here, that the record must still be delivered. The
     * compare-and-swap is also the second look that [I4] needs. */
    if (!lf_cas_relaxed(custody, &word, lf__held(queue, word, recoverer | (owed ? LF_LEASE : 0))))
        return -1;
    uint32_t to = owed ? queue : free_queue;
    return lf_queue_publish(&queues[to], index, recoverer) == LF_OK ? (int)to : -1;
}

/* A recovery in pieces, for a container with `n_queues` queues over one store: the cells of all queues, then all slots.
 * *cursor counts both. Calls gave(context, queue) for each index that went to a queue. Returns 1 when all is done. */
LF_INLINE int lf_store_recover(const struct lf_queue *queues, uint32_t n_queues, uint32_t free_queue,
                               const struct lf_gone *gone, uint32_t recoverer, uint64_t *cursor,
                               void (*gave)(void *context, int queue), void *context) {
    uint64_t cells = queues[0].mask + 1, all_cells = cells * n_queues, end = all_cells + queues[0].store->slots;
    uint64_t steps = 0, began = lf_now(), at = *cursor;
    for (; at < all_cells; at++) {
        if (lf_piece_is_over(&steps, began))
            return *cursor = at, 0;
        lf_queue_complete_custody_of(&queues[at / cells], at % cells, gone);
    }
    for (; at < end; at++) {
        if (lf_piece_is_over(&steps, began))
            return *cursor = at, 0;
        int to = lf_custody_recover(queues, n_queues, free_queue, at - all_cells, gone, recoverer);
        if (to >= 0)
            gave(context, to);
    }
    return 1;
}

#endif
