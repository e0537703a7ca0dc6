/* index_queue.h: building block: lock-free FIFO queues of slot indices. Every index is always accounted for.
 *
 * Contract
 *   A store has `slots` indices and several queues. At any instant every index is in exactly one queue, or in the
 *   custody of exactly one participant. Shared memory says in which, also if any of them dies at any instruction.
 *   lf_queue_take takes the oldest index, or answers EMPTY. EMPTY is exact: at one instant of the call every index
 *   published before had been taken. lf_queue_publish appends an index that is in the caller's custody.
 * Progress: lock-free. Claim and publication are one compare-and-swap of a cell, so there is no state in which
 *   others have to wait for somebody.
 * Death: lf_custody_recover sends every index in a dead participant's custody on to where it was going.
 *
 * Layout
 *   cell    {position : 50 without its low bits, in their place the index | taker : 14}
 *           taker 0: the index is inside; else its taker: participant | LF_LEASE, or LF__NOBODY before first use.
 *           LF__WITHDRAWN: level_queues.h.
 *           The queue has `cells` cells, a power of two >= slots, so position and index share 50 bits.
 *           Neighbours are not side by side in memory (lf__cell_place).
 *   custody one word per slot {held : 1 | queue : 8 | participant and lease : 13 | position : 42}
 *           coming (held = 0): the participant is publishing at, or has published at, this position of this queue;
 *           held   (held = 1): the participant has the index; it took it from this position of this queue.
 * Invariants
 *   [I1] head and tail are hints: all positions below head are taken, all below tail are published. An operation walks
 *        on from the hint to the first position that is not. A thread that stops just before it moves a hint may set it
 *        back later. The next ones walk further then, one lap at most: a cell of a later round tells how far to go.
 *   [I2] a cell changes: round r inside -> round r taken -> round r+1 inside; never anything else.
 *   [I3] before a cell taken by t leaves round r, the custody word of its index no longer says "coming at that
 *        position": the next user of the cell first writes "held by t" for a slower taker (helping).
 *   [I4] so a custody word that still says "coming at P" after a later round was seen at P's cell proves that the
 *        index was never published at P.
 * Linearization points: publish and take: their successful compare-and-swap of the cell; EMPTY: the load of the cell.
 *   Both compare-and-swaps are sequentially consistent, so that the caller may wake waiters without a fence
 *   (lf_eventcount_notify_after_rmw).
 * Wrap: positions count modulo 2^50 in cells and 2^42 in custody words. A mistake needs a thread that stops between
 *   its load and its compare-and-swap for exactly a multiple of that many operations on one queue.
 * Sources: NCQ and SCQ (Nikolaev, DISC 2019) for the cell that carries its cycle, and for where it stands; recording
 *   the taker in the same atomic step, and helping to complete the record, after detectable objects (Attiya,
 *   Ben-Baruch, Hendler, PODC 2018). */
#ifndef LOCKFREE_INDEX_QUEUE_H
#define LOCKFREE_INDEX_QUEUE_H

#include "participants.h"

#define LF_LEASE (1u << LF_PARTICIPANT_BITS) /* beside the participant: if the taker dies, give it to somebody else */
#define LF__TAKER ((LF_LEASE << 1) - 1)
#define LF__WITHDRAWN (LF_LEASE << 1) /* beside the taker: the record was withdrawn before (level_queues.h) */
#define LF__TAKER_BITS (LF_PARTICIPANT_BITS + 2)
#define LF__TAKER_MASK ((1u << LF__TAKER_BITS) - 1)
#define LF__NOBODY (LF__WITHDRAWN | LF_LEASE) /* no participant has the number 0 */
#define LF__CUSTODY_BITS 42                   /* of position; the taker stands above */
#define LF__CUSTODY_POSITION ((UINT64_C(1) << LF__CUSTODY_BITS) - 1)
LF_STATIC_ASSERT(1 + 8 + LF_PARTICIPANT_BITS + 1 + LF__CUSTODY_BITS == 64, "a custody word fills 64 bits");

struct lf_queue_ends {
    LF_ALIGNED uint64_t head; /* line 0: takers */
    LF_ALIGNED uint64_t tail; /* line 1: publishers */
};
LF_STATIC_ASSERT(sizeof(struct lf_queue_ends) == 2 * LF_CACHE_LINE, "layout");

/* Process-local views. Nothing in them is read from shared memory after attach. */
struct lf_store {
    unsigned char *custody; /* the first custody word */
    uint64_t stride;        /* bytes from one custody word to the next */
    uint64_t slots;
};

struct lf_queue {
    struct lf_queue_ends *ends;
    uint64_t *cells;
    uint64_t mask;
    uint32_t left, right; /* see lf__cell_place */
    uint32_t id;          /* 0..255: names this queue in custody words */
    const struct lf_store *store;
};

/* What an index stands for in the containers of records. */
struct lf_slot {
    uint64_t custody;
    uint32_t length;
    uint32_t unused; /* the payload follows, aligned to 16 */
};
LF_STATIC_ASSERT(sizeof(struct lf_slot) == 16, "layout");
#define LF_MAX_RECORD (UINT64_C(1) << 31)

/* Slots of up to 64 bytes do not straddle lines; the record of a longer one, if it fits, has a line of its own. */
LF_INLINE uint64_t lf_slot_stride(uint64_t record_size) {
    uint64_t bytes = sizeof(struct lf_slot) + record_size;
    return bytes <= 64 ? lf_round_up_pow2(bytes) : lf_round_up(bytes, 64);
}
/* Bytes before the first slot, so that the payload of one record of 49..64 bytes begins with a line. */
LF_INLINE uint64_t lf_slot_lead(uint64_t record_size) {
    return record_size > 64 - sizeof(struct lf_slot) && record_size <= 64 ? 64 - sizeof(struct lf_slot) : 0;
}
LF_INLINE unsigned char *lf_slot_payload(struct lf_slot *slot) { return (unsigned char *)(slot + 1); }

enum { LF__FREE = 0 }; /* the id of the queue of free slots, in every container */

/* A publication or a take took effect at this position of the queue `id`. Recorders of histories keep it: it orders the
 * calls. */
#ifndef LF_AT_POSITION
#define LF_AT_POSITION(id, position) ((void)0)
#endif

#ifndef LF_LEAST_CELLS
#define LF_LEAST_CELLS 16u /* a line's worth, so that positions wrap late; the model checker takes fewer */
#endif

/* Cells per queue for a store of that many slots. */
LF_INLINE uint64_t lf_queue_cells(uint64_t slots) {
    return lf_round_up_pow2(slots < LF_LEAST_CELLS ? LF_LEAST_CELLS : slots);
}
LF_INLINE uint64_t lf_cells_bytes(uint64_t cells) {
    return lf_round_up(sizeof(struct lf_queue_ends) + 8 * cells, LF_CACHE_LINE);
}
LF_INLINE uint64_t lf_queue_bytes(uint64_t slots) { return lf_cells_bytes(lf_queue_cells(slots)); }

/* Where a position's cell is. Neighbours stand on different lines, as in SCQ: the thread at position p does not take the line
 * away from the one at p + 1. The position's low bits are turned by three, which is a line of 8 cells. */
#define LF__CELLS_OF_A_LINE 8u
LF_INLINE uint64_t *lf__cell_place(const struct lf_queue *q, uint64_t position) {
    uint64_t low = position & q->mask;
    return &q->cells[(low << q->left | low >> q->right) & q->mask];
}

/* `cells`: a power of two >= the store's slots. */
LF_INLINE void lf_queue_view_cells(struct lf_queue *q, const struct lf_store *store, uint32_t id, void *memory,
                                   uint64_t cells) {
    q->ends = (struct lf_queue_ends *)memory;
    q->cells = (uint64_t *)(void *)((unsigned char *)memory + sizeof(struct lf_queue_ends));
    q->mask = cells - 1;
    q->left = cells > LF__CELLS_OF_A_LINE ? 3 : 0;
    q->right = cells > LF__CELLS_OF_A_LINE ? (uint32_t)__builtin_ctzll(cells) - 3 : 0;
    q->id = id;
    q->store = store;
}
LF_INLINE void lf_queue_view(struct lf_queue *q, const struct lf_store *store, uint32_t id, void *memory) {
    lf_queue_view_cells(q, store, id, memory, lf_queue_cells(store->slots));
}

LF_INLINE uint64_t *lf__custody(const struct lf_store *store, uint64_t index) {
    return (uint64_t *)(void *)(store->custody + index * store->stride);
}

LF_INLINE uint64_t lf__cell(const struct lf_queue *q, uint64_t position, uint64_t index, uint32_t taker) {
    return ((position & ~q->mask) | index) << LF__TAKER_BITS | taker;
}
LF_INLINE uint64_t lf__cell_index(const struct lf_queue *q, uint64_t cell) { return cell >> LF__TAKER_BITS & q->mask; }
LF_INLINE uint32_t lf__cell_taker(uint64_t cell) { return (uint32_t)cell & LF__TAKER_MASK; }
LF_INLINE int lf__cell_is_at(const struct lf_queue *q, uint64_t cell, uint64_t position) {
    return ((cell ^ position << LF__TAKER_BITS) & ~(q->mask << LF__TAKER_BITS | LF__TAKER_MASK)) == 0;
}

LF_INLINE uint64_t lf__coming(uint32_t queue, uint64_t position, uint32_t participant) {
    return (uint64_t)queue << 55 | (uint64_t)participant << LF__CUSTODY_BITS | (position & LF__CUSTODY_POSITION);
}
LF_INLINE uint64_t lf__held(uint32_t queue, uint64_t position, uint32_t taker) {
    return UINT64_C(1) << 63 | lf__coming(queue, position, taker & LF__TAKER);
}
LF_INLINE int lf__is_held(uint64_t word) { return word >> 63 != 0; }
LF_INLINE uint32_t lf__custody_queue(uint64_t word) { return (uint32_t)(word >> 55) & 0xffu; }
LF_INLINE uint32_t lf__custody_taker(uint64_t word) { return (uint32_t)(word >> LF__CUSTODY_BITS) & LF__TAKER; }
LF_INLINE int lf__is_coming_at(uint64_t word, uint32_t queue, uint64_t position) {
    return ((word ^ lf__coming(queue, position, 0)) & ~((uint64_t)LF__TAKER << LF__CUSTODY_BITS)) == 0;
}

/* Lays the queue out with indices first..first+count-1 inside, positions beginning at `start`. */
LF_INLINE void lf_queue_init(struct lf_queue *q, uint64_t start, uint64_t count) {
    for (uint64_t i = 0; i <= q->mask; i++) {
        uint64_t position = start + i;
        uint64_t *cell = lf__cell_place(q, position);
        if (i < count) {
            *cell = lf__cell(q, position, i, 0);
            *lf__custody(q->store, i) = lf__coming(q->id, position, 0);
        } else {
            *cell = lf__cell(q, position - q->mask - 1, 0, LF__NOBODY);
        }
    }
    q->ends->head = start;
    q->ends->tail = start + count;
}

/* [I3]: writes into the custody word who holds the index of a taken cell, unless that is written already. */
LF_INLINE int lf__complete_custody(const struct lf_queue *q, uint64_t cell, uint64_t position) {
    uint32_t taker = lf__cell_taker(cell);
    uint64_t index = lf__cell_index(q, cell);
    if (taker == LF__NOBODY)
        return LF_OK;
    if (LF_UNLIKELY(index >= q->store->slots))
        return LF_CORRUPT;
    uint64_t *custody = lf__custody(q->store, index);
    uint64_t word = lf_load_relaxed(custody); /* not older than the cell, which was read with acquire [Q5] */
    if (lf__is_coming_at(word, q->id, position))
        lf_cas_relaxed(custody, &word,
                       lf__held((taker & LF__WITHDRAWN) != 0 ? (uint32_t)LF__FREE : q->id, position, taker));
    return LF_OK;
}

/* [Q5] pairs with [Q6]: the record and its custody are readable; and so is what the cell's changes rest on. */
LF_INLINE uint64_t lf__cell_at(const struct lf_queue *q, uint64_t position) {
    return lf_load_acquire(lf__cell_place(q, position));
}

/* How far the cell's position is ahead of `position`, which has the same place: a multiple of the number of cells. */
LF_INLINE int64_t lf__cell_ahead(const struct lf_queue *q, uint64_t cell, uint64_t position) {
    uint64_t rounds = (cell & ~(q->mask << LF__TAKER_BITS)) >> LF__TAKER_BITS;
    return (int64_t)((rounds - (position & ~q->mask)) << LF__TAKER_BITS) >> LF__TAKER_BITS;
}

#define LF__FAR (UINT64_C(1) << 48) /* nobody walks so far, unless the cells hold what cannot be */

/* The first position from `position` on that is not published, and its cell. */
LF_INLINE uint64_t lf__walk_to_tail(const struct lf_queue *q, uint64_t position, uint64_t *cell) {
    uint64_t from = position;
    while (position - from < LF__FAR) {
        *cell = lf__cell_at(q, position);
        int64_t ahead = lf__cell_ahead(q, *cell, position);
        if (ahead < 0)
            break;
        position += (uint64_t)ahead + 1; /* a later round: all below its position is published */
    }
    return position;
}

/* The first position from `position` on that is not taken, and its cell: inside, or not published yet. */
LF_INLINE uint64_t lf__walk_to_head(const struct lf_queue *q, uint64_t position, uint64_t *cell) {
    uint64_t from = position;
    while (position - from < LF__FAR) {
        *cell = lf__cell_at(q, position);
        int64_t ahead = lf__cell_ahead(q, *cell, position);
        if (ahead < 0 || (ahead == 0 && lf__cell_taker(*cell) == 0))
            break;
        position += ahead == 0 ? 1 : (uint64_t)ahead - q->mask; /* a later round: the one before it is taken */
    }
    return position;
}

/* Was the cell taken in the round before `position`, so that this position is the next to be published? */
LF_INLINE int lf__cell_is_next(const struct lf_queue *q, uint64_t cell, uint64_t position) {
    uint32_t taker = lf__cell_taker(cell);
    return lf__cell_is_at(q, cell, position - q->mask - 1) && taker != 0 && taker != LF__WITHDRAWN;
}

/* [Q4] release; pairs with [Q3]: a thread that sees the end moved also sees the cells that it moved past. */
LF_INLINE void lf__move_end(uint64_t *end, uint64_t position) {
    if ((int64_t)(position - lf_load_relaxed(end)) > 0)
        lf_store_release(end, position);
}

LF_INLINE int lf__is_inside(const struct lf_queue *q, uint64_t position) {
    uint64_t cell = lf__cell_at(q, position);
    return lf__cell_is_at(q, cell, position) && lf__cell_taker(cell) == 0;
}

/* Appends an index in the caller's custody, at *position, unless `bound` are inside (0: no bound; at most `slots`): LF_FULL
 * then, and it is in custody still. Positions are published and taken in turn. So while the one `bound` before the next is
 * inside, so are all between them; and once it was taken, the next may be published, whatever the others do.
 * LF_CORRUPT if shared memory holds what this library cannot have written. */
LF_INLINE int lf_queue_publish_at(const struct lf_queue *q, uint64_t index, uint32_t participant, uint64_t bound,
                                  uint64_t *position) {
    uint64_t cell = 0, tail = lf_load_acquire(&q->ends->tail); /* [Q3] pairs with [Q4]: all below is published */
    for (;;) {
        tail = lf__walk_to_tail(q, tail, &cell);
        /* The caller's index is not inside, so the position a lap ago was taken, and the caller can see that. */
        if (LF_UNLIKELY(!lf__cell_is_next(q, cell, tail) || lf__complete_custody(q, cell, tail - q->mask - 1) != LF_OK))
            return LF_CORRUPT;
        if (bound != 0 && LF_UNLIKELY(lf__is_inside(q, tail - bound)))
            return LF_FULL;
        lf_store_relaxed(lf__custody(q->store, index), lf__coming(q->id, tail, participant));
        /* [Q6] release; pairs with [Q5]: the record, its custody word, and that of the index that was here before.
         * [E2] seq_cst; pairs with [E1]: the caller looks for waiters next. */
        if (lf_cas_seq_cst(lf__cell_place(q, tail), &cell, lf__cell(q, tail, index, 0))) {
            lf__move_end(&q->ends->tail, tail + 1);
            LF_AT_POSITION(q->id, tail);
            *position = tail;
            return LF_OK;
        }
    }
}
LF_INLINE int lf_queue_publish_within(const struct lf_queue *q, uint64_t index, uint32_t participant, uint64_t bound) {
    uint64_t position;
    return lf_queue_publish_at(q, index, participant, bound, &position);
}

LF_INLINE int lf_queue_publish(const struct lf_queue *q, uint64_t index, uint32_t participant) {
    return lf_queue_publish_within(q, index, participant, 0);
}

/* How many positions were published so far; and how many were taken. Both only grow. Exact at one instant of the call. */
LF_INLINE uint64_t lf_queue_published(const struct lf_queue *q) {
    uint64_t cell = 0;
    return lf__walk_to_tail(q, lf_load_acquire(&q->ends->tail), &cell); /* [Q3] pairs with [Q4] */
}
LF_INLINE uint64_t lf_queue_taken(const struct lf_queue *q) {
    uint64_t cell = 0;
    return lf__walk_to_head(q, lf_load_acquire(&q->ends->head), &cell); /* [Q3] pairs with [Q4] */
}

/* Takes the oldest index into the custody of `taker` (participant, with LF_LEASE or without). Returns the index >= 0,
 * LF_EMPTY or LF_CORRUPT. */
LF_INLINE int64_t lf_queue_take(const struct lf_queue *q, uint32_t taker) {
    uint64_t cell = 0, head = lf_load_acquire(&q->ends->head); /* [Q3] pairs with [Q4]: all below is taken */
    for (;;) {
        head = lf__walk_to_head(q, head, &cell);
        if (LF_UNLIKELY(!lf__cell_is_at(q, cell, head))) { /* else inside */
            lf__move_end(&q->ends->head, head);
            /* Position `head` was unpublished when the cell was read, so nothing was inside. */
            return lf__cell_is_next(q, cell, head) ? LF_EMPTY : LF_CORRUPT;
        }
        uint64_t index = lf__cell_index(q, cell);
        if (LF_UNLIKELY(index >= q->store->slots || lf__cell_taker(cell) != 0))
            return LF_CORRUPT;
        /* Publishes nothing of ours, and what the publisher released was acquired at [Q5].
         * [D2] pairs with [D1]: a put that takes a slot sees that the object is ending, or the one that ends it
         * sees the slot out (lf_queue_is_whole). */
        if (lf_cas_seq_cst(lf__cell_place(q, head), &cell, cell | taker)) {
            lf__move_end(&q->ends->head, head + 1);
            LF_AT_POSITION(q->id, head);
            return (int64_t)index;
        }
    }
}

/* How many are inside. Exact while nobody else runs, else a value near the truth during the call. */
LF_INLINE uint64_t lf_queue_size(const struct lf_queue *q) {
    uint64_t cell = 0, head = lf__walk_to_head(q, lf_load_relaxed(&q->ends->head), &cell);
    uint64_t tail = lf__walk_to_tail(q, lf_load_relaxed(&q->ends->tail), &cell);
    int64_t size = (int64_t)(tail - head);
    if (size < 0)
        return 0;
    return (uint64_t)size > q->store->slots ? q->store->slots : (uint64_t)size;
}

/* Were all slots inside this queue at one instant of the call? No may be wrong while others take and publish. */
LF_INLINE int lf_queue_is_whole(const struct lf_queue *q) {
    uint64_t cell = 0, tail = lf__walk_to_tail(q, lf_load_acquire(&q->ends->tail), &cell); /* [Q3] */
    /* Takes go by position: while the first is inside, so are the others. [D3] pairs with [D2]. */
    uint64_t head = tail - q->store->slots, first = lf_load_seq_cst(lf__cell_place(q, head));
    return lf__cell_is_at(q, first, head) && lf__cell_taker(first) == 0;
}

/* First part of a recovery, cell by cell: completes the custody word of a cell that a dead participant has taken. */
LF_INLINE void lf_queue_complete_custody_of(const struct lf_queue *q, uint64_t i, const struct lf_gone *gone) {
    uint64_t cell = lf__cell_at(q, i);
    uint32_t taker = lf__cell_taker(cell);
    if (taker != LF__NOBODY && lf_is_gone(gone, taker & LF_PARTICIPANT_MASK))
        lf__complete_custody(q, cell, (cell >> LF__TAKER_BITS & ~q->mask) | i); /* the position's low 50 bits */
}

/* Did an index whose custody says "coming at this position" arrive there? [I4] */
LF_INLINE int lf__arrived(const struct lf_queue *q, uint64_t index, uint64_t word) {
    uint64_t cell = lf__cell_at(q, word);
    uint64_t round_bits = LF__CUSTODY_POSITION & ~q->mask;
    return ((cell >> LF__TAKER_BITS ^ word) & round_bits) == 0 && lf__cell_index(q, cell) == index &&
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
