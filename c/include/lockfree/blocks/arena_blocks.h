/* arena_blocks.h: a block begins, is let go, and ends; the death of its holder. With the arena's lock.
 *
 * Contract: see arena.h. Each function changes the truth by one store (arena_table.h), and then what is derived from it. A
 *   death between the two is found by the next holder of the lock.
 * Death of a participant: lf__arena_recover releases what it held, hold by hold. It takes the lock for each, and only if it
 *   is free soon: a recovery may be done by a process that joins or leaves, and by one that waits for this very lock. */
#ifndef LOCKFREE_ARENA_BLOCKS_H
#define LOCKFREE_ARENA_BLOCKS_H

#include "arena_map.h"

/* ---- the end of a block ---- */

/* A block that nobody holds and nobody is promised. */
LF_INLINE int lf__arena_free_block(struct lf_arena *a, uint32_t block) {
    struct lf_arena_block *it = &a->blocks[block];
    uint64_t word = lf_load_relaxed(&it->word);
    lf_store_release(&it->word, (uint64_t)(lf__arena_generation(word) + 1) << 32); /* it is free from here on */
    int status = it->bytes & LF__ARENA_IS_SLOT ? lf__slot_give(a, it->run) : lf__runs_give(a, it->run, it->extent);
    a->body->live_blocks--;
    LF__ARENA_GIVE(a, free_block, LF__ARENA_NEXT_BLOCK, block);
    return status;
}
LF_INLINE int lf__arena_free_if_idle(struct lf_arena *a, uint32_t block) {
    const struct lf_arena_block *it = &a->blocks[block];
    return it->holders == 0 && lf__promises(it->promised) == 0 ? lf__arena_free_block(a, block) : LF_OK;
}
/* A hold that counts. */
LF_INLINE int lf__arena_let_go(struct lf_arena *a, uint32_t hold) {
    uint32_t block = lf__hold_block(lf_load_relaxed(&a->holds[hold]));
    lf_store_release(&a->holds[hold], (uint64_t)0); /* released from here on */
    LF__ARENA_GIVE(a, free_hold, LF__ARENA_NEXT_HOLD, hold);
    a->body->live_holds--;
    a->blocks[block].holders--;
    return lf__arena_free_if_idle(a, block);
}
LF_INLINE void lf__arena_hand_out(struct lf_arena *a, uint32_t block, uint32_t number, struct lf_arena_hold *hold) {
    const struct lf_arena_block *it = &a->blocks[block];
    hold->block = block;
    hold->hold = number;
    hold->generation = lf__arena_generation(lf_load_relaxed(&it->word));
    hold->bytes = it->bytes & LF__ARENA_BYTES;
    hold->mapping = NULL;
    hold->mapped = 0;
    hold->epoch = a->h.epoch;
    hold->held = 1;
    uint32_t first = (uint32_t)(it->run >> 32), slot = (uint32_t)it->run;
    hold->address = NULL;
    if (it->bytes & LF__ARENA_IS_SLOT)
        hold->address = a->data + a->slabs[first].first * a->page_bytes +
                        (uint64_t)slot * lf__arena_sizes[a->slabs[first].size_class];
    else if ((it->bytes & LF__ARENA_MAPPED) == 0)
        hold->address = a->data + first * a->page_bytes;
}

/* ---- let go without the lock ---- */

/* The lock's holder ends the holds that others have let go without it: LF_OK or LF_CORRUPT. */
LF_INLINE int lf__arena_sweep(struct lf_arena *a) {
    int status = LF_OK;
    if (LF_LIKELY(lf_load_relaxed(&a->body->let_go) == 0))
        return LF_OK;
    lf_exchange_acquire(&a->body->let_go, 0u); /* [G3] pairs with [G4]: the holds' words are readable */
    uint32_t used = lf_load_relaxed(&a->body->holds_used);
    for (uint32_t i = 0; i < used && i < a->n_holds && status == LF_OK; i++) {
        uint64_t word = lf_load_acquire(
            &a->holds[i]); /* [G1] pairs with [G2]: what its holder did with the block is over */
        if (word != 0 && lf__hold_participant(word) == 0 && lf__hold_counts(a, word))
            status = lf__arena_let_go(a, i);
    }
    return status;
}
/* The lock, as lf_arena_lock says, and nothing that was let go is left. */
LF_INLINE int lf__arena_enter(struct lf_arena *a, enum lf_arena_patience patience) {
    int status = lf_arena_lock(a, patience);
    if (LF_LIKELY(status == LF_OK) && (status = lf__arena_sweep(a)) != LF_OK)
        lf_arena_unlock(a);
    return status;
}
/* Lets a hold of the caller's go, without the lock. Whether it was the caller's. */
LF_INLINE int lf__arena_let_go_unlocked(struct lf_arena *a, const struct lf_arena_hold *hold) {
    uint64_t word = lf__hold_word(hold->block, hold->generation, a->h.participant);
    if (!lf_cas_release(&a->holds[hold->hold], &word, /* [G2] */
                        lf__hold_word(hold->block, hold->generation, 0)))
        return 0;
    lf_fetch_add_release(&a->body->let_go, 1u); /* [G4]. After a death before it, recovery looks for the hold */
    return 1;
}

/* ---- its begin ---- */

/* LF_OK, LF_EMPTY or LF_CORRUPT. */
LF_INLINE int lf__arena_take(struct lf_arena *a, uint64_t bytes, uint64_t align, struct lf_arena_hold *hold) {
    uint32_t size_class = lf__arena_class(a, bytes, align);
    uint64_t pages = lf__arena_pages_of(a, bytes), run = 0, flags = LF__ARENA_IS_SLOT;
    uint32_t extent = 0;
    int64_t number = lf__arena_take_hold(a), block = number < 0 ? number : lf__arena_take_block(a);
    int status = block == LF_CORRUPT ? LF_CORRUPT : block < 0 ? LF_EMPTY : LF_OK;
    if (status == LF_OK) {
        status = size_class < LF__ARENA_CLASSES ? lf__slot_take(a, size_class, &run) : (int)LF_EMPTY;
        if (status == LF_EMPTY) {
            status = lf__runs_take(a, pages, &run, &extent);
            flags = extent != 0 || align > a->page_bytes ? LF__ARENA_MAPPED : 0;
        }
    }
    if (status != LF_OK) {
        if (block >= 0)
            LF__ARENA_GIVE(a, free_block, LF__ARENA_NEXT_BLOCK, block);
        if (number >= 0)
            LF__ARENA_GIVE(a, free_hold, LF__ARENA_NEXT_HOLD, number);
        return status;
    }
    struct lf_arena_block *it = &a->blocks[block];
    uint32_t generation = lf__arena_generation(lf_load_relaxed(&it->word));
    it->run = run;
    it->extent = extent;
    it->bytes = flags | (uint64_t)__builtin_ctzll(align) << LF__ARENA_ALIGN_SHIFT | bytes;
    it->promised = 0;
    lf_store_release(&a->holds[number], lf__hold_word((uint32_t)block, generation, a->h.participant));
    lf_store_release(&it->word, (uint64_t)generation << 32 | LF__ARENA_LIVE); /* allocated from here on */
    it->holders = 1;
    a->body->live_holds++;
    a->body->live_blocks++;
    a->body->allocs++;
    lf__arena_hand_out(a, (uint32_t)block, (uint32_t)number, hold);
    return LF_OK;
}

/* ---- the death of a participant ---- */

/* The lock, without lf_enter: for a recovery, which a joiner or a leaver may do. It gives up after some pauses. A dead
 * holder is recovered first: else a round over the dead could wait for a later one of them for ever. */
LF_INLINE int lf__arena_seize(struct lf_arena *a) {
    uint64_t seen, *word = &a->body->lock;
    int status = lf__lock_take(word, lf__lock_me(&a->h), 0, &seen);
#ifndef LF_MODEL
    for (uint32_t i = 0; status == LF_TIMEDOUT && i < LF__ARENA_SPINS; i++) {
        lf_pause();
        status = lf__lock_take(word, lf__lock_me(&a->h), 0, &seen);
    }
#endif
    if (status == LF_TIMEDOUT && lf__reap_number(&a->h, lf__lock_participant(seen)) != LF__NOT_DEAD)
        status = lf__lock_take(word, lf__lock_me(&a->h), 0, &seen);
    status = lf__arena_locked(a, status);
    if (status == LF_OK && (status = lf__arena_sweep(a)) != LF_OK)
        lf_arena_unlock(a);
    return status;
}
LF_INLINE int lf__arena_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    struct lf_arena *a = (struct lf_arena *)h;
    struct lf_gone who = lf_who_is_gone(h, gone);
    uint64_t steps = 0, began = lf_now(), at = *cursor, freed = 0;
    int status = LF_OK;
    for (uint32_t number = 0; (number = lf_next_gone(&who, number)) != 0;)
        lf_owner_lock_recover_dead(&a->body->lock, number);
    if (at == 0) /* a dead one may have let go, and said it to nobody */
        lf_fetch_add_release(&a->body->let_go, 1u);
    uint32_t used = lf_load_relaxed(&a->body->holds_used);
    for (; at < used && at < a->n_holds && !lf_piece_is_over(&steps, began); at++) {
        if (!lf_is_gone(&who, lf__hold_participant(lf_load_relaxed(&a->holds[at]))))
            continue;
        status = lf__arena_seize(a);
        if (status != LF_OK)
            break;
        uint64_t word = lf_load_relaxed(&a->holds[at]); /* once more: a rebuild may have dropped it */
        if (lf_is_gone(&who, lf__hold_participant(word)) && lf__hold_counts(a, word))
            status = lf__arena_let_go(a, (uint32_t)at);
        lf_arena_unlock(a);
        freed++;
        if (status != LF_OK)
            break;
    }
    if (freed > 0)
        lf_eventcount_notify_all(&a->body->freed);
    *cursor = at;
    return status == LF_CORRUPT || at >= used || at >= a->n_holds;
}

/* ---- handles ---- */

/* With the lock: the block of a handle; LF_INVALID: of another arena; LF_EMPTY: it is free, or was since. */
LF_INLINE int lf__arena_find(const struct lf_arena *a, const struct lf_arena_handle *handle, uint32_t *block) {
    *block = handle->block & ~LF_ARENA_WEAK;
    if (handle->identity != a->identity || *block >= a->n_blocks)
        return LF_INVALID;
    uint64_t word = lf_load_relaxed(&a->blocks[*block].word);
    return word == ((uint64_t)handle->generation << 32 | LF__ARENA_LIVE) ? LF_OK : LF_EMPTY;
}
/* A promise of a handle becomes a hold. See lf_arena_open. */
LF_INLINE int lf__arena_open(struct lf_arena *a, const struct lf_arena_handle *handle, struct lf_arena_hold *hold) {
    uint32_t block;
    int status = lf__arena_find(a, handle, &block);
    int counted = (handle->block & LF_ARENA_WEAK) == 0;
    if (status == LF_OK && counted && lf__promises(a->blocks[block].promised) == 0)
        status = LF_OVERFLOW;
    int64_t number = status == LF_OK ? lf__arena_take_hold(a) : -1;
    if (status == LF_OK && number < 0)
        status = number == LF_CORRUPT ? LF_CORRUPT : LF_FULL;
    if (status == LF_OK) {
        struct lf_arena_block *it = &a->blocks[block];
        uint64_t word = lf__hold_word(block, handle->generation, a->h.participant);
        lf_store_release(&a->holds[number], word); /* of a weak handle: from here on */
        if (counted) /* opened from here on. After a death in between the hold is the dead one's, and is released */
            lf_store_release(&it->promised, it->promised - 1);
        it->holders++;
        a->body->live_holds++;
        lf__arena_hand_out(a, block, (uint32_t)number, hold);
    }
    return status;
}

#endif
