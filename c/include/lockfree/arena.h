/* arena.h: blocks of variable size in one shared segment, held by several processes; those of the dead come back.
 *
 * Usage
 *   #include <lockfree/arena.h>
 *
 *   struct lf_arena arena;
 *   struct lf_arena_hold block;
 *   int status = lf_arena_create(&arena, "frames", 64 << 20, 0, 0); // others: lf_arena_attach(&arena, "frames")
 *   if (status == LF_OK)
 *       status = lf_arena_alloc(&arena, 1 << 20, 64, 0, &block); // LF_EMPTY: too little is free
 *   if (status == LF_OK) {
 *       struct lf_arena_handle handle;
 *       memset(block.address, 7, block.bytes);
 *       lf_arena_promise(&arena, &block, 1, &handle, LF_ARENA_WAIT); // for one reader; send these 16 bytes to it
 *       lf_arena_release(&arena, &block, LF_ARENA_WAIT);             // it stays for the reader, who calls lf_arena_open
 *   }
 *   lf_segment_unlink(&arena.h, "frames"); // nobody can attach any more; participants go on
 *   lf_detach(&arena.h);                   // this participant leaves, and what it held is released
 *
 * Contract
 *   alloc gives a block of at least `bytes` bytes that nobody else has, aligned to `align`. What stands in it is what its
 *   last holder left. A block lives as long as somebody holds it, or a promise is open. A promise is a reference on its
 *   way, in a handle: open makes a hold of the opener of it, in one step, so that a block on its way is never freed, also
 *   when its sender dies. A weak handle promises nothing: it opens the block while that lives.
 *   A refusal of alloc (LF_EMPTY) is exact: at one instant of the call fewer pages were free than the block needs, or all
 *   block numbers were in use, or the free pages lay in more than LF_ARENA_PIECES runs of which those were too few.
 *   Where the free pages lie does not matter otherwise: see arena_pages.h.
 * Progress: blocking, with a short critical section: alloc, open, release and all others take one robust lock
 *   (owner_lock.h). Its holder calls nobody and does not sleep. A process that is stopped in it stops the others.
 * Death: after that of the lock's holder, the next one derives everything again (arena_rebuild.h). What a dead one held
 *   is released, at the latest when somebody would wait for it. Promises stay: their handles may be on their way. Those
 *   that nobody will open are given up by lf_arena_drop and lf_arena_reclaim.
 * Layout, invariants: arena_table.h. Linearization points: the store of a block's word, a hold's word, or `promised`. */
#ifndef LOCKFREE_ARENA_H
#define LOCKFREE_ARENA_H

#include "blocks/arena_blocks.h"

#define LF_KIND_ARENA 43u
#define LF_ARENA_HUGE 1u /* flags of create */
#define LF_ARENA_PREFAULT 2u

static const struct lf_kind lf_arena_kind = {LF_KIND_ARENA, lf__arena_view, lf__arena_recover, 1};

/* ---- creating and attaching ---- */

/* The geometry for so many bytes of blocks. max_blocks 0: one for each four pages, at least 1024. */
LF_INLINE int lf_arena_geometry(uint64_t bytes, uint64_t page, uint64_t max_blocks, uint64_t flags,
                                uint64_t geometry[LF_GEOMETRY], struct lf__arena_places *at) {
    memset(at, 0, sizeof *at);
    if (bytes == 0 || bytes > LF_ARENA_MOST_PAGES * 4096)
        return LF_INVALID;
    geometry[0] = (bytes + page - 1) / page;
    geometry[1] = page;
    geometry[2] = max_blocks != 0 ? max_blocks : geometry[0] / 4 < 1024 ? 1024 : geometry[0] / 4;
    if (max_blocks == 0 && geometry[2] > LF_ARENA_MOST_BLOCKS / 16)
        geometry[2] = LF_ARENA_MOST_BLOCKS / 16;
    geometry[4] = flags;
    geometry[5] = 0;
    return lf__arena_places(geometry, at);
}
/* What a new arena begins with: the derived part of one in which nothing is. */
LF_INLINE void lf__arena_begin(struct lf_arena *a) {
    lf_pages_fill(&a->pages);
    lf_pages_grow_tree(&a->pages);
    lf_store_relaxed(&a->body->free_pages, (uint64_t)a->n_pages);
}
/* In zeroed memory of the caller. Others in the same process join with lf_segment_attach_local. */
LF_INLINE int lf_arena_create_local(struct lf_arena *a, void *memory, uint64_t bytes, uint64_t page,
                                    uint64_t max_blocks) {
    uint64_t geometry[LF_GEOMETRY];
    struct lf__arena_places at;
    geometry[3] = 1;
    int status = lf_arena_geometry(bytes, page, max_blocks, 0, geometry, &at);
    if (status == LF_OK)
        status = lf_segment_create_local(&a->h, &lf_arena_kind, memory, at.total, geometry);
    if (status == LF_OK)
        lf__arena_begin(a);
    return status;
}

#ifndef LF_MODEL
LF_INLINE int lf__arena_prepare(struct lf_arena *a) {
    uint64_t flags = a->h.segment->identity.geometry[4];
    if (flags & LF_ARENA_HUGE)
        lf__arena_advise(a);
    return flags & LF_ARENA_PREFAULT ? lf__arena_prefault(a) : LF_OK;
}
/* `bytes` of blocks, rounded up to pages. name NULL: anonymous. max_blocks 0: see lf_arena_geometry. flags:
 * LF_ARENA_HUGE, LF_ARENA_PREFAULT. */
LF_INLINE int lf_arena_create(struct lf_arena *a, const char *name, uint64_t bytes, uint64_t max_blocks,
                              uint64_t flags) {
    uint64_t geometry[LF_GEOMETRY], page = (uint64_t)sysconf(_SC_PAGESIZE);
    struct lf__arena_places at;
    lf__handle_clear(&a->h);
    geometry[3] = lf_now() ^ (uint64_t)getpid() << 40 ^ (uint64_t)(uintptr_t)a << 16;
    if (lf_arena_geometry(bytes, page < 4096 ? 4096 : page, max_blocks, flags, geometry, &at) != LF_OK)
        return LF_INVALID;
    int status = lf_segment_create_sparse(&a->h, name, &lf_arena_kind, at.total, at.metadata, geometry);
    if (status != LF_OK)
        return status;
    lf__arena_begin(a);
    status = lf__arena_prepare(a);
    if (status != LF_OK) {
        lf_segment_unmap(&a->h);
        return status;
    }
    return lf_segment_publish(&a->h, name);
}
LF_INLINE int lf__arena_attached(struct lf_arena *a, int status) {
    if (status == LF_OK && (status = lf__arena_prepare(a)) != LF_OK)
        lf_detach(&a->h);
    return status;
}
LF_INLINE int lf_arena_attach(struct lf_arena *a, const char *name) {
    return lf__arena_attached(a, lf_segment_attach(&a->h, name, &lf_arena_kind));
}
/* Through a descriptor from another process. Takes the descriptor over. */
LF_INLINE int lf_arena_attach_fd(struct lf_arena *a, int fd) {
    return lf__arena_attached(a, lf_segment_attach_fd(&a->h, fd, &lf_arena_kind));
}
#endif

/* ---- letting go ---- */

/* Releases a hold: LF_OK, also if it was released before, or is a parent's, seen in its forked child; LF_BUSY,
 * LF_INTERRUPTED (arena_rebuild.h): it is still held. After that nobody may touch the memory through this hold. On a closed
 * handle, which keeps what it held until it is detached, only the mapping goes. */
LF_INLINE int lf_arena_release(struct lf_arena *a, struct lf_arena_hold *hold, enum lf_arena_patience patience) {
    int status = LF_OK, freed = 0;
    if (!hold->held)
        return LF_OK;
    if (hold->epoch == lf_load_relaxed(a->h.current) && lf_load_relaxed(&a->h.epoch) == hold->epoch) {
        status = lf__arena_enter(a, patience);
        if (status == LF_BUSY || status == LF_INTERRUPTED)
            return status;
        if (status == LF_OK) {
            uint64_t word = lf_load_relaxed(&a->holds[hold->hold]);
            if (word == lf__hold_word(hold->block, hold->generation, a->h.participant)) {
                status = lf__arena_let_go(a, hold->hold);
                freed = 1;
            }
            lf_arena_unlock(a);
        }
        status = status == LF_CLOSED ? LF_OK : status;
    }
    hold->held = 0;
    lf_arena_unmap(hold);
    if (freed)
        lf_eventcount_notify_all(&a->body->freed);
    return status;
}

/* The same for a caller that cannot wait, such as a destructor: it never does. While somebody has the lock, the block
 * is not free yet; the next holder of the lock frees it. */
LF_INLINE void lf_arena_release_later(struct lf_arena *a, struct lf_arena_hold *hold) {
    if (!hold->held)
        return;
    int is_gone = hold->epoch == lf_load_relaxed(a->h.current) && lf_load_relaxed(&a->h.epoch) == hold->epoch &&
                  lf__arena_let_go_unlocked(a, hold);
    hold->held = 0;
    lf_arena_unmap(hold);
    if (is_gone)
        lf_eventcount_notify_all(&a->body->freed);
}

/* Memory and address of a block that the caller has just got; it is released if it cannot have them. */
LF_INLINE int lf__arena_furnish(struct lf_arena *a, struct lf_arena_hold *hold) {
    int status = lf_arena_populate(a, hold->block);
    if (status == LF_OK && (a->blocks[hold->block].bytes & LF__ARENA_MAPPED))
        status = lf_arena_map(a, hold);
    if (status != LF_OK) {
        int error = a->h.error;
        const char *doing = a->h.doing;
        lf_arena_release(a, hold, LF_ARENA_WAIT);
        a->h.error = error;
        a->h.doing = doing;
    }
    return status;
}

/* ---- taking ---- */

/* A block without memory or address yet: see lf_arena_try_alloc. */
LF_INLINE int lf__arena_obtain(struct lf_arena *a, uint64_t bytes, uint64_t align, struct lf_arena_hold *hold,
                               enum lf_arena_patience patience) {
    hold->held = 0;
    for (int round = 0;; round++) {
        int status = lf__enter_open(&a->h, LF__DRAINING);
        if (LF_UNLIKELY(status != LF_OK))
            return status;
        if (LF_UNLIKELY(bytes < 1 || bytes > a->n_pages * a->page_bytes || align < LF_ARENA_LEAST_ALIGN ||
                        align > LF_ARENA_MOST_ALIGN || (align & (align - 1)) != 0))
            return LF_INVALID;
        status = lf__arena_enter(a, patience);
        if (LF_UNLIKELY(status != LF_OK))
            return status;
        status = lf__arena_take(a, bytes, align, hold);
        lf_arena_unlock(a);
        if (status != LF_EMPTY || round > 0 || lf_reap_if_due(&a->h) <= 0)
            return status;
    }
}
/* One attempt: LF_OK, LF_EMPTY, LF_CLOSED, LF_INVALID (bytes outside 1..all pages, align no power of two in 64..2^30),
 * LF_SYSTEM (no memory, no room in the process's address space), LF_BUSY, LF_INTERRUPTED, LF_LOST, LF_CORRUPT. */
LF_INLINE int lf_arena_try_alloc(struct lf_arena *a, uint64_t bytes, uint64_t align, struct lf_arena_hold *hold,
                                 enum lf_arena_patience patience) {
    int status = lf__arena_obtain(a, bytes, align, hold, patience);
    return LF_LIKELY(status == LF_OK) ? lf__arena_furnish(a, hold) : status;
}

struct lf__arena_call {
    struct lf_arena *a;
    uint64_t bytes, align;
    struct lf_arena_hold *hold;
    enum lf_arena_patience patience;
};
LF_INLINE int lf__arena_attempt(void *operation) {
    struct lf__arena_call *call = (struct lf__arena_call *)operation;
    return lf_arena_try_alloc(call->a, call->bytes, call->align, call->hold, call->patience);
}
/* Waits while too little is free: deadline in ns of lf_now(), LF_FOREVER, or 0 to try once. Also returns
 * LF_INTERRUPTED. A wait for a large block may be overtaken by those for small ones. */
LF_INLINE int lf_arena_alloc(struct lf_arena *a, uint64_t bytes, uint64_t align, uint64_t deadline,
                             struct lf_arena_hold *hold) {
    struct lf__arena_call call = {a, bytes, align, hold, LF_ARENA_WAIT};
    return lf_block_on(&a->h, &a->body->freed, lf__arena_attempt, &call, LF_EMPTY, deadline);
}

/* ---- handing over ---- */

LF_INLINE int lf__arena_is_mine(const struct lf_arena *a, const struct lf_arena_hold *hold) {
    return hold->held && hold->hold < a->n_holds &&
           lf_load_relaxed(&a->holds[hold->hold]) == lf__hold_word(hold->block, hold->generation, a->h.participant);
}
/* Fills a handle with which `count` readers may open the block, each once; 0: a weak one. LF_OK, LF_NOT_OWNER (this
 * participant does not hold it), LF_OVERFLOW (more than 2^31 promises), LF_CLOSED, LF_BUSY, LF_INTERRUPTED, ... */
LF_INLINE int lf_arena_promise(struct lf_arena *a, const struct lf_arena_hold *hold, uint32_t count,
                               struct lf_arena_handle *handle, enum lf_arena_patience patience) {
    int status = lf__arena_enter(a, patience);
    if (status != LF_OK)
        return status;
    uint64_t *promised = &a->blocks[hold->block < a->n_blocks ? hold->block : 0].promised;
    if (!lf__arena_is_mine(a, hold)) {
        status = LF_NOT_OWNER;
    } else if (count > INT32_MAX - lf__promises(*promised)) {
        status = LF_OVERFLOW;
    } else {
        handle->identity = a->identity;
        handle->block = hold->block | (count == 0 ? LF_ARENA_WEAK : 0);
        handle->generation = hold->generation;
        if (count > 0) /* the handle comes first: it may stand where others find it after a death */
            lf_store_release(promised, lf_now() / 1000000000u << 32 | (lf__promises(*promised) + count));
    }
    lf_arena_unlock(a);
    return status;
}
/* A promise of the handle becomes a hold: LF_OK; LF_INVALID: a handle of another arena; LF_EMPTY: the block is gone;
 * LF_OVERFLOW: as many as were promised have opened it; LF_FULL: all holds are in use; LF_SYSTEM, ... */
LF_INLINE int lf_arena_open(struct lf_arena *a, const struct lf_arena_handle *handle, struct lf_arena_hold *hold,
                            enum lf_arena_patience patience) {
    hold->held = 0;
    int status = lf__arena_enter(a, patience);
    if (status != LF_OK)
        return status;
    status = lf__arena_open(a, handle, hold);
    lf_arena_unlock(a);
    return status == LF_OK ? lf__arena_furnish(a, hold) : status;
}

/* Gives up to `count` promises of a block up, of which the caller knows that nobody will open them. How many there were,
 * or LF_INVALID, LF_EMPTY (the block is gone), LF_BUSY, LF_INTERRUPTED, ... */
LF_INLINE int64_t lf_arena_drop(struct lf_arena *a, const struct lf_arena_handle *handle, uint32_t count,
                                enum lf_arena_patience patience) {
    uint32_t block;
    int64_t status = lf__arena_enter(a, patience);
    if (status != LF_OK)
        return status;
    status = lf__arena_find(a, handle, &block);
    if (status == LF_OK) {
        uint64_t *promised = &a->blocks[block].promised;
        count = count < lf__promises(*promised) ? count : lf__promises(*promised);
        lf_store_release(promised, *promised - count);
        status = lf__arena_free_if_idle(a, block);
    }
    lf_arena_unlock(a);
    lf_eventcount_notify_all(&a->body->freed);
    return status == LF_OK ? (int64_t)count : status;
}

#define LF__ARENA_CHUNK 4096u /* blocks that one critical section looks at */
/* Gives all promises up that were made before `before` (seconds of CLOCK_MONOTONIC, of the block's latest promise). How many
 * there were, or a status. *cursor: 0 at first; call again with it after LF_BUSY or LF_INTERRUPTED. */
LF_INLINE int64_t lf_arena_reclaim(struct lf_arena *a, uint64_t before, uint32_t *cursor,
                                   enum lf_arena_patience patience) {
    int64_t found = 0;
    int status = lf_enter(&a->h);
    while (status == LF_OK && *cursor < lf_load_relaxed(&a->body->blocks_used) && *cursor < a->n_blocks) {
        status = lf__arena_enter(a, patience);
        if (status != LF_OK)
            break;
        uint32_t end = *cursor + LF__ARENA_CHUNK;
        for (; *cursor < end && *cursor < a->body->blocks_used && *cursor < a->n_blocks; ++*cursor) {
            struct lf_arena_block *it = &a->blocks[*cursor];
            if (!lf__block_is_live(lf_load_relaxed(&it->word)) || lf__promises(it->promised) == 0 ||
                it->promised >> 32 >= before)
                continue;
            found += lf__promises(it->promised);
            lf_store_release(&it->promised, (uint64_t)0);
            status = lf__arena_free_if_idle(a, *cursor);
        }
        lf_arena_unlock(a);
        lf_eventcount_notify_all(&a->body->freed);
    }
    return status == LF_OK || found > 0 ? found : status;
}

/* ---- looking ---- */

struct lf_arena_stats {
    uint64_t free_pages;  /* in no block and no slab */
    uint64_t longest_run; /* of free pages */
    uint64_t largest;     /* pages of the largest block that alloc would give: of up to LF_ARENA_PIECES runs */
    uint64_t runs;        /* free runs */
    uint64_t populated;   /* pages that have memory */
    uint64_t blocks, holds, promises, allocs;
};
/* Pages in the longest LF_ARENA_PIECES free runs: how many there are of each length is found by halving. */
LF_INLINE void lf__arena_measure(const struct lf_pages *p, struct lf_arena_stats *stats) {
    uint64_t low = 1, high = p->pages, count, sum, all = 0;
    while (low <= high) { /* the shortest length of which at most so many runs are as long, or longer */
        uint64_t middle = all == 0 ? 1 : low + (high - low) / 2;
        uint32_t at = 0, length;
        count = sum = 0;
        while ((at = lf_pages_next_run(p, at, &length)) != LF_NO_PAGE) {
            count += length >= middle;
            sum += length >= middle ? length : 0;
            stats->longest_run = length > stats->longest_run ? length : stats->longest_run;
            at += length;
        }
        if (all == 0)
            stats->runs = count;
        all = 1;
        if (count <= LF_ARENA_PIECES) { /* those that are shorter by one fill up what is left of the pieces */
            uint64_t short_ones = middle > 1 ? (LF_ARENA_PIECES - count) * (middle - 1) : 0;
            stats->largest = sum + short_ones;
            high = middle - 1;
        } else {
            low = middle + 1;
        }
    }
    stats->largest = stats->largest < stats->free_pages ? stats->largest : stats->free_pages;
}
/* `words`: room for lf_pages_words(a->n_pages) words, of the caller. LF_OK, LF_CLOSED, LF_BUSY, LF_INTERRUPTED, ... */
LF_INLINE int lf_arena_stats(struct lf_arena *a, uint64_t *words, struct lf_arena_stats *stats,
                             enum lf_arena_patience patience) {
    struct lf_pages copy = a->pages;
    memset(stats, 0, sizeof *stats);
    int status = lf__arena_enter(a, patience);
    if (status != LF_OK)
        return status;
    stats->free_pages = a->body->free_pages;
    stats->blocks = a->body->live_blocks;
    stats->holds = a->body->live_holds;
    stats->allocs = a->body->allocs;
    for (uint32_t i = 0; i < a->body->blocks_used && i < a->n_blocks; i++)
        if (lf__block_is_live(lf_load_relaxed(&a->blocks[i].word)))
            stats->promises += lf__promises(a->blocks[i].promised);
    memcpy(words, a->pages.words, lf_pages_words(a->n_pages) * 8);
    lf_arena_unlock(a);
    copy.words = words;
    lf__arena_measure(&copy, stats);
    for (uint64_t i = 0; i < lf_pages_words(a->n_pages); i++)
        stats->populated += (uint64_t)__builtin_popcountll(lf_load_relaxed(&a->populated[i]));
    return LF_OK;
}

/* Pages that are free: exact while nobody else runs. */
LF_INLINE uint64_t lf_arena_free_pages(struct lf_arena *a) {
    if (LF_UNLIKELY(lf_load_relaxed(&a->body->let_go) != 0) && lf__arena_enter(a, LF_ARENA_TRY) == LF_OK)
        lf_arena_unlock(a);
    return lf_load_relaxed(&a->body->free_pages);
}

LF_INLINE void lf_arena_shutdown(struct lf_arena *a, int immediate) {
    struct lf_eventcount *counts[] = {&a->body->freed};
    lf_shutdown(&a->h, immediate, counts, 1);
}
LF_INLINE void lf_arena_close(struct lf_arena *a) {
    struct lf_eventcount *counts[] = {&a->body->freed};
    lf_close(&a->h, counts, 1);
    lf_owner_lock_wake_all(&a->body->lock);
}

#endif
