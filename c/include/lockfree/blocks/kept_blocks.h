/* kept_blocks.h: building block: a participant keeps near what it made free last; every call that needs it finds it.
 *
 * Contract
 *   With the order LIFO, blocks that are taken and freed one by one go through a lane of the participant, and not through
 *   the stack. So do several that are freed together, if the last call for several took as many: as a bundle
 *   (kept_bundles.h). A kept block is free: it is counted, and a claim that finds too few in the stack calls all kept
 *   blocks in. A refusal is as exact as that of the stack. A participant that is alone finds the order LIFO; of several
 *   each gets first what it freed last itself.
 *   One thread of a participant uses its lane. The others, and participants from LF_LANES on, use the stack.
 * Progress: lock-free. Taking a kept block is one compare-and-swap of its word, and so is keeping one.
 * Death: a kept block names its keeper in its word, as a held one does, and recovery makes it free.
 *
 * Layout
 *   scarce   {version : 63 | on : 1}: while it is on, nobody keeps a block
 *   used     a bit for each lane that was ever used
 *   slots    {block + 1}, of each lane, in a circle; written by the lane's thread alone
 *   bundles  kept_bundles.h
 * Invariants
 *   [O1] A block that is kept alone stands in a slot of its keeper, and so does one that was kept and is being pushed,
 *        until it is in. What its thread keeps in bundles became free before what it keeps alone.
 *   [O2] A free that keeps a block then looks at `scarce`, and pushes it if that is on. Only then is it over.
 *   [O3] If `scarce` did not change since before the first look into the lanes, then every kept block that was not found
 *        belongs to a free that is not over. A lane is in `used` before it keeps anything.
 * Linearization points: take, keep: the compare-and-swap of the word, or of the bundle; keep while `scarce` is on: the push. A
 *   refusal: the load of `last` before the second look at `scarce`.
 * Wrap: `scarce` counts modulo 2^63.
 * Source: magazines of free objects in front of a common store: Bonwick and Adams (USENIX 2001). That the common store
 *   takes them back for an exact refusal is our own. */
#ifndef LOCKFREE_KEPT_BLOCKS_H
#define LOCKFREE_KEPT_BLOCKS_H

#include "kept_bundles.h"
#include "thread_token.h"

/* Process-local: which thread uses the lane, and which slots it believes to be full. */
struct lf_own_lane {
    uint64_t owner;        /* {participant : 32 | thread : 32}, or 0 */
    uint32_t first, count; /* the owner's alone */
    uint32_t busy;         /* the owner is inside: a signal handler that interrupts it uses the stack */
    uint32_t misses;
    uint32_t wanted;                           /* so many blocks the owner took last, if several */
    uint32_t n_bundles, kept[LF_LANE_BUNDLES]; /* those that it believes to be kept, the oldest first */
};

#define LF__SCARCE UINT64_C(1)

/* ---- calling in ---- */

/* Makes a block that a lane names known to all: pushes it, if it is kept (by `keeper`; 0: by anybody) or on its way. */
static __attribute__((noinline, unused)) int lf__kept_push(const struct lf_runs *q, uint64_t block, uint32_t keeper,
                                                           uint32_t participant) {
    int status = LF_BUSY;
    /* [O5] seq_cst; pairs with [O4]: what was kept before `scarce` came on is seen to be. Acquire: [W1] */
    for (uint64_t word = lf_load_seq_cst(lf_block_word(q, block)); status == LF_BUSY;) {
        if (lf__block_is_coming_at(word, LF__NO_PLACE))
            return lf_stack_help(q, block, word);
        if (!lf__block_is_kept(word) || (keeper != 0 && lf_block_lease(word) != keeper))
            return LF_OK;
        status = lf_stack_free(q, block, &word, participant);
    }
    return status;
}

/* Pushes all kept blocks, the oldest single ones of each lane first, after its bundles. */
LF_INLINE int lf__kept_call_in(const struct lf_runs *q, uint32_t participant) {
    uint64_t used = lf_load_seq_cst(&q->lanes->used); /* [O5] pairs with [O4] */
    for (uint32_t lane = 0; used != 0 && lane < LF_LANES; lane++) {
        if (!(used >> lane & 1))
            continue;
        for (uint32_t i = 0; i < LF_LANE_BUNDLES; i++) {
            int status = lf_bundle_end(q, lane, i, 0); /* [O5] */
            if (LF_UNLIKELY(status != LF_OK))
                return status;
        }
        for (uint32_t i = 0; i < LF_LANE_SLOTS; i++) {
            uint64_t block = (uint64_t)lf_load_seq_cst(&q->lanes->of[lane].slots[i]) - 1; /* [O5] pairs with [O4] */
            int status = block < q->blocks ? lf__kept_push(q, block, 0, participant) : (int)LF_OK;
            if (LF_UNLIKELY(status != LF_OK))
                return status;
        }
    }
    return LF_OK;
}

/* As lf_stack_claim, of all free blocks. */
static __attribute__((noinline, unused)) int lf_kept_claim(const struct lf_runs *q, uint32_t n, uint32_t participant,
                                                           uint32_t *blocks) {
    uint64_t *scarce = &q->lanes->scarce;
    int status = lf_stack_claim(q, n, participant, blocks);
    /* [O5] pairs with [O4]: while no lane was ever used, nothing was kept, and the refusal holds. */
    while (LF_UNLIKELY(status == LF_EMPTY) && lf_load_seq_cst(&q->lanes->used) != 0) {
        uint64_t seen = lf_load_seq_cst(scarce); /* [O3], [O5] pairs with [O4] */
        if (!(seen & LF__SCARCE)) {
            if (!lf_cas_seq_cst(scarce, &seen, seen + 1)) /* [O5] pairs with [O4] */
                continue;
            seen++;
        }
        status = lf__kept_call_in(q, participant);
        if (LF_UNLIKELY(status != LF_OK))
            return status;
        status = lf_stack_claim(q, n, participant, blocks);
        if (lf_load_seq_cst(scarce) == seen) /* [O3] */
            break;
    }
    return status;
}

/* After a push: are there enough again, an eighth of all? */
LF_INLINE void lf__kept_relax(const struct lf_runs *q) {
    uint64_t seen = lf_load_relaxed(&q->lanes->scarce);
    if (LF_UNLIKELY(seen & LF__SCARCE) && lf_stack_size(q) * 8 > q->blocks)
        lf_cas_relaxed(&q->lanes->scarce, &seen, seen + 1); /* nothing is handed on: [O3] looks at the value alone */
}

/* As lf_stack_free: past the lanes. */
static __attribute__((noinline, unused)) int lf_kept_push(const struct lf_runs *q, uint64_t block, uint64_t *word,
                                                          uint32_t participant) {
    int status = lf_stack_free(q, block, word, participant);
    lf__kept_relax(q);
    return status;
}

/* ---- the own lane ---- */

static __attribute__((noinline, unused)) int lf__lane_take_over(const struct lf_runs *q, struct lf_own_lane *own,
                                                                uint32_t participant, uint64_t me) {
    uint64_t owner = lf_load_relaxed(&own->owner);
    if (participant >= LF_LANES)
        return 0;
    if (owner >> 32 == participant) { /* another thread's; it may have ended */
        uint32_t misses = lf_load_relaxed(&own->misses) + 1;
        lf_store_relaxed(&own->misses, misses);
        /* [O7] pairs with [O6]: what the ended thread believed of the slots */
        if (misses % 1024 != 0 || lf_thread_alive((uint32_t)owner) || lf_load_acquire(&own->busy))
            return 0;
    }
    if (!lf_cas_relaxed(&own->owner, &owner, me))
        return 0;
    if (owner >> 32 != participant) { /* a new participant, in a forked child */
        own->count = own->n_bundles = own->wanted = 0;
        lf_store_relaxed(&own->busy, 0u);
    }
    /* [O4] seq_cst; pairs with [O5]: a call that misses the lane has changed `scarce` before the owner looks there. */
    lf_fetch_or_seq_cst(&q->lanes->used, UINT64_C(1) << participant);
    return 1;
}
/* 1: the lane is the calling thread's, until lf__lane_leave. */
LF_INLINE int lf__lane_enter(const struct lf_runs *q, struct lf_own_lane *own, uint32_t participant) {
    uint64_t me = (uint64_t)participant << 32 | lf_thread_token();
    if ((LF_UNLIKELY(lf_load_relaxed(&own->owner) != me) && !lf__lane_take_over(q, own, participant, me)) ||
        LF_UNLIKELY(lf_load_relaxed(&own->busy)))
        return 0;
    lf_store_relaxed(&own->busy, 1u);
    lf_fence_light();
    return 1;
}
LF_INLINE int lf__lane_leave(struct lf_own_lane *own, int status) {
    lf_store_release(&own->busy, 0u); /* [O6] pairs with [O7]; a compiler's fence for handlers, too */
    return status;
}
LF_INLINE uint32_t *lf__lane_slot(const struct lf_runs *q, const struct lf_own_lane *own, uint32_t participant,
                                  uint32_t place) {
    return &q->lanes->of[participant].slots[(own->first + place) % LF_LANE_SLOTS];
}

/* Pushes the bundles that are kept, which are older than the single blocks, and the `n` oldest of these. Inside. */
static __attribute__((noinline, unused)) int lf__lane_empty(const struct lf_runs *q, struct lf_own_lane *own,
                                                            uint32_t participant, uint32_t n) {
    for (uint32_t i = 0; i < own->n_bundles; i++) {
        int status = lf_bundle_end(q, participant, own->kept[i], 0);
        if (LF_UNLIKELY(status != LF_OK))
            return status;
    }
    for (own->n_bundles = 0; n > 0; n--, own->first++, own->count--) {
        uint64_t block = (uint64_t)lf_load_relaxed(lf__lane_slot(q, own, participant, 0)) - 1;
        int status = block < q->blocks ? lf__kept_push(q, block, participant, participant) : (int)LF_CORRUPT;
        if (LF_UNLIKELY(status != LF_OK))
            return status;
    }
    return LF_OK;
}
/* Before several blocks are taken or freed together: what the calling thread keeps comes before them in the order. */
static __attribute__((noinline, unused)) int lf_kept_settle(const struct lf_runs *q, struct lf_own_lane *own,
                                                            uint32_t participant) {
    if (lf_load_relaxed(&own->owner) != ((uint64_t)participant << 32 | lf_thread_token()) ||
        !lf__lane_enter(q, own, participant))
        return LF_OK;
    return lf__lane_leave(own, lf__lane_empty(q, own, participant, own->count));
}

LF_INLINE int lf__lane_take(const struct lf_runs *q, struct lf_own_lane *own, uint32_t participant, uint32_t *block) {
    while (own->count > 0) {
        uint32_t at = lf_load_relaxed(lf__lane_slot(q, own, participant, --own->count)) - 1;
        if (LF_UNLIKELY(at >= q->blocks))
            return LF_CORRUPT;
        uint64_t word = lf_load_acquire(lf_block_word(q, at)); /* [W1] pairs with [W2] */
        /* [L2] seq_cst; pairs with [L1] (block_pool.h). Acquire: [W1] */
        if (LF_LIKELY(lf__block_is_held_by(word, participant, 0)) &&
            LF_LIKELY(lf_cas_seq_cst(lf_block_word(q, at), &word, word + 1)))
            return *block = at, LF_OK;
        int status = lf__kept_push(q, at, participant, participant); /* called in: before the slot is used again [O1] */
        if (LF_UNLIKELY(status != LF_OK))
            return status;
    }
    if (LF_LIKELY(own->n_bundles == 0))
        return LF_EMPTY;
    int status = lf__lane_empty(q, own, participant, 0);
    return status == LF_OK ? (int)LF_EMPTY : status;
}
/* Takes the block that the calling thread has kept for the shortest time: LF_OK, LF_EMPTY (its bundles are pushed) or
 * LF_CORRUPT. */
LF_INLINE int lf_kept_take(const struct lf_runs *q, struct lf_own_lane *own, uint32_t participant, uint32_t *block) {
    if (!lf__lane_enter(q, own, participant))
        return LF_EMPTY;
    return lf__lane_leave(own, lf__lane_take(q, own, participant, block));
}

LF_INLINE int lf__lane_keep(const struct lf_runs *q, struct lf_own_lane *own, uint32_t participant, uint32_t block,
                            uint64_t *word) {
    if (LF_UNLIKELY(own->count == LF_LANE_SLOTS)) {
        int status = lf__lane_empty(q, own, participant, LF_LANE_SLOTS / 2);
        if (LF_UNLIKELY(status != LF_OK))
            return status;
    }
    uint32_t *slot = lf__lane_slot(q, own, participant, own->count);
    if (lf_load_relaxed(slot) != block + 1)
        lf_store_seq_cst(slot, block + 1); /* [O4] seq_cst; pairs with [O5] */
    uint64_t kept = lf__block_given_up(*word, participant, 0) | LF__BLOCK_HELD;
    /* [O4] seq_cst; pairs with [O5]: a call in either finds the block kept, or we find `scarce` on. Acquire, release:
     * [W1], [W2]. [E2] pairs with [E1]: the caller looks for waiters next. */
    if (LF_UNLIKELY(!lf_cas_seq_cst(lf_block_word(q, block), word, kept)))
        return LF_BUSY;
    own->count++;
    if (LF_LIKELY(!(lf_load_seq_cst(&q->lanes->scarce) & LF__SCARCE))) /* [O4], [O2] */
        return LF_OK;
    int status = lf__kept_push(q, block, participant, participant);
    lf__kept_relax(q);
    return status;
}
/* Makes a block free whose word is `*word`, held once by the participant: LF_OK, LF_BUSY or LF_CORRUPT as lf_stack_free. */
LF_INLINE int lf_kept_free(const struct lf_runs *q, struct lf_own_lane *own, uint32_t participant, uint32_t block,
                           uint64_t *word) {
    if (LF_LIKELY(!(lf_load_relaxed(&q->lanes->scarce) & LF__SCARCE)) && lf__lane_enter(q, own, participant))
        return lf__lane_leave(own, lf__lane_keep(q, own, participant, block, word));
    int status = lf_kept_settle(q, own, participant);
    return status == LF_OK ? lf_kept_push(q, block, word, participant) : status;
}

/* ---- several together ---- */

LF_INLINE void lf__lane_forget(struct lf_own_lane *own, uint32_t number) {
    uint32_t left = 0;
    for (uint32_t i = 0; i < own->n_bundles; i++)
        if (own->kept[i] != number)
            own->kept[left++] = own->kept[i];
    own->n_bundles = left;
}
/* The number of a bundle that is none now: if need be one that is held, or else the oldest, is taken apart. */
LF_INLINE int lf__lane_bundle(const struct lf_runs *q, struct lf_own_lane *own, uint32_t participant,
                              uint32_t *number) {
    int best = -1;
    for (uint32_t i = 0, among = 0; i < LF_LANE_BUNDLES && best < 2; i++, among = 0) {
        for (uint32_t k = 0; k < own->n_bundles; k++)
            among |= own->kept[k] == i;
        uint64_t bundle = lf_load_relaxed(lf__bundle_at(q, participant, i)); /* of its own thread, or ended by others */
        int good = among ? own->kept[0] == i ? 0 : -1 : lf__bundle_state_of(bundle) != LF__BUNDLE_NONE ? 1 : 2;
        if (good > best)
            best = good, *number = i;
    }
    lf__lane_forget(own, *number);
    return lf_bundle_end(q, participant, *number, 1);
}

/* Takes n blocks, the bundle that the calling thread has kept for the shortest time: LF_OK, LF_EMPTY (what it keeps is
 * pushed) or LF_CORRUPT. */
static __attribute__((noinline, unused)) int lf_kept_take_several(const struct lf_runs *q, struct lf_own_lane *own,
                                                                  uint32_t participant, uint32_t n, uint32_t *blocks) {
    if (n > lf_bundle_room(q->blocks)) {
        int status = lf_kept_settle(q, own, participant);
        return status == LF_OK ? (int)LF_EMPTY : status;
    }
    if (!lf__lane_enter(q, own, participant))
        return LF_EMPTY;
    int status = LF_BUSY;
    own->wanted = n;
    while (own->count == 0 && own->n_bundles > 0 && status == LF_BUSY) {
        status = lf_bundle_take(q, participant, own->kept[own->n_bundles - 1], n, blocks);
        if (LF_LIKELY(status == LF_OK))
            return own->n_bundles--, lf__lane_leave(own, LF_OK);
        if (status == LF_BUSY) { /* called in */
            int ended = lf_bundle_end(q, participant, own->kept[--own->n_bundles], 0);
            status = LF_UNLIKELY(ended != LF_OK) ? ended : status;
        }
    }
    if (LF_LIKELY(status != LF_CORRUPT))
        status = lf__lane_empty(q, own, participant, own->count);
    return lf__lane_leave(own, status == LF_OK ? (int)LF_EMPTY : status);
}

/* Frees n blocks in one step: LF_OK; LF_BUSY: that cannot be, nothing is freed, and what the thread keeps is pushed. If its
 * last call for several took as many, then the next one probably will, and they become a bundle. */
static __attribute__((noinline, unused)) int lf_kept_free_several(const struct lf_runs *q, struct lf_own_lane *own,
                                                                  uint32_t participant, const uint32_t *blocks,
                                                                  const uint32_t *generations, uint32_t n) {
    uint32_t number = 0;
    if (n > lf_bundle_room(q->blocks) || (lf_load_relaxed(&q->lanes->scarce) & LF__SCARCE) ||
        !lf__lane_enter(q, own, participant)) {
        int settled = lf_kept_settle(q, own, participant);
        return settled == LF_OK ? (int)LF_BUSY : settled;
    }
    int status = own->count > 0 ? lf__lane_empty(q, own, participant, own->count) : (int)LF_OK;
    if (LF_LIKELY(status == LF_OK))
        status = lf_bundle_give(q, participant, blocks, generations, n, &number);
    if (status == LF_BUSY && n == own->wanted) {
        status = lf__lane_bundle(q, own, participant, &number);
        if (LF_LIKELY(status == LF_OK))
            status = lf_bundle_form(q, participant, number, blocks, generations, n);
    }
    if (LF_LIKELY(status == LF_OK)) {
        lf__lane_forget(own, number);
        own->kept[own->n_bundles++] = number;
        if (LF_LIKELY(!(lf_load_seq_cst(&q->lanes->scarce) & LF__SCARCE))) /* [O2], [O4] */
            return lf__lane_leave(own, LF_OK);
        status = lf__lane_empty(q, own, participant, own->count);
        lf__kept_relax(q);
    } else if (status == LF_BUSY) {
        int settled = lf__lane_empty(q, own, participant, own->count);
        status = settled == LF_OK ? (int)LF_BUSY : settled;
    }
    return lf__lane_leave(own, status);
}

/* How many are kept. Exact while nobody else runs: what a stopped one was pushing is pushed first. */
LF_INLINE uint64_t lf_kept_size(const struct lf_runs *q) {
    uint64_t used = lf_load_acquire(&q->lanes->used), size = 0;
    for (uint32_t lane = 0; used != 0 && lane < LF_LANES; lane++) {
        for (uint32_t i = 0; (used >> lane & 1) && i < LF_LANE_SLOTS; i++) {
            uint32_t at = lf_load_acquire(&q->lanes->of[lane].slots[i]);
            uint64_t word = at - 1 < q->blocks ? lf_load_acquire(lf_block_word(q, at - 1)) : 0; /* [W1] */
            if (LF_UNLIKELY(lf__block_is_coming_at(word, LF__NO_PLACE)))
                lf_stack_help(q, at - 1, word);
            int again = 0; /* an older slot may name it, too: one counts */
            for (uint32_t j = 0; j < i && !again; j++)
                again = lf_load_relaxed(&q->lanes->of[lane].slots[j]) == at;
            size += lf__block_is_held_by(word, lane, 0) && !again;
        }
        for (uint32_t i = 0; (used >> lane & 1) && i < LF_LANE_BUNDLES; i++) {
            uint64_t bundle = lf_load_acquire(lf__bundle_at(q, lane, i)); /* [U6] */
            if (LF_UNLIKELY(lf__bundle_state_of(bundle) == LF__BUNDLE_ENDING_FREE))
                lf_bundle_end(q, lane, i, 0);
            size += lf__bundle_state_of(bundle) == LF__BUNDLE_KEPT ? lf__bundle_count(bundle) : 0;
        }
    }
    return size;
}

#endif
