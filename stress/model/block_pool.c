/* block_pool: a claim in one step that others complete, cells that are used again at once, death, handing over. */
#define LF_LEAST_CELLS 1u
#define LF_BATCHES 2u
#define LF_LANES 8u
#define LF_LANE_SLOTS 2u
#define LF_PARTICIPANTS 8u
#include <lockfree/block_pool.h>

#include "lockfree_model.h"

enum { DEAD = 5 };
static struct lf_block_pool pool[LF_PARTICIPANTS];
static uint64_t data[4]; /* what the holder of a block writes, without an atomic operation */
static uint64_t n_blocks, ticket;
static uint64_t lease_of_1;
static int finished[4];

static void start_as(uint64_t blocks, uint32_t mode) {
    uint64_t bytes;
    n_blocks = blocks;
    lf_model_assert(lf_block_pool_bytes(blocks, mode, &bytes) == LF_OK);
    void *memory = lf_model_shared(bytes);
    lf_model_assert(lf_block_pool_create_local(&pool[0], memory, blocks, UINT32_MAX - 1, mode) == LF_OK);
    for (uint32_t t = 1; t < LF_PARTICIPANTS; t++)
        lf_model_assert(lf_segment_attach_local(&pool[t].h, &lf_block_pool_kind, memory, t) == LF_OK);
    lease_of_1 = lf_block_pool_lease(&pool[1]);
    if (mode & LF_POOL_LIFO) {
        lf_model_label(&lf__stack_ends(&pool[0].free_blocks)->last, 8, "last");
        lf_model_label(&lf__stack_ends(&pool[0].free_blocks)->settled, 8, "settled");
        lf_model_label(&pool[0].body->lanes.scarce, 8, "scarce");
        lf_model_label(&pool[0].body->lanes.used, 8, "used");
        lf_model_label(pool[0].body->lanes.of, sizeof pool[0].body->lanes.of, "lanes");
    } else {
        lf_model_label(&pool[0].free_blocks.ends->head, 8, "head");
        lf_model_label(&pool[0].free_blocks.ends->booked, 4, "booked");
        lf_model_label(&pool[0].free_blocks.ends->tail, 4, "tail");
    }
    lf_model_label(pool[0].free_blocks.cells, 8 * (pool[0].free_blocks.mask + 1), "cells");
    lf_model_label(pool[0].free_blocks.words, 8 * blocks, "words");
    lf_model_label(pool[0].body->leases, sizeof pool[0].body->leases, "leases");
    lf_model_label(pool[0].body->batches, sizeof pool[0].body->batches, "batches");
}
static void one_block(void) { start_as(1, 0); }
static void two_blocks(void) { start_as(2, 0); }
/* Without lanes: as if they belonged to other threads of these participants. */
static void stack(uint64_t blocks) {
    start_as(blocks, LF_POOL_LIFO);
    for (uint32_t t = 1; t < LF_PARTICIPANTS; t++)
        pool[t].own.owner = (uint64_t)t << 32 | UINT32_MAX;
}
static void stack_of_one(void) { stack(1); }
static void stack_of_two(void) { stack(2); }

static struct lf_block_pool *own(void) { return &pool[lf_model_thread()]; }

static int alloc(uint32_t *blocks, uint64_t n) {
    lf_model_call(LF_MODEL_TRY_ACQUIRE, n);
    int status = lf_block_pool_try_alloc(own(), blocks, n);
    lf_model_return(status == LF_OK ? 0 : status == LF_EMPTY ? LF_MODEL_BUSY : (uint64_t)status);
    for (uint64_t i = 0; status == LF_OK && i < n; i++)
        data[blocks[i]] = (uint64_t)lf_model_thread();
    return status == LF_OK;
}
static void give(const uint32_t *blocks, uint64_t n) { /* one by one, as the pool does it */
    uint64_t at;
    for (uint64_t i = 0; i < n; i++) {
        lf_model_assert(data[blocks[i]] == (uint64_t)lf_model_thread());
        lf_model_call(LF_MODEL_RELEASE, 1);
        int status = lf_block_pool_free(own(), &blocks[i], NULL, 1, &at);
        lf_model_return(status == LF_OK ? 0 : (uint64_t)status);
    }
}
static void over(void) { finished[lf_model_thread()] = 1; }
static void take_one(void) {
    uint32_t block;
    if (alloc(&block, 1))
        give(&block, 1);
    over();
}
static void take_two(void) {
    uint32_t blocks[2];
    if (alloc(blocks, 2))
        give(blocks, 2);
    over();
}
/* Both by one call: they are on their way at once. */
static void take_two_and_free_together(void) {
    uint32_t blocks[2];
    uint64_t at;
    if (lf_block_pool_try_alloc(own(), blocks, 2) == LF_OK) {
        data[0] = data[1] = (uint64_t)lf_model_thread();
        lf_model_assert(lf_block_pool_free(own(), blocks, NULL, 2, &at) == LF_OK && at == 2);
    }
    over();
}
static void take_one_of_two(void) {
    uint32_t block;
    uint64_t at;
    if (lf_block_pool_try_alloc(own(), &block, 1) == LF_OK) {
        data[block] = (uint64_t)lf_model_thread();
        lf_model_assert(lf_block_pool_free(own(), &block, NULL, 1, &at) == LF_OK);
    }
    over();
}
static void free_two_together(void) { /* of four_held */
    uint32_t t = (uint32_t)lf_model_thread(), blocks[2] = {2 * t - 2, 2 * t - 1};
    uint64_t at;
    lf_model_assert(lf_block_pool_free(own(), blocks, NULL, 2, &at) == LF_OK && at == 2);
    over();
}
static void all_are_free(void) {
    uint32_t blocks[4];
    if (!finished[1] || !finished[2]) /* somebody was stopped with blocks in hand */
        return;
    uint64_t seen = 0;
    lf_model_assert(lf_block_pool_available(&pool[0]) == n_blocks);
    lf_model_assert(lf_block_pool_try_alloc(&pool[0], blocks, n_blocks) == LF_OK);
    for (uint64_t i = 0; i < n_blocks; i++) {
        seen |= UINT64_C(1) << blocks[i];
        lf_model_assert(lf__pool_holds(&pool[0], blocks[i], NULL));
    }
    lf_model_assert(seen == (UINT64_C(1) << n_blocks) - 1);
}

/* ---- sleeping ---- */

static void sleeping_take(void) {
    uint32_t block;
    uint64_t at;
    lf_model_assert(lf_block_pool_alloc(own(), &block, 1, LF_FOREVER) == LF_OK);
    lf_model_assert(lf_block_pool_free(own(), &block, NULL, 1, &at) == LF_OK);
    over();
}

/* ---- death ---- */

/* Thread 1 dies anywhere between taking and giving back: its blocks are there again. */
static void mortal(void) {
    uint32_t blocks[2];
    uint64_t at;
    if (lf_block_pool_try_alloc(&pool[1], blocks, 2) == LF_OK)
        lf_block_pool_free(&pool[1], blocks, NULL, 2, &at);
    over();
}
static void heir(void) {
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&pool[2].h);
    uint32_t blocks[2];
    lf_model_assert(lf_block_pool_try_alloc(&pool[2], blocks, 2) == LF_OK);
    lf_model_assert(blocks[0] + blocks[1] == 1);
}
/* Thread 1 dies anywhere while it takes and keeps a block. */
static void mortal_keeper(void) {
    uint32_t block;
    uint64_t at;
    for (int i = 0; i < 2; i++)
        if (lf_block_pool_try_alloc(&pool[1], &block, 1) == LF_OK)
            lf_block_pool_free(&pool[1], &block, NULL, 1, &at);
    over();
}
/* While thread 2 uses the pool. */
static void busy(void) {
    uint32_t block;
    uint64_t at;
    if (lf_block_pool_try_alloc(&pool[2], &block, 1) == LF_OK)
        lf_model_assert(lf_block_pool_free(&pool[2], &block, NULL, 1, &at) == LF_OK);
    over();
}
static void everything_comes_back(void) {
    if (!finished[1] && !lf_model_participant_alive(1)) {
        lf_reap(&pool[3].h);
        finished[1] = 1;
    }
    all_are_free();
}
/* Thread 1 dies anywhere while it gives back what a dead one held. */
static void one_is_dead(void) {
    uint32_t block;
    lf_model_assert(lf_block_pool_try_alloc(&pool[DEAD], &block, 1) == LF_OK);
    lf_model_set_participant_dead(DEAD);
}
/* As if threads 1 and 2 had each kept a block for some time. */
static void two_kept(void) {
    uint32_t blocks[2];
    uint64_t at;
    start_as(2, LF_POOL_LIFO);
    for (uint32_t t = 1; t <= 2; t++)
        lf_model_assert(lf_block_pool_try_alloc(&pool[t], &blocks[t - 1], 1) == LF_OK);
    for (uint32_t t = 1; t <= 2; t++) {
        pool[t].own.owner = (uint64_t)t << 32 | lf_thread_token(); /* this thread stands in for it */
        lf_fetch_or_seq_cst(&pool[t].body->lanes.used, UINT64_C(1) << t);
        lf_model_assert(lf_block_pool_free(&pool[t], &blocks[t - 1], NULL, 1, &at) == LF_OK);
        pool[t].own.owner = (uint64_t)t << 32 | (t + 1); /* the token of thread t */
    }
    lf_model_assert(lf_kept_size(&pool[0].free_blocks) == 2);
}
/* Of three blocks thread 1 holds one, another participant keeps one, and one is in the stack. At any time two are free. */
static uint32_t held;
static void two_are_free(void) {
    uint32_t kept;
    uint64_t at;
    start_as(3, LF_POOL_LIFO);
    lf_model_assert(lf_block_pool_try_alloc(&pool[1], &held, 1) == LF_OK);
    lf_model_assert(lf_block_pool_try_alloc(&pool[4], &kept, 1) == LF_OK);
    lf_model_assert(lf_block_pool_free(&pool[4], &kept, NULL, 1, &at) == LF_OK);
    pool[1].own.owner = UINT64_C(1) << 32 | 2;
    pool[3].own.owner = UINT64_C(3) << 32 | UINT32_MAX; /* without a lane */
    lf_fetch_or_seq_cst(&pool[1].body->lanes.used, UINT64_C(2));
    data[held] = 1;
}
static void give_then_take_as_another(void) {
    uint32_t block;
    give(&held, 1);
    lf_model_call(LF_MODEL_TRY_ACQUIRE, 1);
    lf_model_assert(lf_block_pool_try_alloc(&pool[3], &block, 1) == LF_OK);
    lf_model_return(0);
}
static void take_two_of_them(void) {
    uint32_t blocks[2];
    alloc(blocks, 2);
}
/* As if thread 1 had freed two blocks together for some time: a bundle. Of the lane that it is in, thread 1 is the owner. */
static uint32_t together[2];
static void use_lane(uint32_t participant, uint32_t token) {
    pool[participant].own.owner = (uint64_t)participant << 32 | token;
    lf_fetch_or_seq_cst(&pool[participant].body->lanes.used, UINT64_C(1) << participant);
}
static void pair_of(uint64_t blocks) {
    start_as(blocks, LF_POOL_LIFO);
    for (uint32_t t = 1; t < LF_PARTICIPANTS; t++)
        pool[t].own.owner = (uint64_t)t << 32 | UINT32_MAX; /* without a lane */
    use_lane(1, lf_thread_token());
    lf_model_assert(lf_block_pool_try_alloc(&pool[1], together, 2) == LF_OK);
    data[together[0]] = data[together[1]] = 1;
    use_lane(1, 2); /* the token of thread 1 */
}
static void free_pair(void) {
    uint64_t at;
    use_lane(1, lf_thread_token());
    lf_model_assert(lf_block_pool_free(&pool[1], together, NULL, 2, &at) == LF_OK);
    lf_model_assert(pool[1].own.n_bundles == 1);
}
static void take_pair(void) {
    use_lane(1, lf_thread_token());
    lf_model_assert(lf_block_pool_try_alloc(&pool[1], together, 2) == LF_OK);
    lf_model_assert(lf_block_is_in_bundle(lf_load_relaxed(lf_block_word(&pool[1].free_blocks, together[0]))));
    use_lane(1, 2);
}
static void two_singles(void) { pair_of(2); } /* held; a free of both forms a bundle */
static void kept_bundle(void) { pair_of(2), free_pair(), use_lane(1, 2); }
static void held_bundle(void) { pair_of(2), free_pair(), take_pair(); }
/* Of four blocks thread 1 holds two as a bundle, another participant keeps one, and one is in the stack: at any time two
 * are free. */
static void two_beside_a_bundle(void) {
    uint32_t kept;
    uint64_t at;
    pair_of(4), free_pair(), take_pair();
    use_lane(4, lf_thread_token());
    lf_model_assert(lf_block_pool_try_alloc(&pool[4], &kept, 1) == LF_OK);
    lf_model_assert(lf_block_pool_free(&pool[4], &kept, NULL, 1, &at) == LF_OK);
}

static void give_together(const uint32_t *blocks, uint64_t n) {
    uint64_t at;
    for (uint64_t i = 0; i < n; i++)
        lf_model_assert(data[blocks[i]] == (uint64_t)lf_model_thread());
    lf_model_call(LF_MODEL_RELEASE, n);
    int status = lf_block_pool_free(own(), blocks, NULL, n, &at);
    lf_model_return(status == LF_OK ? 0 : (uint64_t)status);
}
static void take_and_give_both(void) {
    uint32_t blocks[2];
    if (alloc(blocks, 2))
        give_together(blocks, 2);
    over();
}
static void give_both(void) { give_together(together, 2), over(); }
static void give_both_then_take_as_another(void) {
    uint32_t blocks[2];
    give_together(together, 2);
    lf_model_call(LF_MODEL_TRY_ACQUIRE, 2);
    int status = lf_block_pool_try_alloc(&pool[3], blocks, 2);
    lf_model_return(status == LF_OK ? 0 : LF_MODEL_BUSY);
}

/* Two threads of participant 1 free the same blocks: each is freed once. */
static uint64_t freed[4];
static void free_both(void) {
    uint64_t at;
    int status = lf_block_pool_free(&pool[1], together, NULL, 2, &at);
    lf_model_assert(status == LF_OK || status == LF_NOT_OWNER);
    for (uint64_t i = 0; i < (status == LF_OK ? 2 : at); i++)
        freed[i] += 1;
    over();
}
static void free_one_of_them(void) {
    uint64_t at;
    int status = lf_block_pool_free(&pool[1], together, NULL, 1, &at);
    lf_model_assert(status == LF_OK || status == LF_NOT_OWNER);
    freed[2] += status == LF_OK;
    over();
}
static void retain_one_of_them(void) {
    uint64_t at;
    int status = lf_block_pool_retain(&pool[1], together, 1, &at);
    lf_model_assert(status == LF_OK || status == LF_NOT_OWNER);
    if (status == LF_OK)
        lf_model_assert(lf_block_pool_free(&pool[1], together, NULL, 1, &at) == LF_OK);
    over();
}
static void each_is_freed_once(void) {
    uint64_t at;
    if (!finished[1] || !finished[2])
        return;
    lf_model_assert(freed[0] + freed[2] == 1);
    lf_model_assert(lf_block_generation(lf_block_pool_look(&pool[0], together[0])) ==
                    lf_block_generation(lf_block_pool_look(&pool[0], together[1])) + (freed[1] == 0));
    if (freed[1] == 0)
        lf_model_assert(lf_block_pool_free(&pool[1], together + 1, NULL, 1, &at) == LF_OK);
    all_are_free();
}

/* Thread 1 dies anywhere, or is superseded, while it gives a pair back, and takes and gives it once more. */
static void mortal_pair(void) {
    uint32_t blocks[2];
    uint64_t at;
    lf_block_pool_free(&pool[1], together, NULL, 2, &at);
    if (lf_block_pool_try_alloc(&pool[1], blocks, 2) == LF_OK)
        lf_block_pool_free(&pool[1], blocks, NULL, 2, &at);
    over();
}
static void give_or_be_superseded(void) {
    uint64_t at;
    int status = lf_block_pool_free(&pool[1], together, NULL, 2, &at);
    lf_model_assert(status == LF_OK || status == LF_SUPERSEDED);
    over();
}
static void take_or_be_superseded(void) {
    uint32_t blocks[2];
    uint64_t at;
    int status = lf_block_pool_try_alloc(&pool[1], blocks, 2);
    if (status == LF_OK)
        status = lf_block_pool_free(&pool[1], blocks, NULL, 2, &at);
    lf_model_assert(status == LF_OK || status == LF_SUPERSEDED || status == LF_EMPTY);
    over();
}
static void with_the_dead(void) { two_blocks(), one_is_dead(); }
static void stack_with_the_dead(void) { stack_of_two(), one_is_dead(); }
static void mortal_reaper(void) { lf_reap(&pool[1].h); }

/* ---- handing over ---- */

static void seal_it(void) {
    uint32_t block;
    uint64_t at, mine;
    lf_model_assert(lf_block_pool_try_alloc(&pool[1], &block, 1) == LF_OK);
    data[block] = 7;
    lf_model_assert(lf_block_pool_seal(&pool[1], &block, 1, &mine, &at) == LF_OK);
    lf_store_relaxed(&ticket, mine + 1); /* the batch's word orders what is in the blocks */
    over();
}
static void adopt_it(void) {
    uint32_t got[2];
    uint64_t at, seen = lf_load_relaxed(&ticket);
    if (seen != 0 && lf_block_pool_adopt(own(), seen - 1, got) == 1) {
        lf_model_assert(data[got[0]] == 7);
        data[got[0]] = 8;
        lf_model_assert(lf_block_pool_free(own(), got, NULL, 1, &at) == LF_OK);
    }
    over();
}
static void sealed_or_free(void) {
    uint32_t got[2];
    uint64_t at;
    if (!finished[1] || !finished[2])
        return;
    if (ticket != 0 && lf_block_pool_adopt(&pool[0], ticket - 1, got) == 1)
        lf_model_assert(lf_block_pool_free(&pool[0], got, NULL, 1, &at) == LF_OK);
    all_are_free();
}

/* Thread 2 takes over from thread 1, whatever it is doing: afterwards nothing belongs to thread 1. */
static void superseded(void) {
    uint32_t block;
    uint64_t at;
    int status = lf_block_pool_try_alloc(&pool[1], &block, 1);
    if (status == LF_OK)
        status = lf_block_pool_free(&pool[1], &block, NULL, 1, &at);
    lf_model_assert(status == LF_OK || status == LF_SUPERSEDED || status == LF_EMPTY);
    over();
}
static void superseded_while_sealing(void) {
    uint32_t block;
    uint64_t at, mine;
    int status = lf_block_pool_try_alloc(&pool[1], &block, 1);
    if (status == LF_OK && lf_block_pool_seal(&pool[1], &block, 1, &mine, &at) == LF_OK)
        lf_store_relaxed(&ticket, mine + 1);
    over();
}
static void supersede(void) {
    uint32_t got[4];
    uint64_t at;
    int64_t count = lf_block_pool_supersede(&pool[2], lease_of_1, got);
    lf_model_assert(count >= 0);
    lf_model_assert(lf_block_pool_free(&pool[2], got, NULL, (uint64_t)count, &at) == LF_OK);
    over();
}

/* The same for blocks that thread 1 holds already. What is not its own any more was taken over, and each call says so. */
static void two_held(void) {
    two_blocks();
    lf_model_assert(lf_block_pool_try_alloc(&pool[1], together, 2) == LF_OK);
}
static void four_held(void) { /* by threads 1 and 2 */
    uint32_t got[2];
    start_as(4, 0);
    lf_model_assert(lf_block_pool_try_alloc(&pool[1], got, 2) == LF_OK && got[0] == 0 && got[1] == 1);
    lf_model_assert(lf_block_pool_try_alloc(&pool[2], got, 2) == LF_OK && got[0] == 2 && got[1] == 3);
}
static void one_shared(void) {
    uint64_t at;
    one_block();
    lf_model_assert(lf_block_pool_try_alloc(&pool[1], together, 1) == LF_OK);
    lf_model_assert(lf_block_pool_retain(&pool[1], together, 1, &at) == LF_OK);
}
static uint32_t taken_over[4];
static int64_t n_taken_over;
static void take_over(void) {
    n_taken_over = lf_block_pool_supersede(&pool[2], lease_of_1, taken_over);
    lf_model_assert(n_taken_over >= 0);
}
static void are_still_taken_over(void) {
    for (int64_t i = 0; i < n_taken_over; i++)
        lf_model_assert(lf__pool_holds(&pool[2], taken_over[i], NULL));
}
static void is_told(int status) { lf_model_assert(status == LF_OK || status == LF_SUPERSEDED); }
static void give_two_or_be_told(void) {
    uint64_t at;
    is_told(lf_block_pool_free(&pool[1], together, NULL, 2, &at));
}
static void give_one_or_be_told(void) {
    uint64_t at;
    is_told(lf_block_pool_free(&pool[1], together, NULL, 1, &at));
}

/* Two threads of one participant free the same block in the same generation, and one of them gets it again. The other one
 * names a generation that is over by then. */
static void free_both_as_they_were(void) {
    uint32_t first[2] = {0, 0};
    uint64_t at;
    int status = lf_block_pool_free(&pool[1], together, first, 2, &at);
    lf_model_assert(status == LF_OK || (status == LF_NOT_OWNER && at < 2));
}
static uint32_t got_again;
static int has_again;
static void free_one_and_get_it_again(void) {
    uint32_t first = 0;
    uint64_t at;
    if (lf_block_pool_free(&pool[1], &together[1], &first, 1, &at) == LF_OK)
        has_again = lf_block_pool_try_alloc(&pool[1], &got_again, 1) == LF_OK;
}
static void is_still_held(void) { lf_model_assert(!has_again || lf__pool_holds(&pool[1], got_again, NULL)); }
static void seal_or_be_told(void) {
    uint64_t at, mine;
    is_told(lf_block_pool_seal(&pool[1], together, 2, &mine, &at));
}
static void retain_or_be_told(void) {
    uint64_t at;
    is_told(lf_block_pool_retain(&pool[1], together, 1, &at));
}

/* A participant ends, and the next one of its number takes a block: that is not what is taken over. */
static void end_and_begin_again(void) {
    uint32_t block;
    uint64_t at;
    while (!lf__recover(&pool[1].h, 1))
        ;
    memset(&pool[1].own, 0, sizeof pool[1].own);
    lf_store_relaxed(&pool[1].h.segment->participants[1].in_use, 1u); /* as lf_join does */
    lf_model_assert(lf_block_pool_try_alloc(&pool[1], &block, 1) == LF_OK);
    lf_model_assert(lf_block_pool_free(&pool[1], &block, NULL, 1, &at) == LF_OK);
    over();
}
static void end_and_seal_again(void) {
    uint32_t block, got[2];
    uint64_t at, mine;
    while (!lf__recover(&pool[1].h, 1))
        ;
    lf_store_relaxed(&pool[1].h.segment->participants[1].in_use, 1u);
    lf_model_assert(lf_block_pool_try_alloc(&pool[1], &block, 1) == LF_OK);
    lf_model_assert(lf_block_pool_seal(&pool[1], &block, 1, &mine, &at) == LF_OK);
    lf_model_assert(lf_block_pool_adopt(&pool[1], mine, got) == 1);
    lf_model_assert(lf_block_pool_free(&pool[1], got, NULL, 1, &at) == LF_OK);
    over();
}
static void one_sealed(void) {
    uint32_t block;
    uint64_t at;
    one_block();
    lf_model_assert(lf_block_pool_try_alloc(&pool[3], &block, 1) == LF_OK);
    lf_model_assert(lf_block_pool_seal(&pool[3], &block, 1, &ticket, &at) == LF_OK);
}
static void end_and_adopt(void) {
    uint32_t got[2];
    uint64_t at;
    while (!lf__recover(&pool[1].h, 1))
        ;
    lf_store_relaxed(&pool[1].h.segment->participants[1].in_use, 1u);
    lf_model_assert(lf_block_pool_adopt(&pool[1], ticket, got) == 1);
    lf_model_assert(lf_block_pool_free(&pool[1], got, NULL, 1, &at) == LF_OK);
    over();
}
static void supersede_the_first(void) {
    uint32_t got[4];
    uint64_t at;
    int64_t count = lf_block_pool_supersede(&pool[2], lease_of_1, got);
    lf_model_assert(count >= 0 || count == LF_EMPTY);
    if (count > 0)
        lf_model_assert(lf_block_pool_free(&pool[2], got, NULL, (uint64_t)count, &at) == LF_OK);
    over();
}

/* Somebody sees that a block was handed over, and reads what is in it. */
static void look_at_it(void) {
    uint64_t word = lf_block_pool_look(&pool[2], 0);
    if (lf_block_is_held(word) && lf_block_lease(word) >= LF_PARTICIPANTS)
        lf_model_assert(data[0] == 7);
}

LF_MODEL_CLIENT(pool_one, .setup = one_block, .threads = {take_one, take_one}, .final = all_are_free,
                .spec = &lf_model_semaphore, .initial = 1);
LF_MODEL_CLIENT(pool_two, .setup = two_blocks, .threads = {take_two, take_two}, .final = all_are_free,
                .spec = &lf_model_semaphore, .initial = 2);
LF_MODEL_CLIENT(pool_two_and_one, .setup = two_blocks, .threads = {take_two, take_one}, .final = all_are_free,
                .spec = &lf_model_semaphore, .initial = 2);
LF_MODEL_CLIENT(pool_free_together, .setup = two_blocks, .threads = {take_two_and_free_together, take_one_of_two},
                .final = all_are_free);
LF_MODEL_CLIENT(pool_free_together_both, .setup = four_held, .threads = {free_two_together, free_two_together},
                .final = all_are_free);
LF_MODEL_CLIENT(pool_free_together_stopped, .setup = four_held, .threads = {free_two_together, free_two_together},
                .final = everything_comes_back, .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(pool_sleep, .setup = one_block, .threads = {sleeping_take, sleeping_take}, .final = all_are_free,
                .spins = 1);
LF_MODEL_CLIENT(pool_heir, .setup = two_blocks, .threads = {mortal, heir}, .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(pool_beside_the_dead, .setup = two_blocks, .threads = {mortal, busy}, .final = everything_comes_back,
                .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(pool_reaper_dies, .setup = with_the_dead, .threads = {mortal_reaper, heir}, .stop_is_death = 1,
                .may_stop = 2);
LF_MODEL_CLIENT(pool_seal_adopt, .setup = two_blocks, .threads = {seal_it, adopt_it}, .final = sealed_or_free);
LF_MODEL_CLIENT(pool_supersede, .setup = two_blocks, .threads = {superseded, supersede}, .final = all_are_free);
LF_MODEL_CLIENT(pool_supersede_sealing, .setup = two_blocks, .threads = {superseded_while_sealing, supersede},
                .final = sealed_or_free);
LF_MODEL_CLIENT(pool_supersede_the_next, .setup = one_block, .threads = {end_and_begin_again, supersede_the_first},
                .final = all_are_free);
LF_MODEL_CLIENT(pool_supersede_the_next_sealing, .setup = one_block,
                .threads = {end_and_seal_again, supersede_the_first}, .final = all_are_free);
LF_MODEL_CLIENT(pool_supersede_the_next_adopting, .setup = one_sealed, .threads = {end_and_adopt, supersede_the_first},
                .final = all_are_free);
LF_MODEL_CLIENT(pool_stack_supersede_the_next, .setup = stack_of_one,
                .threads = {end_and_begin_again, supersede_the_first}, .final = all_are_free);
LF_MODEL_CLIENT(pool_looked_at, .setup = one_block, .threads = {seal_it, look_at_it});
LF_MODEL_CLIENT(pool_told_freeing_two, .setup = two_held, .threads = {give_two_or_be_told, take_over},
                .final = are_still_taken_over);
LF_MODEL_CLIENT(pool_freed_by_two, .setup = two_held, .threads = {free_both_as_they_were, free_one_and_get_it_again},
                .final = is_still_held);
LF_MODEL_CLIENT(pool_told_freeing_one, .setup = two_held, .threads = {give_one_or_be_told, take_over});
LF_MODEL_CLIENT(pool_told_sharing_less, .setup = one_shared, .threads = {give_one_or_be_told, take_over});
LF_MODEL_CLIENT(pool_told_sealing, .setup = two_held, .threads = {seal_or_be_told, take_over});
LF_MODEL_CLIENT(pool_told_retaining, .setup = two_held, .threads = {retain_or_be_told, take_over});

/* The same with the order LIFO, where it makes a difference. */
LF_MODEL_CLIENT(pool_stack_one, .setup = stack_of_one, .threads = {take_one, take_one}, .final = all_are_free,
                .spec = &lf_model_semaphore, .initial = 1);
LF_MODEL_CLIENT(pool_stack_two, .setup = stack_of_two, .threads = {take_two, take_two}, .final = all_are_free,
                .spec = &lf_model_semaphore, .initial = 2);
LF_MODEL_CLIENT(pool_stack_two_and_one, .setup = stack_of_two, .threads = {take_two, take_one}, .final = all_are_free,
                .spec = &lf_model_semaphore, .initial = 2);
LF_MODEL_CLIENT(pool_stack_one_of_two, .setup = stack_of_two, .threads = {take_one, take_one}, .final = all_are_free,
                .spec = &lf_model_semaphore, .initial = 2);
LF_MODEL_CLIENT(pool_stack_sleep, .setup = stack_of_one, .threads = {sleeping_take, sleeping_take},
                .final = all_are_free, .spins = 1);
LF_MODEL_CLIENT(pool_stack_heir, .setup = stack_of_two, .threads = {mortal, heir}, .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(pool_stack_beside_the_dead, .setup = stack_of_two, .threads = {mortal, busy},
                .final = everything_comes_back, .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(pool_stack_reaper_dies, .setup = stack_with_the_dead, .threads = {mortal_reaper, heir},
                .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(pool_stack_supersede, .setup = stack_of_two, .threads = {superseded, supersede}, .final = all_are_free);

/* What is kept in the lanes of a stack. */
LF_MODEL_CLIENT(pool_lanes_one_each, .setup = two_kept, .threads = {take_one, take_one}, .final = all_are_free,
                .spec = &lf_model_semaphore, .initial = 2);
LF_MODEL_CLIENT(pool_lanes_both, .setup = two_kept, .threads = {take_one, take_two}, .final = all_are_free,
                .spec = &lf_model_semaphore, .initial = 2);
LF_MODEL_CLIENT(pool_lanes_called_in, .setup = two_kept, .threads = {take_two, take_two}, .final = all_are_free,
                .spec = &lf_model_semaphore, .initial = 2);
LF_MODEL_CLIENT(pool_lanes_heir, .setup = two_kept, .threads = {mortal_keeper, heir}, .stop_is_death = 1,
                .may_stop = 2);
LF_MODEL_CLIENT(pool_lanes_supersede, .setup = two_kept, .threads = {superseded, supersede}, .final = all_are_free);
LF_MODEL_CLIENT(pool_lanes_refusal, .setup = two_are_free, .threads = {give_then_take_as_another, take_two_of_them},
                .spec = &lf_model_semaphore, .initial = 2);

/* Blocks that are freed together. */
LF_MODEL_CLIENT(pool_bundle_called_in, .setup = kept_bundle, .threads = {take_and_give_both, take_and_give_both},
                .final = all_are_free, .spec = &lf_model_semaphore, .initial = 2);
LF_MODEL_CLIENT(pool_bundle_given, .setup = held_bundle, .threads = {give_both, take_and_give_both},
                .final = all_are_free, .spec = &lf_model_semaphore, .initial = 0);
LF_MODEL_CLIENT(pool_bundle_formed, .setup = two_singles, .threads = {give_both, take_and_give_both},
                .final = all_are_free, .spec = &lf_model_semaphore, .initial = 0);
LF_MODEL_CLIENT(pool_bundle_refusal, .setup = two_beside_a_bundle,
                .threads = {give_both_then_take_as_another, take_two_of_them}, .spec = &lf_model_semaphore,
                .initial = 2);
LF_MODEL_CLIENT(pool_bundle_freed_twice, .setup = held_bundle, .threads = {free_both, free_one_of_them},
                .final = each_is_freed_once);
LF_MODEL_CLIENT(pool_bundle_forming_twice, .setup = two_singles, .threads = {free_both, free_one_of_them},
                .final = each_is_freed_once);
LF_MODEL_CLIENT(pool_bundle_retained, .setup = two_singles, .threads = {free_both, retain_one_of_them});
LF_MODEL_CLIENT(pool_bundle_heir, .setup = held_bundle, .threads = {mortal_pair, heir}, .stop_is_death = 1,
                .may_stop = 2);
LF_MODEL_CLIENT(pool_bundle_forming_heir, .setup = two_singles, .threads = {mortal_pair, heir}, .stop_is_death = 1,
                .may_stop = 2);
LF_MODEL_CLIENT(pool_bundle_supersede, .setup = held_bundle, .threads = {give_or_be_superseded, supersede},
                .final = all_are_free);
LF_MODEL_CLIENT(pool_bundle_supersede_forming, .setup = two_singles, .threads = {give_or_be_superseded, supersede},
                .final = all_are_free);
LF_MODEL_CLIENT(pool_bundle_supersede_taking, .setup = kept_bundle, .threads = {take_or_be_superseded, supersede},
                .final = all_are_free);
