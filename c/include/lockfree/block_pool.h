/* block_pool.h: numbered blocks (pages of a cache, say), handed out all or nothing; those of a dead process come back.
 *
 * Usage
 *   #include <lockfree/block_pool.h>
 *
 *   struct lf_block_pool pool;
 *   int status = lf_block_pool_create(&pool, "kv", 4096, 0); // blocks 0..4095; others: lf_block_pool_attach(&pool, "kv")
 *   if (status != LF_OK)
 *       return status; // after LF_SYSTEM, pool.h.error is the errno
 *   uint32_t blocks[16];
 *   uint64_t at;
 *   status = lf_block_pool_try_alloc(&pool, blocks, 16); // all 16, or none: LF_EMPTY
 *   if (status == LF_OK)
 *       status = lf_block_pool_retain(&pool, blocks, 4, &at); // the first four are shared: they are freed twice
 *   if (status == LF_OK)
 *       status = lf_block_pool_free(&pool, blocks, NULL, 16, &at); // LF_NOT_OWNER: blocks[at] is not this process's
 *   lf_segment_unlink(&pool.h, "kv"); // nobody can attach any more; participants go on
 *   lf_detach(&pool.h);               // this participant leaves, and its blocks come back
 *
 * Contract
 *   A pool has blocks 0..blocks-1. alloc(n) takes n of them or none: those that have been free for longest, or with
 *   LF_POOL_LIFO those that became free last. Where several participants use a LIFO pool, alloc(n) first takes those that
 *   this one freed last, if it freed as many by one call (kept_blocks.h); a participant that is alone finds the order LIFO.
 *   alloc is linearizable: a refusal means that at one instant of the call fewer than n were free. A block is held by one
 *   lease, with a number of references; free() takes one away, and with the last one the block is free.
 *   Every participant has a lease of its own. Blocks of others, free blocks, and blocks whose generation is not the
 *   one that the caller names, are refused (LF_NOT_OWNER). A generation ends when a block becomes free.
 *   seal() moves blocks into a batch in one step. A batch belongs to nobody, and outlives its maker. adopt() takes all
 *   blocks of a batch over, once. supersede() takes over all blocks of a participant, alive or dead. From then on its
 *   calls are refused (LF_SUPERSEDED): after supersede() has returned, it changes nothing any more. Only a free that had
 *   already given blocks up (LF_RUN_BURST at most) goes on to publish them.
 * Progress: lock-free, but for lf_block_pool_alloc with a deadline, which sleeps (blocking.h). adopt and supersede look
 *   at every block.
 * Death: what a dead participant held is free again, at the latest when somebody would wait for it. Batches stay. One
 *   that was not sealed or not adopted completely counts as its maker's, or adopter's.
 * Layout, invariants and linearization points: pool_leases.h, run_queue.h, run_stack.h, kept_blocks.h,
 *   kept_bundles.h. */
#ifndef LOCKFREE_BLOCK_POOL_H
#define LOCKFREE_BLOCK_POOL_H

#include "blocks/pool_leases.h"

#define LF_KIND_BLOCK_POOL 32u

static const struct lf_kind lf_block_pool_kind = {LF_KIND_BLOCK_POOL, lf__pool_view, lf__pool_recover, 1};

/* ---- creating and attaching ---- */

LF_INLINE void lf__pool_init(struct lf_block_pool *p, uint32_t start) {
    if (p->free_blocks.lifo)
        lf_stack_init(&p->free_blocks, start & INT32_MAX);
    else
        lf_runs_init(&p->free_blocks, start);
}

/* In zeroed memory of the caller. Others in the same process join with lf_segment_attach_local. `start`: the first
 * position, or version; pass 0 (tests begin near the wraps). `mode`: enum lf_block_pool_mode, or 0. */
LF_INLINE int lf_block_pool_create_local(struct lf_block_pool *p, void *memory, uint64_t blocks, uint32_t start,
                                         uint32_t mode) {
    uint64_t bytes, geometry[LF_GEOMETRY] = {blocks, start, mode, 0, 0, 0};
    int status = mode > LF__POOL_MODES ? (int)LF_INVALID : lf_block_pool_bytes(blocks, mode, &bytes);
    if (status == LF_OK)
        status = lf_segment_create_local(&p->h, &lf_block_pool_kind, memory, bytes, geometry);
    if (status == LF_OK)
        lf__pool_init(p, start);
    return status;
}

#ifndef LF_MODEL
/* name NULL: anonymous. */
LF_INLINE int lf_block_pool_create_as(struct lf_block_pool *p, const char *name, uint64_t blocks, uint32_t start,
                                      uint32_t mode) {
    uint64_t bytes, geometry[LF_GEOMETRY] = {blocks, start, mode, 0, 0, 0};
    if (lf_block_pool_bytes(blocks, mode, &bytes) != LF_OK || mode > LF__POOL_MODES ||
        ((mode & LF_POOL_PERSISTENT) && name == NULL))
        return LF_INVALID;
    int status = lf_segment_create(&p->h, name, &lf_block_pool_kind, bytes, geometry);
    if (status != LF_OK)
        return status;
    lf__pool_init(p, start);
    return lf_segment_publish(&p->h, name);
}
LF_INLINE int lf_block_pool_create(struct lf_block_pool *p, const char *name, uint64_t blocks, uint32_t start) {
    return lf_block_pool_create_as(p, name, blocks, start, 0);
}
LF_INLINE int lf_block_pool_attach(struct lf_block_pool *p, const char *name) {
    return lf_segment_attach(&p->h, name, &lf_block_pool_kind);
}
/* Through a descriptor from another process. Takes the descriptor over. */
LF_INLINE int lf_block_pool_attach_fd(struct lf_block_pool *p, int fd) {
    return lf_segment_attach_fd(&p->h, fd, &lf_block_pool_kind);
}
#endif

/* ---- taking and giving back ---- */

LF_INLINE int lf__pool_enter(struct lf_block_pool *p) {
    int status = lf_enter(&p->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    /* [L3] pairs with [L1]: a participant that finds its blocks taken over also finds itself superseded. The words of the
     * blocks order that [W1], [W2]. Written after [L1], they were read before this. */
    return LF_UNLIKELY(lf_load_relaxed(&p->body->leases[p->h.participant]) & 1u) ? LF_SUPERSEDED : LF_OK;
}

/* Does this word say that the calling participant holds the block? */
LF_INLINE int lf__pool_is_mine(const struct lf_block_pool *p, uint64_t word) {
    return lf_block_is_held(word) && lf_block_lease(word) == p->h.participant;
}

/* The word of a block, which was `word`: if it is the caller's and in a bundle, this is taken apart first. */
LF_INLINE uint64_t lf__pool_alone(struct lf_block_pool *p, uint32_t block, uint64_t word) {
    return LF_UNLIKELY(lf_block_is_in_bundle(word) && lf__pool_is_mine(p, word))
               ? lf_bundle_leave(&p->free_blocks, block, word)
               : word;
}

/* Blocks that are not the caller's any more may have been taken over. [L3]: a call that finds them so sees it. */
LF_INLINE int lf__pool_why(struct lf_block_pool *p, int status) {
    return LF_UNLIKELY(status == LF_NOT_OWNER) && lf__pool_enter(p) == LF_SUPERSEDED ? (int)LF_SUPERSEDED : status;
}

/* One reference less. `generation`: what it must be, or NULL. `alone`: no other block is meant. LF_OK, LF_NOT_OWNER or
 * LF_CORRUPT. */
LF_INLINE int lf__pool_let_go(struct lf_block_pool *p, uint32_t block, int alone, const uint32_t *generation) {
    if (LF_UNLIKELY(block >= p->blocks))
        return LF_NOT_OWNER;
    uint64_t *at = lf_block_word(&p->free_blocks, block), word = lf_load_acquire(at); /* [W1] pairs with [W2] */
    for (;;) {
        if (LF_UNLIKELY(generation != NULL &&
                        *generation != lf_block_generation(lf_bundle_resolve(&p->free_blocks, block, word))))
            return LF_NOT_OWNER;
        if (LF_UNLIKELY(!lf__block_is_held_by(word, p->h.participant, 1))) {
            if (LF_UNLIKELY(lf_block_is_in_bundle(word) && lf__pool_is_mine(p, word))) {
                word = lf__pool_alone(p, block, word);
                continue;
            }
            if (!lf__pool_is_mine(p, word))
                return LF_NOT_OWNER;
            if (lf_cas_acq_rel(at, &word, word - 1)) /* [W2] pairs with [W1]: what this user of the block did is over */
                return LF_OK;
            continue;
        }
        int status = lf_free_blocks_free(&p->free_blocks, &p->own, block, &word, p->h.participant, alone);
        if (LF_LIKELY(status != LF_BUSY))
            return status;
    }
}

/* n blocks or none: LF_OK, LF_EMPTY, LF_CLOSED, LF_SUPERSEDED, LF_INVALID (n outside 1..min(blocks, LF_RUN_MAX)). */
LF_INLINE int lf_block_pool_try_alloc(struct lf_block_pool *p, uint32_t *blocks, uint64_t n) {
    int status = lf__pool_enter(p);
    if (LF_LIKELY(status == LF_OK) && lf_load_relaxed(&p->h.segment->ending) != LF__OPEN)
        status = LF_CLOSED;
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    if (LF_UNLIKELY(n < 1 || n > p->blocks || n > LF_RUN_MAX))
        return LF_INVALID;
    status = lf_free_blocks_claim(&p->free_blocks, &p->own, (uint32_t)n, p->h.participant, blocks);
    if (LF_UNLIKELY(status == LF_EMPTY) && lf_reap_if_due(&p->h) > 0)
        status = lf_free_blocks_claim(&p->free_blocks, &p->own, (uint32_t)n, p->h.participant, blocks);
    /* [L2] pairs with [L1]: either the superseding call sees our claim in the head, or we see that we were
     * superseded */
    if (LF_UNLIKELY(status == LF_OK && (lf_load_seq_cst(&p->body->leases[p->h.participant]) & 1u))) {
        for (uint64_t i = 0; i < n; i++)
            lf__pool_let_go(p, blocks[i], 0, NULL); /* not those that were taken over meanwhile */
        lf_eventcount_notify_all(&p->body->freed);
        return LF_SUPERSEDED;
    }
    return status;
}

struct lf__pool_call {
    struct lf_block_pool *p;
    uint32_t *blocks;
    uint64_t n;
};
LF_INLINE int lf__pool_attempt(void *operation) {
    struct lf__pool_call *call = (struct lf__pool_call *)operation;
    return lf_block_pool_try_alloc(call->p, call->blocks, call->n);
}
/* The same, but waits while too few are free: deadline in ns of lf_now(), LF_FOREVER, or 0 to try once. Also returns
 * LF_INTERRUPTED. A call for many blocks may be overtaken by calls for few. */
LF_INLINE int lf_block_pool_alloc(struct lf_block_pool *p, uint32_t *blocks, uint64_t n, uint64_t deadline) {
    struct lf__pool_call call = {p, blocks, n};
    return lf_block_on(&p->h, &p->body->freed, lf__pool_attempt, &call, LF_EMPTY, deadline);
}

/* Does the calling participant hold this block, in this generation (NULL: in any)? */
LF_INLINE int lf__pool_holds(const struct lf_block_pool *p, uint32_t block, const uint32_t *generation) {
    if (block >= p->blocks)
        return 0;
    uint64_t word = lf_load_acquire(lf_block_word(&p->free_blocks, block)); /* [W1] pairs with [W2] */
    word = lf_bundle_resolve(&p->free_blocks, block, word);
    return lf__pool_is_mine(p, word) && (generation == NULL || *generation == lf_block_generation(word));
}
/* The first of the blocks that the caller does not hold, n if it holds all. */
LF_INLINE uint64_t lf__pool_foreign(const struct lf_block_pool *p, const uint32_t *blocks, const uint32_t *generations,
                                    uint64_t n) {
    for (uint64_t i = 0; i < n; i++)
        if (!lf__pool_holds(p, blocks[i], generations != NULL ? &generations[i] : NULL))
            return i;
    return n;
}

/* One reference less to each; with the last one a block is free. `generations`: what they must be, or NULL. LF_OK;
 * LF_NOT_OWNER: blocks[*at] is not the caller's in that generation, and no reference was taken away, but if the same
 * block stands in the list too often or is freed by another thread meanwhile: then those before *at were;
 * LF_CLOSED, LF_SUPERSEDED. */
LF_INLINE int lf_block_pool_free(struct lf_block_pool *p, const uint32_t *blocks, const uint32_t *generations,
                                 uint64_t n, uint64_t *at) {
    int status = lf__pool_enter(p);
    *at = 0;
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    int several = LF_BUSY;
    if (n > 1) {
        several = lf_free_blocks_free_several(&p->free_blocks, &p->own, p->h.participant, blocks, generations, n);
        if (LF_UNLIKELY(several == LF_CORRUPT))
            return several;
        if (several == LF_BUSY && LF_UNLIKELY((*at = lf__pool_foreign(p, blocks, generations, n)) != n))
            return lf__pool_why(p, LF_NOT_OWNER);
    }
    for (*at = several == LF_OK ? n : 0; *at < n && LF_LIKELY(status == LF_OK);) {
        uint64_t before = *at;
        if (n > 1)
            status = lf_free_blocks_free_burst(&p->free_blocks, p->h.participant, blocks, generations, n, at);
        if (*at > before || LF_UNLIKELY(status != LF_OK))
            continue;
        status = lf__pool_let_go(p, blocks[*at], n == 1, generations != NULL ? &generations[*at] : NULL);
        *at += status == LF_OK;
    }
    if (LF_LIKELY(*at > 0))
        lf_eventcount_notify_after_rmw(&p->body->freed, UINT32_MAX); /* nobody knows how many each waits for */
    return lf__pool_why(p, status);
}

/* One reference more to each, or to none: LF_OK, LF_NOT_OWNER with *at, LF_OVERFLOW, LF_CLOSED, LF_SUPERSEDED. */
LF_INLINE int lf_block_pool_retain(struct lf_block_pool *p, const uint32_t *blocks, uint64_t n, uint64_t *at) {
    int status = lf__pool_enter(p);
    uint64_t i = 0;
    for (; status == LF_OK && i < n; i++) {
        uint64_t *where = blocks[i] < p->blocks ? lf_block_word(&p->free_blocks, blocks[i]) : NULL;
        uint64_t word = where != NULL ? lf_load_acquire(where) : 0; /* [W1] */
        do {
            word = lf__pool_alone(p, blocks[i], word);
            if (!lf__pool_is_mine(p, word))
                status = LF_NOT_OWNER;
            else if (lf_block_references(word) == LF_BLOCK_MOST_REFERENCES)
                status = LF_OVERFLOW;
        } while (status == LF_OK && !lf_cas_acquire(where, &word, word + 1)); /* [W1] */
        if (status != LF_OK)
            break;
    }
    *at = i;
    while (status != LF_OK && i-- > 0)
        lf__pool_let_go(p, blocks[i], 0, NULL);
    return lf__pool_why(p, status);
}

/* ---- handing over ---- */

/* Moves blocks of the caller, with all their references, into a new batch in one step. *ticket names it. LF_OK; LF_NOT_OWNER
 * with *at; LF_BUSY: LF_BATCHES batches are there already; LF_CLOSED, LF_SUPERSEDED. On failure nothing is changed. */
LF_INLINE int lf_block_pool_seal(struct lf_block_pool *p, const uint32_t *blocks, uint64_t n, uint64_t *ticket,
                                 uint64_t *at) {
    int status = lf__pool_enter(p);
    uint32_t me = p->h.participant, number = 0;
    uint64_t word = 0, i = 0;
    *at = 0;
    if (status != LF_OK)
        return status;
    for (; number < LF_BATCHES; number++) {
        uint64_t *batch = &p->body->batches[(me * 61 + number) % LF_BATCHES];
        word = lf_load_acquire(batch); /* [T1] pairs with [T2]: nothing is in it any more */
        if (lf__batch_state_of(word) == LF__BATCH_FREE &&
            lf_cas_acq_rel(batch, &word, lf__batch_word(word, LF__BATCH_OPENING, me))) /* [T2]: [B6] */
            break;
    }
    if (number == LF_BATCHES)
        return LF_BUSY;
    number = (me * 61 + number) % LF_BATCHES;
    for (; i < n && status == LF_OK; i += status == LF_OK) {
        uint64_t *where = blocks[i] < p->blocks ? lf_block_word(&p->free_blocks, blocks[i]) : NULL;
        uint64_t held = where != NULL ? lf_load_acquire(where) : 0; /* [W1] */
        do {
            held = lf__pool_alone(p, blocks[i], held);
            if (!lf__pool_is_mine(p, held))
                status = LF_NOT_OWNER;
        } while (status == LF_OK &&
                 !lf_cas_acq_rel(where, &held, /* [W1], [W2] */
                                 lf__block_held_by(held, LF_PARTICIPANTS + number, lf_block_references(held))));
    }
    *at = i;
    *ticket = lf__batch_ticket(number, word);
    uint64_t opened = lf__batch_word(word, LF__BATCH_OPENING, me);
    /* [T2]. It fails if the caller was superseded: then the one that did so has taken the batch over. */
    if (status == LF_OK &&
        lf_cas_release(&p->body->batches[number], &opened, lf__batch_word(word, LF__BATCH_SEALED, 0)))
        return LF_OK;
    for (; i-- > 0;) {
        uint64_t *where = lf_block_word(&p->free_blocks, blocks[i]), held = lf_load_relaxed(where);
        while (lf_block_lease(held) == LF_PARTICIPANTS + number &&
               !lf_cas_acq_rel(where, &held, lf__block_held_by(held, me, lf_block_references(held)))) /* [W1], [W2] */
            ;
    }
    lf__batch_end(p, number, lf__batch_word(word, LF__BATCH_OPENING, me));
    return status == LF_OK ? (int)LF_SUPERSEDED : lf__pool_why(p, status);
}

/* Takes over the blocks of a sealed batch, once. `blocks` has room for all blocks of the pool. How many, or LF_EMPTY: there
 * is no such batch, or not any more; LF_CLOSED, LF_SUPERSEDED. */
LF_INLINE int64_t lf_block_pool_adopt(struct lf_block_pool *p, uint64_t ticket, uint32_t *blocks) {
    int status = lf__pool_enter(p);
    if (status != LF_OK)
        return status;
    uint32_t number = (uint32_t)(ticket % LF_BATCHES);
    uint64_t *batch = &p->body->batches[number], word = lf_load_relaxed(batch);
    if (lf__batch_state_of(word) != LF__BATCH_SEALED || lf__batch_ticket(number, word) != ticket ||
        !lf_cas_acq_rel(batch, &word, /* [T1], [T2]: [B6] */
                        lf__batch_word(word, LF__BATCH_ADOPTING, p->h.participant)))
        return LF_EMPTY;
    uint64_t count = lf__pool_move(p, LF_PARTICIPANTS + number, 0, p->h.participant, blocks, p->blocks);
    if (!lf__batch_end(p, number, lf__batch_word(word, LF__BATCH_ADOPTING, p->h.participant)))
        return LF_SUPERSEDED; /* the one that did so has the blocks */
    return (int64_t)count;
}

/* The caller's lease, by which others can supersede it: the participant and how often its number was given back. */
LF_INLINE uint64_t lf_block_pool_lease(struct lf_block_pool *p) {
    uint32_t lease = lf_enter(&p->h) == LF_OK ? lf_load_relaxed(&p->body->leases[p->h.participant]) : 0;
    return (uint64_t)(lease >> 1) << LF_PARTICIPANT_BITS | p->h.participant;
}

/* Takes over all blocks of another participant, which is refused until it attaches again. `blocks` has room
 * for all blocks of the pool. How many, or LF_EMPTY: this lease has ended (its blocks came back); LF_INVALID: the
 * caller's own; LF_CLOSED, LF_SUPERSEDED. */
LF_INLINE int64_t lf_block_pool_supersede(struct lf_block_pool *p, uint64_t lease, uint32_t *blocks) {
    int status = lf__pool_enter(p);
    uint32_t other = (uint32_t)lease & LF_PARTICIPANT_MASK;
    if (status != LF_OK)
        return status;
    if (other == p->h.participant || other == 0 || other >= LF_PARTICIPANTS)
        return LF_INVALID;
    if (!lf_load_relaxed(&p->h.segment->participants[other].in_use)) /* a number that nobody has */
        return LF_EMPTY;
    uint32_t live = (uint32_t)(lease >> LF_PARTICIPANT_BITS) << 1, was = live;
    /* [L1] pairs with [L2], [L3] */
    if (!lf_cas_seq_cst(&p->body->leases[other], &was, live | 1u) && was != (live | 1u))
        return LF_EMPTY;
    uint64_t from = 0, room = p->blocks;
    lf_free_blocks_book(&p->free_blocks, other, &from, UINT64_MAX); /* [L2]: a claim that is not seen here sees [L1] */
    lf_free_blocks_end_bundles(&p->free_blocks, other);             /* [L2] */
    /* [B6]: it may end meanwhile, and another one may get its number */
    uint64_t count = lf__pool_move(p, other, live | 1u, p->h.participant, blocks, room);
    count += lf__pool_move_batches_of(p, other, live | 1u, blocks + count, room - count);
    /* what came from a batch meanwhile */
    return (int64_t)(count + lf__pool_move(p, other, live | 1u, p->h.participant, blocks + count, room - count));
}

/* ---- looking ---- */

/* How many are free: exact while nobody else runs. */
LF_INLINE uint64_t lf_block_pool_available(const struct lf_block_pool *p) {
    return lf_free_blocks_size(&p->free_blocks);
}

/* The word of a block (lf_block_is_held and so on); 0 for a number that no block has. */
LF_INLINE uint64_t lf_block_pool_look(const struct lf_block_pool *p, uint64_t block) {
    if (block >= p->blocks)
        return 0;
    uint64_t word = lf_load_acquire(lf_block_word(&p->free_blocks, block)); /* [W1] pairs with [W2] */
    return lf_bundle_resolve(&p->free_blocks, block, word);
}

LF_INLINE void lf_block_pool_close(struct lf_block_pool *p) {
    struct lf_eventcount *const counts[] = {&p->body->freed};
    lf_close(&p->h, counts, 1);
}
/* Nobody can allocate any more, and calls that wait are refused. Blocks can still be freed. */
LF_INLINE void lf_block_pool_shutdown(struct lf_block_pool *p, int immediate) {
    struct lf_eventcount *const counts[] = {&p->body->freed};
    lf_shutdown(&p->h, immediate, counts, 1);
}

#endif
