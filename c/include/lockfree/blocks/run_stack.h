/* run_stack.h: building block: as run_queue.h, but a claim takes the blocks that became free last.
 *
 * Contract: that of run_queue.h, but for the order. The number of free blocks is exact at every instant.
 * Progress: lock-free. A claim, and a block made free, is one compare-and-swap of `last`, which says all of it: that so
 *   many blocks are claimed, by whom; or which block is pushed. The next operation carries it out first (helping).
 * Death: as in run_queue.h. What a dead participant had said in `last` is carried out by the next one.
 *
 * Layout
 *   last     {version : 31 | push : 1 | block : 32}, or {version : 31 | 0 : 1 | count : 20 | participant : 12}
 *   settled  {version : 31 | depth : 33}: so many blocks were free when all up to this version was carried out
 *   cell     {version : 31 | block : 33}: the version that wrote it; the cells below the depth are the free blocks, the
 *            last one on top
 *   word     as in run_queue.h; the position is the place of a cell, or LF__NO_PLACE before a push has given it one
 * Invariants
 *   [K1] `settled` has the version of `last`, or the one before it. Then `last` is still to be carried out.
 *   [K2] A new operation comes into `last` only when the one before it has been carried out.
 *   [K3] While `settled` does not change, the words of the blocks below its depth say that they are free at their places,
 *        but for those of the claim that is being carried out. A cell changes once: at the depth, by a push.
 *   [K4] A block whose word has no place is not below the depth, but for the one of the push that is being carried out.
 *        It is in the hands of the lease in its word, and anybody may push it. Only a push that is carried out gives it a
 *        place, once in a generation. So it is pushed once.
 * Linearization points: claim and free: the compare-and-swap of `last`; a refusal, and the size: the load of `last`.
 * Wrap: versions count modulo 2^31. A mistake needs a thread that stops between its load and its compare-and-swap for
 *   exactly a multiple of 2^31 operations with an equal one at the end, or of 2^24 generations of one block.
 * Source: carrying out the announced operation of another thread first: Herlihy, Wait-free synchronization (TOPLAS 1991);
 *   a stack whose top word names the last operation: Shafiei (ICDCN 2009). */
#ifndef LOCKFREE_RUN_STACK_H
#define LOCKFREE_RUN_STACK_H

#include "run_queue.h"

struct lf_stack_ends {
    LF_ALIGNED uint64_t last; /* line 0: everybody */
    uint64_t settled;
    LF_ALIGNED uint64_t unused;
};
LF_STATIC_ASSERT(sizeof(struct lf_stack_ends) == sizeof(struct lf_run_ends), "the memory of a queue does for a stack");

LF_INLINE struct lf_stack_ends *lf__stack_ends(const struct lf_runs *q) {
    return (struct lf_stack_ends *)(void *)q->ends;
}

/* ---- words ---- */

#define LF__STACK_PUSH (UINT64_C(1) << 32)
#define LF__NO_PLACE ((uint32_t)LF_BLOCK_REFERENCES) /* more than any block has */
LF_STATIC_ASSERT(LF__NO_PLACE > LF_RUNS_MAX, "layout");
LF_INLINE uint64_t lf__stack_version(uint64_t word) { return word >> 33; }
LF_INLINE uint64_t lf__stack_depth(uint64_t settled) { return settled & UINT64_C(0x1ffffffff); }
/* A word with the version after that of `word`. */
LF_INLINE uint64_t lf__stack_next(uint64_t word, uint64_t rest) {
    return (lf__stack_version(word) + 1) << 33 | rest; /* modulo 2^31 */
}
LF_INLINE uint64_t lf__stack_block(uint64_t word) { return word & UINT32_MAX; }
LF_INLINE int lf__stack_is_push(uint64_t last) { return (last & LF__STACK_PUSH) != 0; }
/* Of a claim. */
LF_INLINE uint32_t lf__stack_count(uint64_t last) { return (uint32_t)(last >> LF_PARTICIPANT_BITS & LF_RUN_MAX); }
LF_INLINE uint32_t lf__stack_claimant(uint64_t last) { return (uint32_t)last & LF_PARTICIPANT_MASK; }

/* Lays the stack out with all blocks free, block 0 on top, versions beginning at `start`. */
LF_INLINE void lf_stack_init(struct lf_runs *q, uint32_t start) {
    struct lf_stack_ends *ends = lf__stack_ends(q);
    for (uint64_t i = 0; i < q->blocks; i++) {
        uint64_t block = q->blocks - 1 - i;
        q->cells[i] = (uint64_t)start << 33 | block;
        *lf_block_word(q, block) = lf__block_coming(0, 0, (uint32_t)i);
    }
    ends->last = (uint64_t)start << 33;
    ends->settled = (uint64_t)start << 33 | q->blocks;
}

/* ---- carrying out what `last` says ---- */

/* The claim of `last` writes into the words of its blocks who holds them: from its place `from` on, at most `most`. */
LF_INLINE int lf__stack_book(const struct lf_runs *q, uint64_t settled, uint64_t last, uint64_t from, uint64_t most) {
    uint64_t depth = lf__stack_depth(settled), count = lf__stack_count(last);
    if (LF_UNLIKELY(depth > q->blocks || count > depth))
        return LF_CORRUPT;
    for (uint64_t i = from; i < count && most > 0; i++, most--) {
        uint64_t place = depth - 1 - i;
        uint64_t block = lf__stack_block(lf_load_acquire(&q->cells[place])); /* [K5] pairs with [K6] */
        if (LF_UNLIKELY(block >= q->blocks))
            return LF_CORRUPT;
        /* [W1] pairs with [W2]. If it was written by a later free of the block, we see next that it is too late. */
        uint64_t word = lf_load_acquire(lf_block_word(q, block));
        if (!lf__block_is_coming_at(word, (uint32_t)place))
            continue;                                                /* booked */
        if (lf_load_acquire(&lf__stack_ends(q)->settled) != settled) /* [K7] pairs with [K8] */
            return LF_OK;                                            /* others have done it all */
        /* [W2] release; pairs with [W1]. If it fails, others have done it [K3]. */
        lf_cas_release(lf_block_word(q, block), &word, lf__block_held_by(word, lf__stack_claimant(last), 1));
    }
    return LF_OK;
}

/* Carries `last` out, which comes after `settled`. Afterwards `settled` is another one. */
LF_INLINE int lf__stack_settle(const struct lf_runs *q, uint64_t settled, uint64_t last, uint64_t from) {
    struct lf_stack_ends *ends = lf__stack_ends(q);
    uint64_t depth = lf__stack_depth(settled), then = settled;
    if (lf__stack_is_push(last)) {
        uint64_t block = lf__stack_block(last);
        if (LF_UNLIKELY(depth >= q->blocks || block >= q->blocks))
            return LF_CORRUPT;
        uint64_t cell = lf_load_acquire(&q->cells[depth]); /* [K5] pairs with [K6] */
        if (lf__stack_version(cell) != lf__stack_version(last)) {
            if (lf_load_acquire(&ends->settled) != settled) /* [K7] pairs with [K8] */
                return LF_OK;                               /* or the cell might be a later one */
            /* [K6] release; pairs with [K5]. If it fails, others have done it [K3]. */
            lf_cas_release(&q->cells[depth], &cell, lf__stack_version(last) << 33 | block);
        }
        /* [W1] pairs with [W2]. If a later free of the block has written it, we see next that it is too late. */
        uint64_t word = lf_load_acquire(lf_block_word(q, block));
        if (lf__block_is_coming_at(word, LF__NO_PLACE)) {
            if (lf_load_acquire(&ends->settled) != settled) /* [K7] pairs with [K8] */
                return LF_OK;
            lf_cas_release(lf_block_word(q, block), &word, /* [W2], [K4] */
                           lf__block_coming(word, lf_block_lease(word), (uint32_t)depth));
        }
        depth++;
    } else {
        int status = lf__stack_book(q, settled, last, from, UINT64_MAX);
        if (LF_UNLIKELY(status != LF_OK))
            return status;
        depth -= lf__stack_count(last);
    }
    /* [K8] release; pairs with [K7]: a thread that sees this sees the words and the cell. */
    lf_cas_release(&ends->settled, &then, lf__stack_next(settled, depth));
    return LF_OK;
}

/* What is the last operation, and how many blocks are free after it? Carries it out first. */
LF_INLINE int lf__stack_look(const struct lf_runs *q, uint64_t *last, uint64_t *settled) {
    for (;;) {
        /* [K1] acquire: what the operation rests on. seq_cst: [L2] (block_pool.h); [E1] (wait.h) */
        *last = lf_load_seq_cst(&lf__stack_ends(q)->last);
        *settled = lf_load_acquire(&lf__stack_ends(q)->settled); /* [K7] pairs with [K8] */
        uint64_t behind = (lf__stack_version(*last) - lf__stack_version(*settled)) & 0x7fffffffu;
        if (behind == 0)
            return LF_UNLIKELY(lf__stack_depth(*settled) > q->blocks) ? (int)LF_CORRUPT : (int)LF_OK;
        if (LF_UNLIKELY(behind != 1)) {
            if (lf_load_seq_cst(&lf__stack_ends(q)->last) == *last)
                return LF_CORRUPT; /* [K1] */
            continue;              /* others went on in between */
        }
        int status = lf__stack_settle(q, *settled, *last, 0);
        if (LF_UNLIKELY(status != LF_OK && lf_load_acquire(&lf__stack_ends(q)->settled) == *settled))
            return status;
    }
}

/* ---- claiming and making free ---- */

/* As lf_runs_claim, but the n blocks that became free last. */
LF_INLINE int lf_stack_claim(const struct lf_runs *q, uint32_t n, uint32_t participant, uint32_t *blocks) {
    for (;;) {
        uint64_t last, settled;
        int status = lf__stack_look(q, &last, &settled); /* [K2] */
        if (LF_UNLIKELY(status != LF_OK))
            return status;
        uint64_t depth = lf__stack_depth(settled);
        if (LF_UNLIKELY(n > depth))
            return LF_EMPTY;             /* as it was when `last` was loaded */
        for (uint32_t i = 0; i < n; i++) /* these are the ones if `last` does not change [K3] */
            blocks[i] = (uint32_t)lf__stack_block(lf_load_acquire(&q->cells[depth - 1 - i])); /* [K5] */
        uint64_t mine = lf__stack_next(last, (uint64_t)n << LF_PARTICIPANT_BITS | participant);
        if (lf_cas_seq_cst(&lf__stack_ends(q)->last, &last, mine)) /* [L1] (block_pool.h) */
            return lf__stack_settle(q, settled, mine, 0);
    }
}

/* Pushes a block whose word is `word`, without a place, unless somebody has pushed it meanwhile. `last` and `settled`: what
 * was looked at when the word was this one, or before. */
LF_INLINE int lf__stack_push(const struct lf_runs *q, uint64_t block, uint64_t word, uint64_t last, uint64_t settled) {
    for (;;) {
        if (LF_UNLIKELY(lf__stack_depth(settled) >= q->blocks))
            return LF_CORRUPT; /* this block is out */
        /* [E2] seq_cst; pairs with [E1]: the caller looks for waiters next. Release: the block's word. If it succeeds,
         * the word is still this one: a thread that changes it has changed `last` before [K4]. */
        uint64_t mine = lf__stack_next(last, LF__STACK_PUSH | block);
        if (lf_cas_seq_cst(&lf__stack_ends(q)->last, &last, mine))
            return lf__stack_settle(q, settled, mine, 0);
        int status = lf__stack_look(q, &last, &settled);
        if (LF_UNLIKELY(status != LF_OK))
            return status;
        if (lf_load_acquire(lf_block_word(q, block)) != word) { /* [W1] pairs with [W2] */
            lf_fence_seq_cst();                                 /* [E2]: as the caller's own push would have been one */
            return LF_OK;
        }
    }
}

/* As lf_runs_free. Of a block that is kept, too. */
LF_INLINE int lf_stack_free(const struct lf_runs *q, uint64_t block, uint64_t *word, uint32_t participant) {
    uint64_t last, settled;
    /* It sees the claim of this block carried out, and [W2] hands that on. */
    int status = lf__stack_look(q, &last, &settled);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    uint64_t next = lf_block_is_held(*word) ? lf__block_given_up(*word, participant, LF__NO_PLACE)
                                            : lf__block_coming(*word, participant, LF__NO_PLACE);
    /* [W1] acquire: what its last users did is over. [W2] release: a thread that sees this word sees [K7] moved on. */
    if (!lf_cas_acq_rel(lf_block_word(q, block), word, next))
        return LF_BUSY;
    return lf__stack_push(q, block, next, last, settled);
}

/* Pushes a block that was seen without a place in the hands of another thread, which may have stopped. */
LF_INLINE int lf_stack_help(const struct lf_runs *q, uint64_t block, uint64_t word) {
    uint64_t last, settled;
    int status = lf__stack_look(q, &last, &settled);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    if (lf_load_acquire(lf_block_word(q, block)) != word) /* [W1] pairs with [W2] */
        return LF_OK;
    return lf__stack_push(q, block, word, last, settled);
}

/* How many are free: exact at one instant of the call. O(1). */
LF_INLINE uint64_t lf_stack_size(const struct lf_runs *q) {
    for (uint64_t last = lf_load_seq_cst(&lf__stack_ends(q)->last), before;; last = before) {
        uint64_t settled = lf_load_acquire(&lf__stack_ends(q)->settled); /* [K7] pairs with [K8] */
        uint64_t behind = (lf__stack_version(last) - lf__stack_version(settled)) & 0x7fffffffu;
        uint64_t depth = lf__stack_depth(settled);
        if (behind == 1)
            depth = lf__stack_is_push(last) ? depth + 1 : depth - lf__stack_count(last);
        if (LF_LIKELY(behind < 2))
            return depth > q->blocks ? 0 : depth;
        if ((before = lf_load_seq_cst(&lf__stack_ends(q)->last)) == last)
            return 0; /* [K1]: what cannot be */
    }
}

/* As lf_runs_recover: 1 if the block was made free, 0 if not. */
LF_INLINE int lf_stack_recover(const struct lf_runs *q, uint64_t block, uint32_t gone, uint32_t participant) {
    uint64_t word = lf_load_acquire(lf_block_word(q, block)); /* [W1] */
    while (lf_block_lease(word) == gone) {
        if (lf__block_is_coming_at(word, LF__NO_PLACE))
            return lf_stack_help(q, block, word) == LF_OK; /* [K4] */
        if (!(word & LF__BLOCK_HELD))
            return 0;
        int status = lf_stack_free(q, block, &word, participant);
        if (status != LF_BUSY)
            return status == LF_OK;
    }
    return 0;
}

#endif
