/* pool_leases.h: building block of the block pool: its holders. Participants, and batches that outlive them.
 *
 * Contract
 *   A lease is a participant's own (below LF_PARTICIPANTS), or a batch. Every held block names its lease. Blocks go from
 *   one lease to another one by one; a batch's word and a participant's flag make that one step for everybody else.
 * Death: lf__pool_recover makes free what the dead participant held, and what is in batches that it was making or
 *   adopting. Sealed batches stay.
 * Layout: freed | a word for each participant | a word for each batch {version : 50 | state : 2 | participant : 12} | lanes |
 *   the queue or stack | LIFO: the lists of bundles
 * Invariants
 *   [B5] Only the participant in the word of a batch that is being made or adopted puts blocks in or takes them out, or
 *        the one that superseded it, after writing itself there.
 *   [B6] A superseding participant moves only what names a lease whose word it has made "superseded". That word changes
 *        when the participant ends, before the next one of its number can hold anything.
 * Linearization points: seal: the compare-and-swap of the batch word to sealed; adopt: that from sealed; supersede: its
 *   end. */
#ifndef LOCKFREE_POOL_LEASES_H
#define LOCKFREE_POOL_LEASES_H

#include "blocking.h"
#include "free_blocks.h"

#ifndef LF_BATCHES
#define LF_BATCHES 4096u /* part of the layout; only checks of every step take fewer */
#endif
LF_STATIC_ASSERT(LF_PARTICIPANTS + LF_BATCHES <= LF__LEASE_MASK + 1, "a lease has 13 bits");

enum lf__batch_state { LF__BATCH_FREE = 0, LF__BATCH_OPENING = 1, LF__BATCH_SEALED = 2, LF__BATCH_ADOPTING = 3 };

struct lf_block_pool_body {
    LF_ALIGNED struct lf_eventcount freed;       /* line 0: a waiter for blocks announces, a free looks */
    LF_ALIGNED uint32_t leases[LF_PARTICIPANTS]; /* {times given back : 31 | superseded : 1}; read by each operation */
    LF_ALIGNED uint64_t batches[LF_BATCHES];
    struct lf_lanes lanes;
};

struct lf_block_pool {
    struct lf_handle h;
    struct lf_block_pool_body *body;
    struct lf_runs free_blocks;
    struct lf_own_lane own; /* of this handle's participant */
    uint64_t blocks;
    uint64_t mode; /* enum lf_block_pool_mode */
};

/* How a pool is made; more than one: added up. */
enum lf_block_pool_mode {
    LF_POOL_LIFO = 1,       /* the blocks that became free last are handed out first; else those that did so first */
    LF_POOL_PERSISTENT = 2, /* `lockfree gc` keeps its name, also when no live process uses it */
};
#define LF__POOL_MODES (LF_POOL_LIFO | LF_POOL_PERSISTENT)

/* Bytes of a segment with so many blocks; LF_INVALID if out of bounds. geometry = {blocks, start, mode}. */
LF_INLINE int lf_block_pool_bytes(uint64_t blocks, uint64_t mode, uint64_t *bytes) {
    if (blocks < 1 || blocks > LF_RUNS_MAX)
        return LF_INVALID;
    *bytes = LF_BODY_OFFSET + sizeof(struct lf_block_pool_body) + lf_runs_bytes(blocks) +
             (mode & LF_POOL_LIFO ? lf_bundles_bytes(blocks) : 0);
    return LF_OK;
}

LF_INLINE int lf__pool_view(struct lf_handle *h) {
    struct lf_block_pool *p = (struct lf_block_pool *)h;
    uint64_t bytes = 0;
    p->blocks = h->segment->identity.geometry[0];
    p->mode = h->segment->identity.geometry[2];
    if (p->mode > LF__POOL_MODES)
        return lf_mismatch(h, "mode of the pool (at most)", p->mode, LF__POOL_MODES);
    if (lf_block_pool_bytes(p->blocks, p->mode, &bytes) != LF_OK || bytes != h->bytes)
        return lf_mismatch(h, "size in bytes for the geometry", h->bytes, bytes);
    p->body = (struct lf_block_pool_body *)(void *)h->body;
    lf_runs_view(&p->free_blocks, h->body + sizeof(struct lf_block_pool_body), p->blocks);
    p->free_blocks.lifo = (p->mode & LF_POOL_LIFO) != 0;
    p->free_blocks.lanes = &p->body->lanes;
    p->free_blocks.lists = (uint32_t *)(void *)((unsigned char *)p->free_blocks.ends + lf_runs_bytes(p->blocks));
    memset(&p->own, 0, sizeof p->own);
    return LF_OK;
}

/* ---- batches ---- */

LF_INLINE uint64_t lf__batch_word(uint64_t word, enum lf__batch_state state, uint32_t participant) {
    return (word >> (LF_PARTICIPANT_BITS + 2)) << (LF_PARTICIPANT_BITS + 2) | (uint64_t)state << LF_PARTICIPANT_BITS |
           participant;
}
LF_INLINE uint64_t lf__batch_over(uint64_t word) {
    return lf__batch_word(word + (UINT64_C(1) << (LF_PARTICIPANT_BITS + 2)), LF__BATCH_FREE, 0);
}
LF_INLINE enum lf__batch_state lf__batch_state_of(uint64_t word) {
    return (enum lf__batch_state)(word >> LF_PARTICIPANT_BITS & 3);
}
LF_INLINE int lf__batch_is_of(uint64_t word, uint32_t participant) {
    enum lf__batch_state state = lf__batch_state_of(word);
    return (state == LF__BATCH_OPENING || state == LF__BATCH_ADOPTING) && (word & LF_PARTICIPANT_MASK) == participant;
}
/* What a ticket names: the batch's number and the version of its word. */
LF_INLINE uint64_t lf__batch_ticket(uint32_t number, uint64_t word) {
    return (word >> (LF_PARTICIPANT_BITS + 2)) * LF_BATCHES + number;
}

/* ---- recovery ---- */

/* Does the word say that one of `gone` is making or adopting the batch? */
LF_INLINE int lf__batch_is_of_gone(uint64_t word, const struct lf_gone *gone) {
    uint32_t participant = (uint32_t)word & LF_PARTICIPANT_MASK;
    return lf__batch_is_of(word, participant) && lf_is_gone(gone, participant);
}
/* Is this lease what `gone` has: its own, or a batch that it was making or adopting? */
LF_INLINE int lf__pool_is_of(const struct lf_block_pool *p, uint32_t lease, const struct lf_gone *gone) {
    if (lease < LF_PARTICIPANTS)
        return lf_is_gone(gone, lease);
    return lease < LF_PARTICIPANTS + LF_BATCHES &&
           lf__batch_is_of_gone(lf_load_relaxed(&p->body->batches[lease - LF_PARTICIPANTS]), gone);
}

/* A piece of: booking the last claim if it was the dead one's; looking at each block; the batches. *cursor: the place in
 * the claim, then LF_RUN_MAX + 1 + block. */
LF_INLINE int lf__pool_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    struct lf_block_pool *p = (struct lf_block_pool *)h;
    const struct lf_runs *q = &p->free_blocks;
    struct lf_gone who = lf_who_is_gone(h, gone);
    uint64_t steps = 0, began = lf_now(), at = *cursor, first_block = LF_RUN_MAX + 1;
    for (uint32_t number = 0; at < first_block && (number = lf_next_gone(&who, number)) != 0;)
        while (at < first_block && !lf_free_blocks_book(q, number, &at, 1)) /* the last claim is one participant's */
            if (lf_piece_is_over(&steps, began))
                return *cursor = at, 0;
    for (uint32_t number = 0; (number = lf_next_gone(&who, number)) != 0;)
        lf_free_blocks_end_bundles(q, number); /* what is left in one then is held [U4] */
    int found = 0;
    for (at = at < first_block ? first_block : at; at < first_block + p->blocks; at++) {
        if (lf_piece_is_over(&steps, began))
            break;
        uint64_t block = at - first_block;
        uint32_t lease = lf_block_lease(lf_load_relaxed(lf_block_word(q, block)));
        if (lf__pool_is_of(p, lease, &who))
            found |= lf_free_blocks_recover(q, block, lease, h->participant);
    }
    if (found)
        lf_eventcount_notify_all(&p->body->freed);
    if (at < first_block + p->blocks)
        return *cursor = at, 0;
    for (uint32_t i = 0; i < LF_BATCHES; i++) {
        uint64_t word = lf_load_relaxed(&p->body->batches[i]);
        if (lf__batch_is_of_gone(word, &who))
            lf_cas_release(&p->body->batches[i], &word, lf__batch_over(word)); /* [T2] pairs with [T1] */
    }
    for (uint32_t number = 0; (number = lf_next_gone(&who, number)) != 0;) { /* the next of this number begins at 0 */
        uint32_t *lease = &p->body->leases[number];
        lf_store_relaxed(lease, (lf_load_relaxed(lease) | 1u) + 1);
    }
    return 1;
}

/* ---- moving ---- */

/* Is `superseded` still what the word of this participant's lease says? It changes when the participant ends; another may
 * have its number then. Asked after a word that names the lease was loaded with acquire. A next one wrote it with release,
 * after it had joined. So if it is a next one's, this says no; and if this says yes, the compare-and-swap of that word
 * changes nothing of a next one: each block and each batch has another word by then. */
LF_INLINE int lf__pool_is_same(const struct lf_block_pool *p, uint32_t participant, uint32_t superseded) {
    return lf_load_relaxed(&p->body->leases[participant]) == superseded;
}

/* Moves the blocks of lease `from` to lease `to`; their numbers into `blocks`, which has so much room. How many. What
 * `from` keeps is free: it is pushed. `superseded`: of a participant, the word of its lease. */
LF_INLINE uint64_t lf__pool_move(struct lf_block_pool *p, uint32_t from, uint32_t superseded, uint32_t to,
                                 uint32_t *blocks, uint64_t room) {
    uint64_t count = 0;
    for (uint64_t i = 0; i < p->blocks && count < room; i++) {
        uint64_t *at = lf_block_word(&p->free_blocks, i), word = lf_load_acquire(at); /* [W1] pairs with [W2] */
        while ((word & LF__BLOCK_HELD) && lf_block_lease(word) == from) {
            if (lf_block_is_in_bundle(word)) {
                word = lf_bundle_leave(&p->free_blocks, i, lf_load_acquire(at)); /* [W1] pairs with [W2] */
                continue;
            }
            if (lf__block_is_kept(word)) {
                word = lf_load_acquire(at); /* [W1] pairs with [W2] */
                if (lf__block_is_kept(word) && lf_stack_free(&p->free_blocks, i, &word, to) == LF_BUSY)
                    continue;
                break;
            }
            if (LF_UNLIKELY(from < LF_PARTICIPANTS && !lf__pool_is_same(p, from, superseded)))
                return count; /* all that it held came back */
            /* [W1], [W2]: the new holder goes on where the old one was */
            if (lf_cas_acq_rel(at, &word, lf__block_held_by(word, to, lf_block_references(word)))) {
                blocks[count++] = (uint32_t)i;
                break;
            }
        }
    }
    return count;
}

/* Ends a batch that the caller was making or adopting, unless somebody has superseded the caller. */
LF_INLINE int lf__batch_end(struct lf_block_pool *p, uint32_t number, uint64_t word) {
    return lf_cas_release(&p->body->batches[number], &word, lf__batch_over(word)); /* [T2] */
}

/* Moves the blocks of all batches that `other` is making or adopting to the caller. How many. */
LF_INLINE uint64_t lf__pool_move_batches_of(struct lf_block_pool *p, uint32_t other, uint32_t superseded,
                                            uint32_t *blocks, uint64_t room) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < LF_BATCHES; i++) {
        uint64_t word = lf_load_acquire(&p->body->batches[i]); /* [T1] */
        uint64_t mine = lf__batch_word(word, LF__BATCH_ADOPTING, p->h.participant);
        if (!lf__batch_is_of(word, other) || !lf__pool_is_same(p, other, superseded) ||
            !lf_cas_acq_rel(&p->body->batches[i], &word, mine)) /* [T1], [T2] */
            continue;
        count += lf__pool_move(p, LF_PARTICIPANTS + i, 0, p->h.participant, blocks + count, room - count);
        lf__batch_end(p, i, mine);
    }
    return count;
}

#endif
