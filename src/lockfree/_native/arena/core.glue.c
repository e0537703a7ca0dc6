#define LF_PY_ARENA_PATIENCE LF_ARENA_TRY
#include "arena/memory.h"

static uint64_t lf_py_arena_flags(struct lf_arena *a) { return a->h.segment->identity.geometry[4]; }
static uint64_t lf_py_arena_available(struct lf_arena *a) { return lf_arena_free_pages(a) * a->page_bytes; }
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
LF_PY_TYPE(arena_memory)
