/* kept_bundles: one word for many blocks, taken apart by others, by death and by a thread that means one block. The bundles
 * have one block here, which pools do not make, so that the searches end; block_pool.c has those of two. */
#include "kept.h"

static uint32_t generation, frees;

static void lay_out(void) {
    attach_all();
    lf_model_label(q->cells, 16, "cells");
    lf_model_label(q->lists, 4, "list");
}
static void single(void) {
    lay_out();
    one_is_held(); /* not block 0: an old list would have it */
    generation = lf_block_generation(word_of_block());
}
static void kept(void) {
    single();
    lf_model_assert(lf_bundle_form(q, 1, 0, &block, NULL, 1) == LF_OK);
    held[1] = 0;
    generation++;
}
static void taken(void) {
    kept();
    lf_model_assert(lf_bundle_take(q, 1, 0, 1, &block) == LF_OK);
    held[1] = 1;
}
static uint64_t now(void) { return lf_bundle_resolve(q, block, lf_load_acquire(lf_block_word(q, block))); }

static int give_it(void) {
    uint32_t number = 0;
    return lf_block_is_in_bundle(word_of_block()) ? lf_bundle_give(q, 1, &block, &generation, 1, &number)
                                                  : lf_bundle_form(q, 1, 0, &block, &generation, 1);
}
static void give(void) {
    data = 2;
    lf_model_assert(give_it() == LF_OK);
    frees++;
    finished[1] = 1;
}
static void take(void) {
    uint32_t got;
    int status = lf_bundle_take(q, 1, 0, 1, &got);
    lf_model_assert(status == LF_OK || status == LF_BUSY);
    if (status == LF_OK)
        data = 3;
    held[1] = status == LF_OK;
    finished[1] = 1;
}
/* A call that finds too few: of what is kept, it gets all. */
static void call_in(void) {
    uint32_t got;
    lf_model_assert(lf_bundle_end(q, 1, 0, 0) == LF_OK);
    if (lf_stack_claim(q, 1, 2, &got) == LF_OK) {
        data = 4;
        held[2] = 1;
    }
    finished[2] = 1;
}
static void only_end(void) {
    lf_model_assert(lf_bundle_end(q, 1, 0, 0) == LF_OK);
    finished[1] = 1;
}
static void one_has_it(void) {
    if (!finished[1] || !finished[2])
        return;
    uint64_t word = now();
    lf_model_assert(held[1] + held[2] < 2 || frees > 0);
    lf_model_assert(lf_bundle_end(q, 1, 0, 0) == LF_OK);
    lf_model_assert(lf_stack_size(q) == !lf_block_is_held(word));
    lf_model_assert(lf_stack_size(q) + (uint64_t)held[2] + (uint64_t)(held[1] && frees == 0) == 1);
    if (held[2])
        lf_model_assert(lf__block_is_held_by(word, 2, 1));
}

/* `scarce` comes on, and then what is kept is called in: a free that comes too late for that sees it. */
static int seen_scarce;
static void give_and_look(void) {
    lf_model_assert(give_it() == LF_OK);
    seen_scarce = lf_load_seq_cst(&q->lanes->scarce) & LF__SCARCE; /* [O4], as lf_kept_free_several */
    finished[1] = 1;
}
static void call_in_what_is_kept(void) {
    lf_fetch_or_seq_cst(&q->lanes->scarce, LF__SCARCE); /* [O5], as lf_kept_claim */
    lf_model_assert(lf_bundle_end(q, 1, 0, 0) == LF_OK);
    finished[2] = 1;
}
static void called_in_or_told(void) {
    if (finished[1] && finished[2])
        lf_model_assert(seen_scarce || lf_stack_size(q) == 1);
}
/* As the thread of a participant that is superseded: its take is taken over, or it sees that it was superseded. */
static void take_and_look(void) {
    uint32_t got;
    held[1] = lf_bundle_take(q, 1, 0, 1, &got) == LF_OK;
    look_and_finish();
}
static void supersede(void) {
    uint32_t blocks[1], live = 0;
    lf_model_assert(lf_cas_seq_cst(&pool[2].body->leases[1], &live, 1u)); /* [L1] */
    lf_free_blocks_end_bundles(q, 1);
    held[2] = (int)lf__pool_move(&pool[2], 1, lf_load_relaxed(&pool[2].body->leases[1]), 2, blocks, 1);
    finished[2] = 1;
}

/* Two references, of two threads of participant 1. What the first one did is over when the block is free. */
static void shared(void) {
    single();
    uint64_t *at = lf_block_word(q, block);
    lf_store_relaxed(at, lf_load_relaxed(at) + 1);
}
static void drop_one(void) {
    uint64_t at;
    data = 5;
    lf_model_assert(lf_block_pool_free(&pool[1], &block, NULL, 1, &at) == LF_OK);
    finished[2] = 1;
}
static void form_the_rest(void) {
    uint32_t got;
    if (lf_bundle_form(q, 1, 0, &block, NULL, 1) == LF_OK) {
        lf_model_assert(lf_bundle_take(q, 1, 0, 1, &got) == LF_OK);
        data = 6;
    }
    finished[1] = 1;
}

/* Another thread of participant 1 frees the same block alone. */
static void give_or_not(void) {
    int status = give_it();
    lf_model_assert(status == LF_OK || status == LF_BUSY);
    if (status == LF_OK)
        lf_fetch_add_relaxed(&frees, 1u);
    finished[1] = 1;
}
static void free_alone(void) {
    uint64_t word = lf_bundle_leave(q, block, lf_load_acquire(lf_block_word(q, block)));
    int status = lf__block_is_held_by(word, 1, 1) ? lf_stack_free(q, block, &word, 1) : (int)LF_BUSY;
    lf_model_assert(status == LF_OK || status == LF_BUSY);
    if (status == LF_OK)
        lf_fetch_add_relaxed(&frees, 1u);
    finished[2] = 1;
}
static void freed_once(void) {
    if (!finished[1] || !finished[2])
        return;
    uint64_t word = now();
    lf_model_assert(frees <= 1);
    lf_model_assert(lf_block_is_held(word) == (frees == 0));
    lf_model_assert(lf_block_generation(word) == generation + frees);
    lf_model_assert(lf_bundle_end(q, 1, 0, 1) == LF_OK);
    lf_model_assert(lf_stack_size(q) == frees);
}

/* Participant 1 dies anywhere; its number can be used again only after this. */
static void mortal(void) {
    uint32_t got;
    give_it();
    if (lf_bundle_take(q, 1, 0, 1, &got) == LF_OK)
        give_it();
    finished[1] = 1;
}
static void heir(void) {
    uint32_t got;
    if (lf_model_participant_alive(1))
        return;
    lf_free_blocks_end_bundles(q, 1);
    lf_stack_recover(q, block, 1, 2);
    lf_model_assert(lf_stack_claim(q, 1, 2, &got) == LF_OK);
    lf_model_assert(lf__block_is_held_by(word_of_block(), 2, 1));
}

/* Participant 2 takes over what 1 holds: afterwards nothing of it changes any more. */
static void give_late(void) {
    int status = give_it();
    lf_model_assert(status == LF_OK || status == LF_BUSY);
    held[1] = status != LF_OK;
    finished[1] = 1;
}
static void take_over(void) {
    uint32_t blocks[1];
    lf_free_blocks_end_bundles(q, 1);
    held[2] = (int)lf__pool_move(&pool[2], 1, lf_load_relaxed(&pool[2].body->leases[1]), 2, blocks, 1);
    if (held[2])
        lf_model_assert(lf__block_is_held_by(word_of_block(), 2, 1));
    finished[2] = 1;
}
static void taken_over_or_free(void) {
    if (!finished[1] || !finished[2])
        return;
    uint64_t word = now();
    lf_model_assert(lf_block_is_held(word) ? held[2] && lf__block_is_held_by(word, 2, 1) : !held[2]);
    lf_model_assert(held[1] == held[2]);
}

LF_MODEL_CLIENT(bundle_formed_called_in, .setup = single, .threads = {give, call_in}, .final = one_has_it);
LF_MODEL_CLIENT(bundle_given_called_in, .setup = taken, .threads = {give, call_in}, .final = one_has_it);
LF_MODEL_CLIENT(bundle_taken_called_in, .setup = kept, .threads = {take, call_in}, .final = one_has_it);
LF_MODEL_CLIENT(bundle_called_in_twice, .setup = kept, .threads = {only_end, call_in}, .final = one_has_it);
LF_MODEL_CLIENT(bundle_formed_or_freed, .setup = single, .threads = {give_or_not, free_alone}, .final = freed_once);
LF_MODEL_CLIENT(bundle_given_or_freed, .setup = taken, .threads = {give_or_not, free_alone}, .final = freed_once);
LF_MODEL_CLIENT(bundle_former_dies, .setup = single, .threads = {mortal, heir}, .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(bundle_giver_dies, .setup = taken, .threads = {mortal, heir}, .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(bundle_formed_or_superseded, .setup = single, .threads = {give_late, take_over},
                .final = taken_over_or_free);
LF_MODEL_CLIENT(bundle_given_or_superseded, .setup = taken, .threads = {give_late, take_over},
                .final = taken_over_or_free);
LF_MODEL_CLIENT(bundle_formed_while_scarce, .setup = single, .threads = {give_and_look, call_in_what_is_kept},
                .final = called_in_or_told);
LF_MODEL_CLIENT(bundle_given_while_scarce, .setup = taken, .threads = {give_and_look, call_in_what_is_kept},
                .final = called_in_or_told);
LF_MODEL_CLIENT(bundle_taken_or_superseded, .setup = kept, .threads = {take_and_look, supersede},
                .final = taken_over_or_told);
LF_MODEL_CLIENT(bundle_formed_after_a_reference, .setup = shared, .threads = {form_the_rest, drop_one});
