#include "block_allocator.h"
#include "lockfree_model.h"

enum { BLOCKS = 5 };
static struct pool *pool;
static void five(void) {
    pool = lf_model_shared(pool_size(BLOCKS));
    pool_init(pool, BLOCKS, UINT32_MAX - 5);
}
static void one(void) {
    pool = lf_model_shared(pool_size(1));
    pool_init(pool, 1, 0);
}

static int different(const uint32_t *taken, uint32_t count) {
    uint32_t mask = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (taken[i] >= BLOCKS || (mask >> taken[i] & 1) != 0)
            return 0;
        mask |= UINT32_C(1) << taken[i];
    }
    return 1;
}

static void rounds(void) {
    uint32_t taken[BLOCKS + 1];
    for (uint32_t turn = 0; turn < 6; turn++) {
        for (uint32_t block = 0; block < BLOCKS; block++)
            lf_model_assert(pool_alloc(pool, 1, &taken[block]));
        lf_model_assert(different(taken, BLOCKS));
        uint32_t none;
        lf_model_assert(!pool_alloc(pool, 1, &none));
        for (uint32_t i = 0; i < BLOCKS; i++)
            lf_model_assert(pool_drop(pool, taken[(i + turn) % BLOCKS]));
        lf_model_assert(pool_alloc(pool, BLOCKS, taken) && different(taken, BLOCKS));
        for (uint32_t i = 0; i < BLOCKS; i++)
            lf_model_assert(pool_drop(pool, taken[i]));
    }
}

static void refused(void) {
    uint32_t taken[BLOCKS + 2], more[BLOCKS + 2];
    lf_model_assert(pool_alloc(pool, 3, taken));
    int too_many = pool_alloc(pool, 3, more) || pool_alloc(pool, BLOCKS + 1, more);
    lf_model_assert(!too_many);
    int nothing_was_taken = pool_alloc(pool, 2, taken + 3);
    lf_model_assert(nothing_was_taken);
    lf_model_assert(different(taken, BLOCKS));
    lf_model_assert(!pool_alloc(pool, 1, more));
}

static void shared(void) {
    uint32_t block, again;
    for (int turn = 0; turn < 3; turn++) {
        lf_model_assert(pool_alloc(pool, 1, &block) && block == 0);
        pool_share(pool, block);
        pool_share(pool, block);
        lf_model_assert(!pool_drop(pool, block) && !pool_drop(pool, block));
        lf_model_assert(!pool_alloc(pool, 1, &again));
        lf_model_assert(pool_drop(pool, block));
    }
}

LF_MODEL_CLIENT(edge_refused, .setup = five, .threads = {refused});
LF_MODEL_CLIENT(edge_rounds, .setup = five, .threads = {rounds});
LF_MODEL_CLIENT(edge_shared, .setup = one, .threads = {shared});
