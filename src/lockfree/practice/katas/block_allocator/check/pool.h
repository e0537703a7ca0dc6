/* What the clients share. Each block has a plain word: a single owner writes there, those that share it read. */
#include "block_allocator.h"
#include "lockfree_model.h"

enum { BLOCKS = 4, ALLOC = LF_MODEL_USER, SHARE, DROP };

static struct pool *pool;
static uint64_t content[BLOCKS];

static inline void make(uint32_t blocks) {
    pool = lf_model_shared(pool_size(blocks));
    pool_init(pool, blocks, UINT32_MAX - 2);
}

/* The blocks as a mask; 0 if refused. */
static inline uint64_t alloc(uint32_t count) {
    uint32_t taken[BLOCKS + 1];
    uint64_t mask = 0;
    lf_model_call(ALLOC, count);
    int done = pool_alloc(pool, count, taken);
    lf_model_assert(done || count > 0);
    for (uint32_t i = 0; done && i < count; i++) {
        lf_model_assert(taken[i] < BLOCKS);
        int twice = (mask >> taken[i] & 1) != 0;
        lf_model_assert(!twice);
        mask |= UINT64_C(1) << taken[i];
    }
    lf_model_return(mask);
    for (uint32_t block = 0; block < BLOCKS; block++)
        if (mask >> block & 1)
            content[block] = block + 100;
    return mask;
}

static inline int drop(uint32_t block) {
    lf_model_assert(content[block] == block + 100);
    lf_model_call(DROP, block);
    int last = pool_drop(pool, block);
    lf_model_return((uint64_t)last);
    return last;
}

static inline void share(uint32_t block) {
    lf_model_call(SHARE, block);
    pool_share(pool, block);
    lf_model_return(0);
}

static inline void drop_all(uint64_t mask) {
    for (uint32_t block = 0; block < BLOCKS; block++)
        if (mask >> block & 1)
            drop(block);
}

struct references {
    uint64_t of[BLOCKS];
};

static inline int pool_step(void *state, const struct lf_model_op *op, const struct lf_model_moment *moment) {
    struct references *references = state;
    if (op->what == SHARE) {
        references->of[op->argument]++;
        return 1;
    }
    if (op->what == DROP) {
        if (references->of[op->argument] == 0)
            return 0;
        references->of[op->argument]--;
        return op->pending || op->result == (references->of[op->argument] == 0);
    }
    uint64_t there = 0;
    for (uint64_t block = 0; block < moment->client->capacity; block++)
        there += references->of[block] == 0;
    if (op->result == 0)
        return there < op->argument || op->argument == 0;
    for (uint64_t block = 0; block < BLOCKS; block++) {
        if ((op->result >> block & 1) == 0)
            continue;
        if (references->of[block] != 0)
            return 0;
        references->of[block] = 1;
    }
    return 1;
}

static const struct lf_model_spec pool_spec = {"pool of blocks", sizeof(struct references), NULL, pool_step};
