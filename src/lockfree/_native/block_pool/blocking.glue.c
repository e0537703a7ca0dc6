#include "block_pool/look.h"

static void lf_py_block_pool_alloc(struct lf_block_pool *p, uint32_t *blocks, uint64_t n, uint64_t deadline,
                                   int *status) {
    *status = lf_block_pool_alloc(p, blocks, n, deadline);
}
