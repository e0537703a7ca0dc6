#include <lockfree/arena.h>

static void lf_stress_open_allocs(struct lf_stress_client *c, uint32_t n); /* block_pool's */

/* One call on an Arena, chosen by weight. The history is that of a pool of units: the pages of the arena, or, where blocks
 * are small (plan.levels), the places of 64 bytes at which they begin. plan.kind: units that a client keeps at most, up
 * to 64. What a block holds is written over when it is allocated and read before it is released. */
enum { LF__ARENA_TRY, LF__ARENA_TIMED, LF__ARENA_RELEASE, LF__ARENA_SHARE, LF__ARENA_HAND };

static __thread struct {
    const struct lf_stress_log *of;
    uint32_t count, units;
    struct lf_arena_hold holds[64];
} lf__tenant;

/* The units of a block, for the history: how many. */
static uint32_t lf_stress_arena_units(void *object, const struct lf_arena_hold *hold, int64_t *units, uint32_t small) {
    struct lf_arena *a = (struct lf_arena *)object;
    uint32_t count = 0, first, pages;
    if (small) { /* also of a block that got a page, since no slab was to be had */
        units[0] = (hold->address - a->data) / 64;
        return 1;
    }
    for (uint32_t i = 0; (pages = lf__arena_run(a, hold->block, i, &first)) != 0; i++)
        while (pages-- > 0 && count < LF_STRESS_MAX_BATCH)
            units[count++] = first++;
    return count;
}
static uint64_t lf__tenant_mark(const struct lf_stress_client *c, const struct lf_arena_hold *hold) {
    return (uint64_t)c->client << 48 ^ (uint64_t)hold->generation << 16 ^ hold->block;
}
/* Each 64 bytes of the block begin with its mark. */
static void lf__tenant_write(const struct lf_stress_client *c, const struct lf_arena_hold *hold) {
    uint64_t mark = lf__tenant_mark(c, hold);
    for (uint64_t at = 0; at + 8 <= hold->bytes; at += 64)
        memcpy(hold->address + at, &mark, 8);
}
static int lf__tenant_reads(const struct lf_stress_client *c, const struct lf_arena_hold *hold) {
    uint64_t mark = lf__tenant_mark(c, hold);
    for (uint64_t at = 0; at + 8 <= hold->bytes; at += 64)
        if (memcmp(hold->address + at, &mark, 8) != 0)
            return 0;
    return 1;
}

static int lf__stress_arena_release(struct lf_arena *a, struct lf_stress_client *c) {
    int64_t values[LF_STRESS_MAX_BATCH];
    struct lf_arena_hold *hold = &lf__tenant.holds[--lf__tenant.count];
    uint32_t n = lf_stress_arena_units(a, hold, values, c->plan.levels);
    lf__tenant.units -= n;
    if (!lf__tenant_reads(c, hold))
        return LF_CORRUPT; /* in two hands */
    lf_stress_open_many(c, LF_OP_FREE, values, NULL, n);
    int status = lf_arena_release(a, hold, LF_ARENA_WAIT);
    lf_stress_close_puts(c, n, n, 0);
    return status;
}
/* One hold more and less, or a promise that is opened: nothing that a history would show. */
static int lf__stress_arena_share(struct lf_arena *a, int promise) {
    struct lf_arena_hold *hold = &lf__tenant.holds[lf__tenant.count - 1], other;
    struct lf_arena_handle handle;
    int status = lf_arena_promise(a, hold, (uint32_t)promise, &handle, LF_ARENA_WAIT);
    if (status == LF_OK && promise)
        status = lf_arena_release(a, hold, LF_ARENA_WAIT);
    if (status == LF_OK)
        status = lf_arena_open(a, &handle, promise ? hold : &other, LF_ARENA_WAIT);
    return status == LF_OK && !promise ? lf_arena_release(a, &other, LF_ARENA_WAIT) : status;
}

static int lf__stress_arena(struct lf_arena *a, struct lf_stress_client *c) {
    uint32_t which = lf__some_operation(c), small = c->plan.levels;
    uint32_t n = small ? 1 : 1 + (uint32_t)lf__below(c, c->plan.batch);
    uint64_t bytes = small ? 8 + lf__below(c, 1000) : n * a->page_bytes - lf__below(c, 100);
    if (lf__tenant.of != c->log) { /* a new round */
        lf__tenant.of = c->log;
        lf__tenant.count = lf__tenant.units = 0;
    }
    if (which >= LF__ARENA_RELEASE && lf__tenant.count == 0)
        which = LF__ARENA_TRY;
    if (which <= LF__ARENA_TIMED && lf__tenant.units + n > c->plan.kind) {
        which = LF__ARENA_RELEASE;
        if (lf__tenant.count == 0)
            return LF_OK;
    }
    if (which >= LF__ARENA_SHARE)
        return lf__stress_arena_share(a, which == LF__ARENA_HAND);
    if (which == LF__ARENA_RELEASE)
        return lf__stress_arena_release(a, c);
    int64_t values[LF_STRESS_MAX_BATCH];
    struct lf_arena_hold *hold = &lf__tenant.holds[lf__tenant.count];
    uint64_t until = lf__some_deadline(c);
    int status = LF_INTERRUPTED;
    lf_stress_open_allocs(c, n);
    while (status == LF_INTERRUPTED)
        status = which == LF__ARENA_TRY ? lf_arena_try_alloc(a, bytes, 64, hold, LF_ARENA_WAIT)
                                        : lf_arena_alloc(a, bytes, 64, until, hold);
    if (status != LF_OK && small) { /* whose refusals say nothing of units */
        lf_stress_forget(c, n);
        return status == LF_EMPTY ? LF_OK : status;
    }
    if (status != LF_OK) {
        lf_stress_close_gets(c, n, NULL, NULL, 0, 1);
        return status == LF_EMPTY ? LF_OK : status;
    }
    if (lf_stress_arena_units(a, hold, values, c->plan.levels) != n)
        return LF_CORRUPT;
    lf_stress_close_gets(c, n, values, NULL, n, 0);
    lf__tenant.units += n;
    lf__tenant.count++;
    lf__tenant_write(c, hold);
    return LF_OK;
}
LF_STRESS_LOOP(struct lf_arena, arena)
