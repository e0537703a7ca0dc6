/* look.h: the state of many blocks, for Python. */
#ifndef LOCKFREE_PY_BLOCK_POOL_LOOK_H
#define LOCKFREE_PY_BLOCK_POOL_LOOK_H

#include <lockfree/block_pool.h>

/* Of each block its generation, and how many references it has: 0 if it is free, or if the pool has no such block. */
static void lf_py_block_pool_look(struct lf_block_pool *p, const uint32_t *blocks, uint32_t *generations,
                                  uint32_t *references, uint64_t n) {
    for (uint64_t i = 0; i < n; i++) {
        uint64_t word = lf_block_pool_look(p, blocks[i]);
        generations[i] = lf_block_generation(word);
        references[i] = lf_block_is_held(word) ? lf_block_references(word) : 0;
    }
}

#endif
