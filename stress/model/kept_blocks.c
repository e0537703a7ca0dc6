/* kept_blocks: one participant keeps a block while others call it in, die, or take it over. One step of each side, so that all
 * executions are tried; block_pool.c has whole calls. */
#include "kept.h"

static void is_lane_of(uint32_t thread) { pool[1].own.owner = UINT64_C(1) << 32 | (thread + 1); }

/* Nothing was kept yet. */
static void lay_out(void) {
    attach_all();
    lf_model_label(&q->lanes->scarce, 8, "scarce");
    lf_model_label(&q->lanes->used, 8, "used");
    one_is_held();
    is_lane_of(1);
    lf_fetch_or_relaxed(&q->lanes->used, UINT64_C(1) << 1);
}
static int keep(struct lf_block_pool *mine) {
    uint64_t seen = word_of_block();
    return lf_kept_free(q, &mine->own, 1, block, &seen);
}
static int take(uint32_t *got) { return lf_kept_take(q, &pool[1].own, 1, got); }
static void kept(void) {
    lay_out();
    is_lane_of((uint32_t)lf_model_thread());
    lf_model_assert(keep(&pool[1]) == LF_OK);
    is_lane_of(1);
    held[1] = 0;
}
/* Held, and an older slot names it already. */
static void taken(void) {
    uint32_t got;
    kept();
    is_lane_of((uint32_t)lf_model_thread());
    lf_model_assert(take(&got) == LF_OK && got == block);
    is_lane_of(1);
    held[1] = 1;
}

/* `scarce` comes on, and then what is kept is called in: a free that comes too late for that sees it. */
static void frees(void) {
    data = 2;
    lf_model_assert(keep(&pool[1]) == LF_OK);
    finished[1] = 1;
}
static void frees_together(void) {
    data = 2;
    pool[1].own.wanted = 1;
    int status = lf_kept_free_several(q, &pool[1].own, 1, &block, NULL, 1);
    lf_model_assert(status == LF_OK || status == LF_BUSY); /* BUSY: it saw `scarce` before it kept anything */
    held[1] = status == LF_BUSY;
    finished[1] = 1;
}
static void calls_in(void) {
    lf_fetch_or_seq_cst(&q->lanes->scarce, LF__SCARCE); /* [O5], as lf_kept_claim */
    lf_model_assert(lf__kept_call_in(q, 2) == LF_OK);
    finished[2] = 1;
}
static void claims(void) {
    uint32_t got;
    int status = lf_kept_claim(q, 1, 2, &got);
    lf_model_assert(status == LF_OK || status == LF_EMPTY);
    if (status == LF_OK) {
        lf_model_assert(got == block);
        data = 3;
        held[2] = 1;
    }
    finished[2] = 1;
}
static void none_is_kept(void) {
    if (finished[1] && finished[2] && (lf_load_relaxed(&q->lanes->scarce) & LF__SCARCE))
        lf_model_assert(held[2] || lf_stack_size(q) == 1 || lf_block_is_held(word_of_block()));
}
static void it_is_in_the_stack_or_held(void) {
    if (finished[1] && finished[2])
        lf_model_assert(lf_stack_size(q) == !held[1]);
}
static void the_block_is_in_the_stack(void) {
    if (finished[1] && finished[2])
        lf_model_assert(lf_stack_size(q) == 1);
}

/* One of the two gets it. */
static void takes(void) {
    uint32_t got;
    int status = take(&got);
    lf_model_assert(status == LF_OK || status == LF_EMPTY);
    if (status == LF_OK) {
        lf_model_assert(got == block);
        data = 4;
        held[1] = 1;
    }
    finished[1] = 1;
}
static void takes_from_anywhere(void) {
    uint32_t got;
    int status = lf_free_blocks_claim(q, &pool[1].own, 1, 1, &got);
    lf_model_assert(status == LF_OK || status == LF_EMPTY);
    if (status == LF_OK) {
        data = 4;
        held[1] = 1;
    }
    finished[1] = 1;
}
static void one_has_it(void) {
    if (!finished[1] || !finished[2])
        return;
    lf_model_assert(held[1] + held[2] == 1);
    lf_model_assert(lf__block_is_held_by(word_of_block(), held[1] ? 1 : 2, 1));
    lf_model_assert(lf_free_blocks_size(q) == 0);
}

/* Participant 1 dies anywhere while it keeps and takes. */
static void mortal(void) {
    uint32_t got;
    keep(&pool[1]);
    if (take(&got) == LF_OK)
        keep(&pool[1]);
    finished[1] = 1;
}
static void heir(void) {
    uint32_t got;
    if (lf_model_participant_alive(1))
        return;
    lf_stack_recover(q, block, 1, 2);
    lf_model_assert(lf_kept_claim(q, 1, 2, &got) == LF_OK && got == block);
    lf_model_assert(lf__block_is_held_by(word_of_block(), 2, 1));
}

/* Participant 2 supersedes 1: what 1 takes is taken over, or 1 sees that it was superseded. */
static void takes_and_looks(void) {
    uint32_t got;
    held[1] = take(&got) == LF_OK;
    look_and_finish();
}
static void claims_and_looks(void) {
    uint32_t got;
    held[1] = lf_stack_claim(q, 1, 1, &got) == LF_OK;
    look_and_finish();
}
static void supersedes(void) {
    uint32_t blocks[2];
    int64_t count = lf_block_pool_supersede(&pool[2], 1, blocks);
    lf_model_assert(count >= 0);
    held[2] = (int)count;
    finished[2] = 1;
}
static void in_the_stack(void) {
    lay_out();
    uint64_t seen = word_of_block();
    lf_model_assert(lf_stack_free(q, block, &seen, 1) == LF_OK);
    held[1] = 0;
}
static void frees_or_is_superseded(void) {
    uint64_t seen = word_of_block();
    if (lf__block_is_held_by(seen, 1, 1)) {
        int status = lf_kept_free(q, &pool[1].own, 1, block, &seen);
        lf_model_assert(status == LF_OK || status == LF_BUSY);
    }
    finished[1] = 1;
}
/* What the old holder wrote into the block is there for the new one. */
static void supersedes_and_writes(void) {
    supersedes();
    if (held[2])
        data = 5;
}
static void nothing_is_left_to_1(void) {
    if (finished[1] && finished[2])
        lf_model_assert(lf_block_lease(word_of_block()) != 1 || !(word_of_block() & LF__BLOCK_HELD));
}

LF_MODEL_CLIENT(lane_kept_called_in, .setup = lay_out, .threads = {frees, calls_in},
                .final = the_block_is_in_the_stack);
LF_MODEL_CLIENT(lane_kept_again_called_in, .setup = taken, .threads = {frees, calls_in},
                .final = the_block_is_in_the_stack);
LF_MODEL_CLIENT(lane_bundle_called_in, .setup = lay_out, .threads = {frees_together, calls_in},
                .final = it_is_in_the_stack_or_held);
LF_MODEL_CLIENT(lane_kept_claimed, .setup = lay_out, .threads = {frees, claims}, .final = none_is_kept);
LF_MODEL_CLIENT(lane_kept_again_claimed, .setup = taken, .threads = {frees, claims}, .final = none_is_kept);
LF_MODEL_CLIENT(lane_taken_or_claimed, .setup = kept, .threads = {takes, claims});
LF_MODEL_CLIENT(lane_claimed_by_both, .setup = kept, .threads = {takes_from_anywhere, claims}, .final = one_has_it);
LF_MODEL_CLIENT(lane_keeper_dies, .setup = taken, .threads = {mortal, heir}, .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(lane_taken_or_superseded, .setup = kept, .threads = {takes_and_looks, supersedes},
                .final = taken_over_or_told);
LF_MODEL_CLIENT(lane_claimed_or_superseded, .setup = in_the_stack, .threads = {claims_and_looks, supersedes},
                .final = taken_over_or_told);
LF_MODEL_CLIENT(lane_kept_or_superseded, .setup = taken, .threads = {frees_or_is_superseded, supersedes_and_writes},
                .final = nothing_is_left_to_1);
