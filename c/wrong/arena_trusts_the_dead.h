/* arena_trusts_the_dead.h: in the place of arena_rebuild.h: the next holder of the lock goes on with what a dead one left. */
#define lf__arena_rebuild lf__arena_rebuild_that_nobody_calls
#define lf__arena_locked lf__arena_locked_by_one_who_rebuilds
#define lf_arena_lock lf_arena_lock_by_one_who_rebuilds
#include <lockfree/blocks/arena_rebuild.h>
#undef lf__arena_rebuild
#undef lf__arena_locked
#undef lf_arena_lock

LF_INLINE int lf__arena_rebuild(struct lf_arena *a) { return (void)a, LF_OK; }
LF_INLINE int lf__arena_locked(struct lf_arena *a, int status) {
    if (status == LF_OWNER_DIED)
        lf__lock_recover(&a->h, &a->body->lock);
    return status == LF_OWNER_DIED ? LF_OK : status == LF_NOT_RECOVERABLE ? (int)LF_CORRUPT : status;
}
LF_INLINE int lf_arena_lock(struct lf_arena *a, enum lf_arena_patience patience) {
    int status = LF_BUSY;
    while (status == LF_BUSY) {
        status = lf_owner_lock_acquire(&a->h, &a->body->lock, LF__ARENA_SPINS, LF_FOREVER);
        status = status == LF_INTERRUPTED ? (int)LF_BUSY : status;
    }
    return (void)patience, lf__arena_locked(a, status);
}
