/* calls.h: the calls of an Arena, once with the GIL kept, to try (LF_BUSY), and once with the GIL given up, to wait a
 * while for the lock (LF_INTERRUPTED). LF_PY_ARENA_PATIENCE says which. Handles are 16 bytes, aligned or not. */
#ifndef LOCKFREE_PY_ARENA_CALLS_H
#define LOCKFREE_PY_ARENA_CALLS_H

#include <lockfree/arena.h>

static int64_t lf_py_arena_drop(struct lf_arena *a, const void *bytes, uint32_t count) {
    struct lf_arena_handle handle;
    memcpy(&handle, bytes, sizeof handle);
    return lf_arena_drop(a, &handle, count, LF_PY_ARENA_PATIENCE);
}
/* Promises that are older than so many ns. */
static int64_t lf_py_arena_reclaim(struct lf_arena *a, uint64_t older, uint32_t *cursor) {
    uint64_t now = lf_now() / 1000000000u, age = older / 1000000000u;
    return lf_arena_reclaim(a, now >= age ? now - age + (older < 1000000000u) : 0, cursor, LF_PY_ARENA_PATIENCE);
}
static int lf_py_arena_stats(struct lf_arena *a, uint64_t *words, struct lf_arena_stats *stats) {
    return lf_arena_stats(a, words, stats, LF_PY_ARENA_PATIENCE);
}

#endif
