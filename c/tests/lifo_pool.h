/* lifo_pool.h: a LIFO pool of 100 blocks in memory of this process, and a handle for each of its participants. */
#ifndef LF_TEST_LIFO_POOL_H
#define LF_TEST_LIFO_POOL_H

#include <lockfree/block_pool.h>

#include "check.h"

enum { BLOCKS = 100 };

static struct lf_block_pool *pools; /* the first one is nobody's */
static uint32_t n_pools;

static void start(uint32_t participants) {
    uint64_t bytes;
    CHECK_EQ(lf_block_pool_bytes(BLOCKS, LF_POOL_LIFO, &bytes), LF_OK);
    unsigned char *memory = check_map(bytes);
    pools = (struct lf_block_pool *)calloc(participants + 1, sizeof *pools);
    n_pools = participants;
    CHECK_EQ(lf_block_pool_create_local(&pools[0], memory, BLOCKS, 0, LF_POOL_LIFO), LF_OK);
    for (uint32_t t = 1; t <= participants; t++)
        CHECK_EQ(lf_segment_attach_local(&pools[t].h, &lf_block_pool_kind, memory, t), LF_OK);
}
static void end(void) {
    for (uint32_t t = 0; t <= n_pools; t++)
        lf_block_pool_close(&pools[t]);
    free(pools);
}
static void all_can_be_had(struct lf_block_pool *p) {
    uint32_t all[BLOCKS];
    uint64_t at;
    unsigned char seen[BLOCKS] = {0};
    CHECK_EQ(lf_block_pool_available(p), BLOCKS);
    CHECK_EQ(lf_block_pool_try_alloc(p, all, BLOCKS), LF_OK);
    for (int i = 0; i < BLOCKS; i++)
        CHECK(!seen[all[i]]++);
    CHECK_EQ(lf_block_pool_available(p), 0);
    CHECK_EQ(lf_block_pool_free(p, all, NULL, BLOCKS, &at), LF_OK);
}

#endif
