/* free_blocks.h: building block: the blocks of a pool that are free, in either order: a queue (run_queue.h), or a stack with
 * lanes in front of it (run_stack.h, kept_blocks.h, kept_bundles.h). */
#ifndef LOCKFREE_FREE_BLOCKS_H
#define LOCKFREE_FREE_BLOCKS_H

#include "kept_blocks.h"

/* n blocks or none, into the lease of the participant. */
LF_INLINE int lf_free_blocks_claim(const struct lf_runs *q, struct lf_own_lane *own, uint32_t n, uint32_t participant,
                                   uint32_t *blocks) {
    if (!q->lifo)
        return lf_runs_claim(q, n, participant, blocks);
    int status = LF_LIKELY(n == 1) ? lf_kept_take(q, own, participant, blocks)
                                   : lf_kept_take_several(q, own, participant, n, blocks);
    if (LF_LIKELY(status != LF_EMPTY))
        return status;
    return lf_kept_claim(q, n, participant, blocks);
}
/* Makes several blocks free in one step: LF_OK; LF_BUSY: they must be made free one by one, or not at all. */
LF_INLINE int lf_free_blocks_free_several(const struct lf_runs *q, struct lf_own_lane *own, uint32_t participant,
                                          const uint32_t *blocks, const uint32_t *generations, uint64_t n) {
    return q->lifo ? lf_kept_free_several(q, own, participant, blocks, generations,
                                          n > UINT32_MAX ? UINT32_MAX : (uint32_t)n)
                   : (int)LF_BUSY;
}
/* Makes some of the blocks free from blocks[*at] on, as lf_runs_free_burst; none where they can only be freed one by one. */
LF_INLINE int lf_free_blocks_free_burst(const struct lf_runs *q, uint32_t participant, const uint32_t *blocks,
                                        const uint32_t *generations, uint64_t n, uint64_t *at) {
    return q->lifo ? (int)LF_OK : lf_runs_free_burst(q, participant, blocks, generations, n, at);
}
/* What the participant keeps in bundles, or was keeping there, becomes single blocks. */
LF_INLINE void lf_free_blocks_end_bundles(const struct lf_runs *q, uint32_t participant) {
    for (uint32_t i = 0; q->lifo && participant < LF_LANES && i < LF_LANE_BUNDLES; i++)
        lf_bundle_end(q, participant, i, 1);
}
/* Makes a block free whose word is `*word`, held once. `alone`: no others are made free with it. */
LF_INLINE int lf_free_blocks_free(const struct lf_runs *q, struct lf_own_lane *own, uint32_t block, uint64_t *word,
                                  uint32_t participant, int alone) {
    if (!q->lifo)
        return lf_runs_free(q, block, word, participant);
    return alone ? lf_kept_free(q, own, participant, block, word) : lf_kept_push(q, block, word, participant);
}
LF_INLINE uint64_t lf_free_blocks_size(const struct lf_runs *q) {
    if (!q->lifo)
        return lf_runs_size(q);
    uint64_t size = lf_kept_size(q); /* first: it pushes */
    size += lf_stack_size(q);
    return size > q->blocks ? q->blocks : size;
}
LF_INLINE int lf_free_blocks_recover(const struct lf_runs *q, uint64_t block, uint32_t gone, uint32_t participant) {
    return q->lifo ? lf_stack_recover(q, block, gone, participant) : lf_runs_recover(q, block, gone, participant);
}

/* Books the last claim if it is this participant's, a piece at a time: from its place *from on, at most `most` of its
 * blocks. 1 if nothing of it is left to be booked. */
LF_INLINE int lf_free_blocks_book(const struct lf_runs *q, uint32_t participant, uint64_t *from, uint64_t most) {
    uint64_t count, last;
    if (q->lifo) {
        last = lf_load_seq_cst(&lf__stack_ends(q)->last);                /* [L2] (block_pool.h) */
        uint64_t settled = lf_load_acquire(&lf__stack_ends(q)->settled); /* [K7] pairs with [K8] */
        if (lf__stack_is_push(last) || lf__stack_claimant(last) != participant ||
            lf__stack_version(last) != lf__stack_version(lf__stack_next(settled, 0)))
            return 1;
        count = lf__stack_count(last);
        lf__stack_book(q, settled, last, *from, most);
        *from += most;
        if (*from < count)
            return 0;
        lf__stack_settle(q, settled, last, count);
        return 1;
    }
    last = lf__runs_head(q); /* [L2] */
    if (lf__run_claimant(last) != participant ||
        lf_load_acquire(&q->ends->booked) == lf__run_end(last)) /* [R7] pairs with [R8] */
        return 1;
    count = lf__run_count(last);
    lf__runs_book_some(q, last, (uint32_t)*from, (uint32_t)most);
    *from += most;
    if (*from < count)
        return 0;
    lf_store_release(&q->ends->booked, lf__run_end(last)); /* [R8] */
    return 1;
}

#endif
