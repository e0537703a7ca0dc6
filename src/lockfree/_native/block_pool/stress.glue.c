#include <lockfree/block_pool.h>

/* One call on a BlockPool, chosen by weight. plan.kind: blocks that a client keeps at most, up to 64. plan.levels: so many
 * blocks it takes and frees at a time, which makes bundles (kept_bundles.h); 0: up to plan.batch. What it keeps is read from
 * its own records: an alloc that was answered and not freed. */
enum { LF__POOL_TRY, LF__POOL_TIMED, LF__POOL_FREE, LF__POOL_SHARE, LF__POOL_HAND };

struct lf__kept {
    const struct lf_stress_log *of;
    uint32_t count, blocks[64 + LF_STRESS_MAX_BATCH];
};
static __thread struct lf__kept lf__kept;

/* Opens an alloc of n blocks: n records, each of which says how many were wanted. */
static void lf_stress_open_allocs(struct lf_stress_client *c, uint32_t n) {
    lf_stress_open_many(c, LF_OP_ALLOC, NULL, NULL, n);
    for (uint32_t i = 1; i <= n; i++)
        c->log->records[c->log->count - i].arg2 = n;
}

static int lf__stress_pool_free(struct lf_block_pool *p, struct lf_stress_client *c, uint32_t n) {
    int64_t values[LF_STRESS_MAX_BATCH];
    uint64_t at;
    uint32_t *blocks = lf__kept.blocks + (lf__kept.count -= n);
    for (uint32_t i = 0; i < n; i++)
        values[i] = blocks[i];
    lf_stress_open_many(c, LF_OP_FREE, values, NULL, n);
    int status = lf_block_pool_free(p, blocks, NULL, n, &at);
    lf_stress_close_puts(c, n, n, 0);
    return status;
}

static int lf__stress_block_pool(struct lf_block_pool *p, struct lf_stress_client *c) {
    struct lf__kept *kept = &lf__kept;
    uint32_t which = lf__some_operation(c), got[LF_STRESS_MAX_BATCH];
    uint32_t n = c->plan.levels != 0 ? c->plan.levels : 1 + (uint32_t)lf__below(c, c->plan.batch);
    if (kept->of != c->log) { /* a new round */
        kept->of = c->log;
        kept->count = 0;
    }
    if (which >= LF__POOL_FREE && kept->count == 0)
        which = LF__POOL_TRY;
    if (which <= LF__POOL_TIMED && kept->count + n > c->plan.kind)
        which = LF__POOL_FREE;
    if (which >= LF__POOL_FREE)
        n = n < kept->count ? n : kept->count;
    uint64_t at, ticket;
    if (which == LF__POOL_FREE)
        return lf__stress_pool_free(p, c, n);
    uint32_t *last = kept->blocks + kept->count - n;
    if (which == LF__POOL_SHARE) { /* one reference more and less: nothing that a history would show */
        int status = lf_block_pool_retain(p, last, n, &at);
        return status == LF_OK ? lf_block_pool_free(p, last, NULL, n, &at) : status;
    }
    if (which == LF__POOL_HAND) { /* into a batch and out of it */
        uint32_t back[LF_STRESS_MAX_BATCH * 64];
        int status = p->blocks <= LF_STRESS_MAX_BATCH * 64 ? lf_block_pool_seal(p, last, n, &ticket, &at) : LF_OK;
        if (status != LF_OK || p->blocks > LF_STRESS_MAX_BATCH * 64)
            return status;
        int64_t count = lf_block_pool_adopt(p, ticket, back);
        return count == (int64_t)n ? LF_OK : count < 0 ? (int)count : LF_CORRUPT;
    }
    int64_t values[LF_STRESS_MAX_BATCH];
    uint64_t until = lf__some_deadline(c);
    lf_stress_open_allocs(c, n);
    int status = LF_INTERRUPTED;
    while (status == LF_INTERRUPTED)
        status = which == LF__POOL_TRY ? lf_block_pool_try_alloc(p, got, n) : lf_block_pool_alloc(p, got, n, until);
    if (status != LF_OK) {
        lf_stress_close_gets(c, n, NULL, NULL, 0, 1);
        return status == LF_EMPTY ? LF_OK : status;
    }
    for (uint32_t i = 0; i < n; i++)
        values[i] = kept->blocks[kept->count++] = got[i];
    lf_stress_close_gets(c, n, values, NULL, n, 0);
    return LF_OK;
}
LF_STRESS_LOOP(struct lf_block_pool, block_pool)
