/* kept.h: what the clients of kept blocks and bundles share: a pool of two blocks, of which one matters. */
#ifndef LOCKFREE_MODEL_KEPT_H
#define LOCKFREE_MODEL_KEPT_H

#define LF_LEAST_CELLS 1u
#define LF_BATCHES 2u
#define LF_LANES 4u
#define LF_LANE_SLOTS 2u
#define LF_PARTICIPANTS 4u
#include <lockfree/block_pool.h>

#include "lockfree_model.h"

static struct lf_block_pool pool[LF_PARTICIPANTS];
static const struct lf_runs *q;
static uint32_t block;
static uint64_t data; /* what the holder of the block writes, without an atomic operation */
static int held[3], finished[3], seen_superseded;

static uint64_t word_of_block(void) { return lf_load_relaxed(lf_block_word(q, block)); }

static void attach_all(void) {
    uint64_t bytes;
    lf_model_assert(lf_block_pool_bytes(2, LF_POOL_LIFO, &bytes) == LF_OK);
    void *memory = lf_model_shared(bytes);
    lf_model_assert(lf_block_pool_create_local(&pool[0], memory, 2, UINT32_MAX - 1, LF_POOL_LIFO) == LF_OK);
    for (uint32_t t = 1; t < LF_PARTICIPANTS; t++)
        lf_model_assert(lf_segment_attach_local(&pool[t].h, &lf_block_pool_kind, memory, t) == LF_OK);
    q = &pool[0].free_blocks;
    lf_model_label(&lf__stack_ends(q)->last, 8, "last");
    lf_model_label(&lf__stack_ends(q)->settled, 8, "settled");
    lf_model_label(q->lanes->of, sizeof q->lanes->of, "lanes");
    lf_model_label(q->words, 8 * LF__WORDS_TOGETHER, "words");
}
/* Participant 3 has the first block for good, 1 has the other one. */
static void one_is_held(void) {
    uint32_t other;
    lf_model_assert(lf_stack_claim(q, 1, 3, &other) == LF_OK);
    lf_model_assert(lf_stack_claim(q, 1, 1, &block) == LF_OK);
    held[1] = 1;
    data = 1;
}

/* The thread of a participant that may be superseded: what it takes is taken over, or it sees that it was superseded. */
static void look_and_finish(void) {
    seen_superseded = lf_load_seq_cst(&pool[1].body->leases[1]) & 1u; /* [L2] */
    finished[1] = 1;
}
static void taken_over_or_told(void) {
    if (finished[1] && finished[2])
        lf_model_assert(!held[1] || held[2] || seen_superseded);
}

#endif
