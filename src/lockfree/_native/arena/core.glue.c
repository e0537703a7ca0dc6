#define LF_PY_ARENA_PATIENCE LF_ARENA_TRY
#include "arena/calls.h"

/* Bytes of a block for whose first use the GIL is given up: the kernel clears its pages then. */
#define LF_PY_ARENA_LARGE 65536u

/* LF_BUSY: somebody has the lock. */
static int lf_py_arena_try_alloc(struct lf_arena *a, uint64_t bytes, uint64_t align, struct lf_arena_hold *hold) {
    int status = lf__arena_obtain(a, bytes, align, hold, LF_ARENA_TRY);
    if (status != LF_OK)
        return status;
    if (bytes >= LF_PY_ARENA_LARGE && !lf_arena_is_populated(a, hold->block))
        LF_PY_WITHOUT_GIL(status = lf__arena_furnish(a, hold));
    else
        status = lf__arena_furnish(a, hold);
    return status;
}
/* What is called when nothing refers to a block's memory any more, in whatever thread. */
static void lf_py_arena_let_go(struct lf_arena *a, struct lf_arena_hold *hold, void *address) {
    if (lf_arena_release(a, hold, LF_ARENA_TRY) == LF_BUSY)
        LF_PY_WITHOUT_GIL(lf_arena_release(a, hold, LF_ARENA_WAIT));
}
static uint64_t lf_py_arena_available(const struct lf_arena *a) {
    return lf_load_relaxed(&a->body->free_pages) * a->page_bytes;
}
LF_PY_SURVEY(arena, {
    uint32_t used = lf_load_relaxed(&x->body->holds_used);
    s->room = (int64_t)x->n_blocks;
    s->inside = (int64_t)lf_load_relaxed(&x->body->live_blocks);
    for (uint32_t i = 0; i < used && i < x->n_holds; i++) {
        uint64_t word = lf_load_relaxed(&x->holds[i]);
        if (lf__hold_counts(x, word))
            lf_py_survey_hold(s, lf__hold_participant(word));
    }
})
