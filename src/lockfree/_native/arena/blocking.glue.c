#define LF_PY_ARENA_PATIENCE LF_ARENA_AWHILE
#include "arena/calls.h"

static int lf_py_arena_alloc(struct lf_arena *a, uint64_t bytes, uint64_t align, uint64_t deadline,
                             struct lf_arena_hold *hold) {
    struct lf__arena_call call = {a, bytes, align, hold, LF_ARENA_AWHILE};
    return lf_block_on(&a->h, &a->body->freed, lf__arena_attempt, &call, LF_EMPTY, deadline);
}
