/* index_cells.h: building block: the cells and the custody words of queues of slot indices (index_queue.h).
 *
 * Contract: a cell says what is published at its position, and who has taken how much of it. A custody word says where its
 *   index is going, or who has it. lf__complete_custody brings the second into line with the first (helping).
 * Progress: wait-free.
 * Death: what a thread has not written into custody words when it dies, others write.
 *
 * Layout
 *   cell    {position : 42 without its low bits, in their place the first index | count - 1 : 4 | taken : 4 | taker : 14}
 *           A run: `count` neighbouring indices, at as many positions. The positions behind the first one have no cell in
 *           this round. Taker 0: all of them are inside, and `taken` is 0. Else `taken` + 1 of them were taken, the last
 *           ones by this taker: participant | LF_LEASE, or LF__NOBODY before first use.
 *           LF__WITHDRAWN: level_queues.h.
 *           The queue has `cells` cells, a power of two >= slots, so position and index share 42 bits. A run keeps its cell
 *           until all of it is taken. So it has at most cells - slots + 1 indices.
 *           Neighbours are not side by side in memory (lf__cell_place).
 *   custody one word per slot {held : 1 | queue : 8 | participant and lease : 13 | position : 42}
 *           coming (held = 0): the participant is publishing at, or has published at, this position of this queue;
 *           held   (held = 1): the participant has the index; it took it from this position of this queue.
 *           The position is the first one of the run.
 * Invariants: index_queue.h. */
#ifndef LOCKFREE_INDEX_CELLS_H
#define LOCKFREE_INDEX_CELLS_H

#include "participants.h"

#define LF_LEASE (1u << LF_PARTICIPANT_BITS) /* beside the participant: if the taker dies, give it to somebody else */
#define LF__TAKER ((LF_LEASE << 1) - 1)
#define LF__WITHDRAWN (LF_LEASE << 1) /* beside the taker: the record was withdrawn before (level_queues.h) */
#define LF__TAKER_BITS (LF_PARTICIPANT_BITS + 2)
#define LF__TAKER_MASK ((1u << LF__TAKER_BITS) - 1)
#define LF__NOBODY (LF__WITHDRAWN | LF_LEASE) /* no participant has the number 0 */
#define LF__RUN_BITS 4
#define LF__RUN_MASK ((1u << LF__RUN_BITS) - 1)
#define LF__TAKEN_SHIFT LF__TAKER_BITS
#define LF__COUNT_SHIFT (LF__TAKEN_SHIFT + LF__RUN_BITS)
#define LF__POSITION_SHIFT (LF__COUNT_SHIFT + LF__RUN_BITS)
#define LF__CUSTODY_BITS 42 /* of position; the taker stands above */
#define LF__CUSTODY_POSITION ((UINT64_C(1) << LF__CUSTODY_BITS) - 1)
LF_STATIC_ASSERT(1 + 8 + LF_PARTICIPANT_BITS + 1 + LF__CUSTODY_BITS == 64, "a custody word fills 64 bits");
LF_STATIC_ASSERT(LF__POSITION_SHIFT + LF__CUSTODY_BITS == 64, "a cell and a custody word have the same positions");

#ifndef LF_QUEUE_RUN
#ifdef LF_MODEL
#define LF_QUEUE_RUN 1u /* clients that explore runs take more */
#else
#define LF_QUEUE_RUN (1u << LF__RUN_BITS) /* the longest run */
#endif
#endif

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
    uint32_t run;         /* so many indices has the longest run */
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
    q->run = cells - store->slots < LF_QUEUE_RUN ? (uint32_t)(cells - store->slots) + 1 : LF_QUEUE_RUN;
    q->id = id;
    q->store = store;
}
LF_INLINE void lf_queue_view(struct lf_queue *q, const struct lf_store *store, uint32_t id, void *memory) {
    lf_queue_view_cells(q, store, id, memory, lf_queue_cells(store->slots));
}

LF_INLINE uint64_t *lf__custody(const struct lf_store *store, uint64_t index) {
    return (uint64_t *)(void *)(store->custody + index * store->stride);
}

/* ---- cells ---- */

/* `count` indices from `index` on. */
LF_INLINE uint64_t lf__cell(const struct lf_queue *q, uint64_t position, uint64_t index, uint64_t count,
                            uint32_t taker) {
    return ((position & ~q->mask) | index) << LF__POSITION_SHIFT | (count - 1) << LF__COUNT_SHIFT | taker;
}
LF_INLINE uint64_t lf__cell_index(const struct lf_queue *q, uint64_t cell) {
    return cell >> LF__POSITION_SHIFT & q->mask;
}
LF_INLINE uint64_t lf__cell_count(uint64_t cell) { return (cell >> LF__COUNT_SHIFT & LF__RUN_MASK) + 1; }
LF_INLINE uint32_t lf__cell_taker(uint64_t cell) { return (uint32_t)cell & LF__TAKER_MASK; }
LF_INLINE uint64_t lf__cell_taken(uint64_t cell) {
    return lf__cell_taker(cell) == 0 ? 0 : (cell >> LF__TAKEN_SHIFT & LF__RUN_MASK) + 1;
}
LF_INLINE int lf__cell_is_spent(uint64_t cell) { /* all of it was taken */
    return lf__cell_taker(cell) != 0 && ((cell >> LF__COUNT_SHIFT ^ cell >> LF__TAKEN_SHIFT) & LF__RUN_MASK) == 0;
}
/* The cell once `taker` has taken from it, so that `taken` are. */
LF_INLINE uint64_t lf__cell_after(uint64_t cell, uint64_t taken, uint32_t taker) {
    return (cell & ~(uint64_t)(LF__RUN_MASK << LF__TAKEN_SHIFT | LF__TAKER_MASK)) | (taken - 1) << LF__TAKEN_SHIFT |
           taker;
}
LF_INLINE int lf__cell_is_at(const struct lf_queue *q, uint64_t cell, uint64_t position) {
    return ((cell >> LF__POSITION_SHIFT ^ position) & ~q->mask & LF__CUSTODY_POSITION) == 0;
}
/* How far the cell's position is ahead of `position`, which has the same place: a multiple of the number of cells. */
LF_INLINE int64_t lf__cell_ahead(const struct lf_queue *q, uint64_t cell, uint64_t position) {
    uint64_t rounds = (cell >> LF__POSITION_SHIFT & ~q->mask) - (position & ~q->mask);
    return (int64_t)(rounds << LF__POSITION_SHIFT) >> LF__POSITION_SHIFT;
}

/* ---- custody words ---- */

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

/* [I3]: writes into the custody words who holds what was taken last from a cell, unless that is written already. */
LF_INLINE int lf__complete_custody(const struct lf_queue *q, uint64_t cell, uint64_t position) {
    uint32_t taker = lf__cell_taker(cell);
    if (taker == LF__NOBODY)
        return LF_OK;
    uint64_t index = lf__cell_index(q, cell), taken = lf__cell_taken(cell);
    uint64_t held = lf__held((taker & LF__WITHDRAWN) != 0 ? (uint32_t)LF__FREE : q->id, position, taker);
    if (LF_UNLIKELY(index + taken > q->store->slots))
        return LF_CORRUPT;
    for (uint64_t i = 0; i < taken; i++) { /* those of earlier takers are complete */
        uint64_t *custody = lf__custody(q->store, index + i);
        uint64_t word = lf_load_relaxed(custody); /* not older than the cell, which was read with acquire [Q5] */
        if (lf__is_coming_at(word, q->id, position))
            lf_cas_relaxed(custody, &word, held);
    }
    return LF_OK;
}

/* Lays the queue out with indices first..first+count-1 inside, in runs of up to `run`, positions beginning at `start`. */
LF_INLINE void lf_queue_init(struct lf_queue *q, uint64_t start, uint64_t count, uint64_t run) {
    for (uint64_t i = 0; i <= q->mask; i++) {
        uint64_t position = start + i, within = i % run;
        uint64_t *cell = lf__cell_place(q, position);
        *cell = i < count && within == 0 ? lf__cell(q, position, i, count - i < run ? count - i : run, 0)
                                         : lf__cell(q, position - q->mask - 1, 0, 1, LF__NOBODY);
        if (i < count)
            *lf__custody(q->store, i) = lf__coming(q->id, position - within, 0);
    }
    q->ends->head = start;
    q->ends->tail = start + count;
}

#endif
