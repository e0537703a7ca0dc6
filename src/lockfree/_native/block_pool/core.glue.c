/* The generations of blocks, each below the pool's size. */
static void lf_py_block_pool_generations(struct lf_block_pool *p, const uint32_t *blocks, uint32_t *generations,
                                         uint64_t n) {
    for (uint64_t i = 0; i < n; i++)
        generations[i] = lf_block_generation(lf_block_pool_look(p, blocks[i]));
}

/* The process whose lease this is; 0: a batch, or nobody any more. */
static uint32_t lf_py_block_pool_pid(struct lf_block_pool *p, uint32_t lease) {
    return lease < LF_PARTICIPANTS ? lf_load_relaxed(&p->h.segment->participants[lease].pid) : 0;
}

/* *status says what became of it, also when a signal handler raises before Python has the answer. */
static void lf_py_block_pool_try_alloc(struct lf_block_pool *p, uint32_t *blocks, uint64_t n, int *status) {
    *status = lf_block_pool_try_alloc(p, blocks, n);
}
