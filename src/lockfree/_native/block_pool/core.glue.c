#include "block_pool/look.h"

/* The process whose lease this is; 0: a batch, or nobody any more. */
static uint32_t lf_py_block_pool_pid(struct lf_block_pool *p, uint32_t lease) {
    return lease < LF_PARTICIPANTS ? lf_load_relaxed(&p->h.segment->participants[lease].pid) : 0;
}

/* *status says what became of it, also when a signal handler raises before Python has the answer. */
static void lf_py_block_pool_try_alloc(struct lf_block_pool *p, uint32_t *blocks, uint64_t n, int *status) {
    *status = lf_block_pool_try_alloc(p, blocks, n);
}
LF_PY_SURVEY(block_pool, {
    s->room = (int64_t)x->blocks;
    s->inside = 0;
    for (uint64_t i = 0; i < x->blocks; i++) {
        uint64_t word = lf_load_relaxed(&x->free_blocks.words[i]);
        uint32_t lease = lf_block_is_held(word) ? lf_block_lease(word) : 0;
        s->inside += lf_block_is_held(word);
        if (lease >= LF_PARTICIPANTS && lease < LF_PARTICIPANTS + LF_BATCHES)
            lease = 0; /* a batch's: nobody's in particular */
        lf_py_survey_hold(s, lease);
    }
})
