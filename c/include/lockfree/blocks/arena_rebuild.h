/* arena_rebuild.h: taking the arena's lock, and deriving everything again when its last holder died with it.
 *
 * Contract
 *   lf_arena_lock returns LF_OK with the lock; LF_BUSY: LF_ARENA_TRY, and somebody has it; LF_INTERRUPTED: LF_ARENA_AWHILE,
 *   and 100 ms have passed, or a signal came; LF_CLOSED, LF_LOST, LF_CORRUPT without it.
 *   The next holder after a dead one drops what nobody holds, and makes the page runs, free
 *   lists and counts from the truth (arena_table.h). It is O(pages / 64 + blocks). If it dies, too, the next one begins
 *   again. What cannot be true (two blocks in one page) is LF_CORRUPT, and stays so for everybody.
 * Nothing that sleeps, calls the system, or can take long is done with the lock, but for a rebuild. */
#ifndef LOCKFREE_ARENA_REBUILD_H
#define LOCKFREE_ARENA_REBUILD_H

#include "arena_pages.h"

enum lf_arena_patience { LF_ARENA_WAIT, LF_ARENA_TRY, LF_ARENA_AWHILE };
#define LF__ARENA_SPINS 40u

/* The pages of a live block are taken; -1: somebody has them already. The tree comes last. */
LF_INLINE int lf__rebuild_runs(struct lf_arena *a, uint32_t block) {
    uint32_t first = (uint32_t)(a->blocks[block].run >> 32), pages = (uint32_t)a->blocks[block].run;
    uint32_t extent = a->blocks[block].extent;
    for (uint32_t pieces = 0; pieces < LF_ARENA_PIECES; pieces++) {
        if (lf_pages_mark_only(&a->pages, first, pages, 0) != 0)
            return -1;
        a->body->free_pages -= pages;
        if (extent == 0)
            return 0;
        if (extent > a->n_extents || extent > a->body->extents_used)
            return -1;
        struct lf_arena_extent *it = &a->extents[extent - 1];
        it->unused = 1; /* in use */
        first = it->first;
        pages = it->pages;
        extent = it->next;
    }
    return -1;
}
LF_INLINE int lf__rebuild_slot(struct lf_arena *a, uint32_t block) {
    uint64_t run = a->blocks[block].run;
    if (!lf__slab_is_possible(a, run) || run >> 32 >= a->body->slabs_used)
        return -1;
    struct lf_arena_slab *slab = &a->slabs[run >> 32];
    if (slab->used == 0) {
        lf__slab_clear(a, slab);
        if (lf_pages_mark_only(&a->pages, slab->first, lf__slab_pages(a), 0) != 0)
            return -1;
        a->body->free_pages -= lf__slab_pages(a);
    }
    uint64_t bit = UINT64_C(1) << (run & 63), *word = &slab->free[(run & 255) / 64];
    if ((*word & bit) == 0)
        return -1;
    *word &= ~bit;
    slab->used++;
    return 0;
}

/* Everything that is derived. LF_OK or LF_CORRUPT. */
LF_INLINE int lf__arena_rebuild(struct lf_arena *a) {
    struct lf_arena_body *body = a->body;
    if (body->blocks_used > a->n_blocks || body->holds_used > a->n_holds || body->extents_used > a->n_extents ||
        body->slabs_used > a->n_slabs)
        return LF_CORRUPT;
    body->free_block = body->free_hold = body->free_extent = body->free_slab = 0;
    lf_store_relaxed(&body->let_go, 1u); /* the dead one may have been about to look for those */
    body->live_blocks = body->live_holds = 0;
    memset(body->partial, 0, sizeof body->partial);
    lf_pages_fill(&a->pages);
    lf_store_relaxed(&body->free_pages, (uint64_t)a->n_pages);
    for (uint32_t i = 0; i < body->blocks_used; i++)
        a->blocks[i].holders = 0;
    for (uint32_t i = 0; i < body->extents_used; i++)
        a->extents[i].unused = 0;
    for (uint32_t i = 0; i < body->slabs_used; i++)
        a->slabs[i].used = 0;
    for (uint32_t i = 0; i < body->holds_used; i++) {
        uint64_t word = lf_load_relaxed(&a->holds[i]);
        if (lf__hold_counts(a, word) && lf__hold_block(word) < body->blocks_used) {
            a->blocks[lf__hold_block(word)].holders++;
            body->live_holds++;
        } else {
            lf_store_relaxed(&a->holds[i], (uint64_t)0);
            LF__ARENA_GIVE(a, free_hold, LF__ARENA_NEXT_HOLD, i);
        }
    }
    for (uint32_t i = 0; i < body->blocks_used; i++) {
        struct lf_arena_block *it = &a->blocks[i];
        uint64_t word = lf_load_relaxed(&it->word);
        if (lf__block_is_live(word) && it->holders == 0 && lf__promises(it->promised) == 0) {
            word = (uint64_t)(lf__arena_generation(word) + 1) << 32;
            lf_store_release(&it->word, word); /* its last holder had let it go, and died before the block was free */
        }
        if (!lf__block_is_live(word)) {
            LF__ARENA_GIVE(a, free_block, LF__ARENA_NEXT_BLOCK, i);
            continue;
        }
        body->live_blocks++;
        if ((it->bytes & LF__ARENA_IS_SLOT ? lf__rebuild_slot(a, i) : lf__rebuild_runs(a, i)) != 0)
            return LF_CORRUPT;
    }
    for (uint32_t i = 0; i < body->extents_used; i++)
        if (a->extents[i].unused == 0)
            LF__ARENA_GIVE(a, free_extent, LF__ARENA_NEXT_EXTENT, i);
    for (uint32_t i = 0; i < body->slabs_used; i++) {
        if (a->slabs[i].used == 0)
            LF__ARENA_GIVE(a, free_slab, LF__ARENA_NEXT_SLAB, i);
        else if (a->slabs[i].used < lf__slots(a, a->slabs[i].size_class))
            lf__slab_link(a, i);
    }
    lf_pages_grow_tree(&a->pages);
    return LF_OK;
}

/* ---- the lock ---- */

LF_INLINE void lf_arena_unlock(struct lf_arena *a) { lf__lock_release(&a->h, &a->body->lock); }

/* The caller got the lock with `status`. */
LF_INLINE int lf__arena_locked(struct lf_arena *a, int status) {
    if (LF_LIKELY(status != LF_OWNER_DIED))
        return status == LF_NOT_RECOVERABLE ? (int)LF_CORRUPT : status;
    status = lf__arena_rebuild(a);
    if (status == LF_OK)
        lf__lock_recover(&a->h, &a->body->lock);
    else
        lf_arena_unlock(a); /* not recovered: everybody is told so from now on */
    return status;
}
LF_INLINE int lf_arena_lock(struct lf_arena *a, enum lf_arena_patience patience) {
    uint64_t *word = &a->body->lock;
    int status;
    if (patience == LF_ARENA_AWHILE) {
        status = lf_owner_lock_acquire_awhile(&a->h, word, LF__ARENA_SPINS, LF_FOREVER);
    } else if (patience == LF_ARENA_TRY) {
        status = lf_owner_lock_acquire(&a->h, word, 0, 0);
        status = status == LF_TIMEDOUT ? (int)LF_BUSY : status;
    } else {
        do
            status = lf_owner_lock_acquire(&a->h, word, LF__ARENA_SPINS, LF_FOREVER);
        while (status == LF_INTERRUPTED); /* its holder will not have it for long */
    }
    return lf__arena_locked(a, status);
}

#endif
