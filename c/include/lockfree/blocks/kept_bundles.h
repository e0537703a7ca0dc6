/* kept_bundles.h: building block: blocks that are taken and freed together become free, and are taken again, in one step.
 *
 * Contract
 *   A bundle is a list of blocks of one participant. lf_bundle_form makes one of blocks that are freed together. From then
 *   on one word says of all of them whether they are held, with one reference each, or kept: free, near the participant.
 *   lf_bundle_take and lf_bundle_give change that word. A call that means only some of the blocks takes the bundle apart.
 *   So does a call that finds too few free blocks.
 *   One thread of a participant, that of its lane, forms, takes and gives bundles (kept_blocks.h).
 * Progress: lock-free. A bundle that somebody has begun to take apart is taken apart by everybody who meets it.
 * Death: the word of a block in a bundle names the participant, as that of a held one does.
 *
 * Layout
 *   bundle   {formation : 28 | turns : 24 | state : 3 | count : 9}, some for each lane. `turns`: how often it became free.
 *   list     its blocks, in the order in which they were freed first; each turn reverses the order
 *   word     {1 : 1 | generation : 24 | participant : 13 | 1 : 1 | formation : 23 | bundle : 2}: of a block in a bundle. The
 *            generation is that of before the first turn.
 * Invariants
 *   [U1] The lane's thread writes the list while the state is "none". It changes with the formation.
 *   [U2] The state goes from "forming" or "held" to "ending as held", or from "kept" to "ending as free"; from there only to
 *        "none". While the state is forming, held or kept, nobody takes a block out.
 *   [U3] In each formation a block comes into a bundle at most once, and only while it is forming for all that its thread knows.
 *   [U4] When the state is "none" again, only a thread that was still forming the bundle may have blocks with its mark.
 *        These are held, once each, and have had no turn. The thread takes their marks away before its call ends.
 * Linearization points: form, give: the compare-and-swap of the bundle to "kept"; take: that to "held".
 * Wrap: formations count modulo 2^28 in the bundle and 2^23 in words, turns modulo 2^24. A mistake needs a thread that stops
 *   between its load and its compare-and-swap for exactly a multiple of 2^23 formations of one bundle with the same block in
 *   the same generation, or of 2^24 turns.
 * Source: one word for the state of many: as message_blocks.h. Full magazines that change hands: Bonwick and Adams (USENIX
 *   2001). */
#ifndef LOCKFREE_KEPT_BUNDLES_H
#define LOCKFREE_KEPT_BUNDLES_H

#include "run_stack.h"

#ifndef LF_LANES
#define LF_LANES 64u /* part of the layout; only checks of every step take fewer */
#define LF_LANE_SLOTS 16u
#endif
#ifndef LF_BUNDLE_MOST
#define LF_BUNDLE_MOST 256u /* blocks; part of the layout */
#endif
#define LF_LANE_BUNDLES 4u

struct lf_lane { /* one line each: its thread; read by calls that find too few */
    LF_ALIGNED uint32_t slots[LF_LANE_SLOTS];
    uint64_t bundles[LF_LANE_BUNDLES];
};
struct lf_lanes {
    LF_ALIGNED uint64_t scarce; /* line 0: written by calls that find too few blocks; read by a free that keeps */
    uint64_t used;
    struct lf_lane of[LF_LANES];
};
LF_STATIC_ASSERT(sizeof(struct lf_lanes) == (1 + LF_LANES) * LF_CACHE_LINE, "layout");
LF_STATIC_ASSERT(LF_LANES <= 64, "a bit for each");

/* So many blocks has a list, for a pool of so many. */
LF_INLINE uint64_t lf_bundle_room(uint64_t blocks) { return blocks < LF_BUNDLE_MOST ? blocks : LF_BUNDLE_MOST; }
LF_INLINE uint64_t lf__bundle_stride(uint64_t blocks) {
    return lf_round_up(lf_bundle_room(blocks) * sizeof(uint32_t), LF_CACHE_LINE) / sizeof(uint32_t);
}
LF_INLINE uint64_t lf_bundles_bytes(uint64_t blocks) {
    return LF_LANES * LF_LANE_BUNDLES * lf__bundle_stride(blocks) * sizeof(uint32_t);
}

/* ---- words ---- */

enum lf__bundle_state {
    LF__BUNDLE_NONE = 0,
    LF__BUNDLE_FORMING = 1,
    LF__BUNDLE_HELD = 2,
    LF__BUNDLE_KEPT = 3,
    LF__BUNDLE_ENDING_HELD = 4,
    LF__BUNDLE_ENDING_FREE = 5
};
LF_INLINE uint64_t lf__bundle_word(uint64_t formation, uint64_t turns, enum lf__bundle_state state, uint64_t count) {
    return formation << 36 | (turns & 0xffffffu) << 12 | (uint64_t)state << 9 | count; /* formations modulo 2^28 */
}
LF_INLINE uint64_t lf__bundle_formation(uint64_t bundle) { return bundle >> 36; }
LF_INLINE uint64_t lf__bundle_turns(uint64_t bundle) { return bundle >> 12 & 0xffffffu; }
LF_INLINE uint32_t lf__bundle_state_of(uint64_t bundle) { return (uint32_t)(bundle >> 9 & 7u); }
LF_INLINE uint64_t lf__bundle_count(uint64_t bundle) { return bundle & 0x1ffu; }
LF_INLINE uint64_t lf__bundle_in(uint64_t bundle, enum lf__bundle_state state) { /* another state */
    return (bundle & ~(UINT64_C(7) << 9)) | (uint64_t)state << 9;
}

LF_INLINE uint64_t *lf__bundle_at(const struct lf_runs *q, uint32_t lane, uint32_t number) {
    return &q->lanes->of[lane].bundles[number];
}
LF_INLINE uint32_t *lf__bundle_list(const struct lf_runs *q, uint32_t lane, uint32_t number) {
    return q->lists + (lane * LF_LANE_BUNDLES + number) * lf__bundle_stride(q->blocks);
}

/* The mark of a block in a bundle: in the place of its references. */
LF_INLINE uint64_t lf__bundle_mark(uint64_t formation, uint32_t number) {
    return LF__IN_BUNDLE | (formation & 0x7fffffu) << 2 | number;
}
LF_INLINE uint32_t lf__bundle_number(uint64_t word) { return (uint32_t)word & (LF_LANE_BUNDLES - 1); }
LF_INLINE int lf__bundle_has(uint64_t bundle, uint64_t word, uint32_t lane, uint32_t number) {
    return lf__block_is_held_by(word, lane, lf__bundle_mark(lf__bundle_formation(bundle), number));
}
/* The word of a block in a generation so many later. */
LF_INLINE uint64_t lf__block_later(uint64_t word, uint64_t turns) {
    return (word & ~LF__BLOCK_GENERATION) | ((word + (turns << 39)) & LF__BLOCK_GENERATION);
}

/* ---- taking apart ---- */

/* Takes a bundle apart that is ending: each block gets a word of its own. LF_OK or LF_CORRUPT. */
static __attribute__((noinline, unused)) int lf__bundle_take_apart(const struct lf_runs *q, uint32_t lane,
                                                                   uint32_t number, uint64_t bundle) {
    int held = lf__bundle_state_of(bundle) == LF__BUNDLE_ENDING_HELD, turned = !(lf__bundle_turns(bundle) & 1);
    const uint32_t *list = lf__bundle_list(q, lane, number);
    uint64_t count = lf__bundle_count(bundle);
    if (LF_UNLIKELY(count > lf_bundle_room(q->blocks)))
        return LF_CORRUPT;
    for (uint64_t i = 0; i < count; i++) { /* in the order in which they were freed last */
        uint64_t block = lf_load_relaxed(&list[turned ? count - 1 - i : i]); /* [U1]; [U6] made it readable */
        if (LF_UNLIKELY(block >= q->blocks))
            return LF_CORRUPT;
        uint64_t *at = lf_block_word(q, block), word = lf_load_relaxed(at); /* what rests on it loads it again */
        if (lf__bundle_has(bundle, word, lane, number)) { /* [U2]: of an ending bundle only this can become of it */
            uint64_t now = lf__block_later(word, lf__bundle_turns(bundle));
            now = held ? lf__block_held_by(now, lane, 1) : lf__block_coming(now, lane, LF__NO_PLACE);
            /* [W1], [W2]. If it fails, others have done it. */
            if (lf_cas_acq_rel(at, &word, now))
                word = now;
        }
        if (!held && lf__block_is_coming_at(word, LF__NO_PLACE)) { /* [K4]: anybody may push it */
            int status = lf_stack_help(q, block, word);
            if (LF_UNLIKELY(status != LF_OK))
                return status;
        }
    }
    /* [U5] release; pairs with [U6]: the next list is written after all of this. */
    lf_cas_release(lf__bundle_at(q, lane, number), &bundle,
                   lf__bundle_word(lf__bundle_formation(bundle), 0, LF__BUNDLE_NONE, 0));
    return LF_OK;
}

/* Takes a bundle apart: one that is kept, and with `also_held` any. Afterwards its blocks that were free are in the stack. */
static __attribute__((noinline, unused)) int lf_bundle_end(const struct lf_runs *q, uint32_t lane, uint32_t number,
                                                           int also_held) {
    if (LF_UNLIKELY(lane >= LF_LANES))
        return LF_CORRUPT;
    uint64_t *at = lf__bundle_at(q, lane, number);
    /* [U6] acquire; pairs with [U7]: the list. seq_cst: [O5] pairs with [O4]; [L2] pairs with [L1] */
    for (uint64_t bundle = lf_load_seq_cst(at);;) {
        uint32_t state = lf__bundle_state_of(bundle);
        int free = state == LF__BUNDLE_KEPT || state == LF__BUNDLE_ENDING_FREE;
        if (state == LF__BUNDLE_NONE || (!free && !also_held))
            return LF_OK;
        if (state == LF__BUNDLE_ENDING_HELD || state == LF__BUNDLE_ENDING_FREE)
            return lf__bundle_take_apart(q, lane, number, bundle);
        if (LF_UNLIKELY(state > LF__BUNDLE_ENDING_FREE))
            return LF_CORRUPT;
        uint64_t ending = lf__bundle_in(bundle, free ? LF__BUNDLE_ENDING_FREE : LF__BUNDLE_ENDING_HELD);
        if (lf_cas_seq_cst(at, &bundle, ending)) /* [U6], [O5], [L2] as above */
            return lf__bundle_take_apart(q, lane, number, ending);
    }
}

/* What the word of a block stands for: the word that it would have if it were in no bundle. */
LF_INLINE uint64_t lf_bundle_resolve(const struct lf_runs *q, uint64_t block, uint64_t word) {
    while (LF_UNLIKELY(lf_block_is_in_bundle(word))) {
        uint32_t lane = lf_block_lease(word), number = lf__bundle_number(word);
        uint64_t bundle = lane < LF_LANES ? lf_load_acquire(lf__bundle_at(q, lane, number)) : 0; /* [U6] */
        uint32_t state = lf__bundle_has(bundle, word, lane, number) ? lf__bundle_state_of(bundle)
                                                                    : (uint32_t)LF__BUNDLE_NONE;
        uint64_t now = lf__block_later(word, lf__bundle_turns(bundle)), was = word;
        if (state == LF__BUNDLE_KEPT || state == LF__BUNDLE_ENDING_FREE)
            return lf__block_coming(now, lane, LF__NO_PLACE);
        if (state != LF__BUNDLE_NONE)
            return lf__block_held_by(now, lane, 1);
        word = lf_load_acquire(lf_block_word(q, block)); /* [W1] pairs with [W2] */
        if (word == was)
            return lf__block_held_by(word, lane, 1); /* [U4] */
    }
    return word;
}

/* Takes the bundle apart that the word of a block is in, so that the block can be changed alone. The block's word now. */
static __attribute__((noinline, unused)) uint64_t lf_bundle_leave(const struct lf_runs *q, uint64_t block,
                                                                  uint64_t word) {
    while (lf_block_is_in_bundle(word)) {
        uint64_t was = word;
        uint32_t lease = lf_block_lease(word);
        lf_bundle_end(q, lease, lf__bundle_number(word), 1);
        word = lf_load_acquire(lf_block_word(q, block)); /* [W1] pairs with [W2] */
        if (word == was && /* [U4]. Relaxed: it hands on nothing but what the word was already. */
            lf_cas_relaxed(lf_block_word(q, block), &word, lf__block_held_by(word, lease, 1)))
            word = lf__block_held_by(word, lease, 1);
    }
    return word;
}

/* ---- the lane's thread ---- */

/* Frees n blocks, and keeps them as a bundle that did not exist. LF_OK; LF_BUSY: nothing has changed, since one of them is
 * not held once by the participant in that generation, or is used by another thread. */
static __attribute__((noinline, unused)) int lf_bundle_form(const struct lf_runs *q, uint32_t lane, uint32_t number,
                                                            const uint32_t *blocks, const uint32_t *generations,
                                                            uint32_t n) {
    /* lf_bundle_end has made it readable [U6], or it was this thread's. */
    uint64_t *at = lf__bundle_at(q, lane, number), formation = lf__bundle_formation(lf_load_relaxed(at)) + 1;
    uint64_t forming = lf__bundle_word(formation, 0, LF__BUNDLE_FORMING, n), seen = forming;
    uint32_t *list = lf__bundle_list(q, lane, number), i = 0;
    for (uint32_t k = 0; k < n; k++) {
        if (LF_UNLIKELY(blocks[k] >= q->blocks))
            return LF_BUSY;
        lf_store_relaxed(&list[k], blocks[k]); /* read by all that take a bundle apart */
    }
    lf_store_release(at, forming); /* [U7] pairs with [U6]: the list */
    for (; i < n; i++) {
        uint64_t *where = lf_block_word(q, blocks[i]), word = lf_load_relaxed(where); /* the compare-and-swap decides */
        if (!lf__block_is_held_by(word, lane, 1) ||
            (generations != NULL && generations[i] != lf_block_generation(word)) ||
            /* [W2] release; pairs with [W1]: [U7], and the claim of the block. [W1] acquire */
            !lf_cas_acq_rel(where, &word, lf__block_held_by(word, lane, lf__bundle_mark(formation, number))))
            break;
    }
    /* [O4] seq_cst; pairs with [O5]: a call in either finds the bundle kept, or the caller finds `scarce` on. [E2] pairs with
     * [E1]: the caller looks for waiters next. [U7] */
    if (i == n && lf_cas_seq_cst(at, &seen, lf__bundle_word(formation, 1, LF__BUNDLE_KEPT, n)))
        return LF_OK;
    int status = lf_bundle_end(q, lane, number, 1);
    while (i-- > 0) { /* [U4]. Relaxed: it hands on nothing but what the word was already. */
        uint64_t *where = lf_block_word(q, blocks[i]), word = lf_load_relaxed(where);
        if (lf__bundle_has(forming, word, lane, number))
            lf_cas_relaxed(where, &word, lf__block_held_by(word, lane, 1));
    }
    return status == LF_OK ? (int)LF_BUSY : status;
}

/* Frees n blocks if they are a whole bundle that is held, in the order in which it was taken. LF_OK with its number, or
 * LF_BUSY: nothing has changed. */
LF_INLINE int lf_bundle_give(const struct lf_runs *q, uint32_t lane, const uint32_t *blocks,
                             const uint32_t *generations, uint32_t n, uint32_t *number) {
    uint64_t word = blocks[0] < q->blocks ? lf_load_relaxed(lf_block_word(q, blocks[0])) : 0;
    if (!lf_block_is_in_bundle(word) || lf_block_lease(word) != lane)
        return LF_BUSY;
    *number = lf__bundle_number(word);
    /* Relaxed, as all here: this thread wrote them, and the compare-and-swap fails if others have begun to end it. */
    uint64_t *at = lf__bundle_at(q, lane, *number), bundle = lf_load_relaxed(at), turns = lf__bundle_turns(bundle);
    if (lf__bundle_state_of(bundle) != LF__BUNDLE_HELD || !lf__bundle_has(bundle, word, lane, *number) ||
        lf__bundle_count(bundle) != n)
        return LF_BUSY;
    const uint32_t *list = lf__bundle_list(q, lane, *number);
    uint32_t others = 0;
    for (uint32_t i = 0; i < n; i++)
        others |= list[turns & 1 ? n - 1 - i : i] ^ blocks[i];
    for (uint32_t i = 0; others == 0 && generations != NULL && i < n; i++) {
        word = lf_load_relaxed(lf_block_word(q, blocks[i])); /* of this bundle, if the exchange succeeds */
        others |= generations[i] ^ lf_block_generation(lf__block_later(word, turns));
    }
    /* [O4], [E2] as in lf_bundle_form. If it succeeds, all of them were in the bundle all the time [U2]. */
    if (others != 0 ||
        !lf_cas_seq_cst(at, &bundle, lf__bundle_word(lf__bundle_formation(bundle), turns + 1, LF__BUNDLE_KEPT, n)))
        return LF_BUSY;
    return LF_OK;
}

/* Takes a bundle of n blocks that is kept, the one that became free last first. LF_OK; LF_EMPTY: it is of another number of
 * blocks; LF_BUSY: it is not kept any more. */
LF_INLINE int lf_bundle_take(const struct lf_runs *q, uint32_t lane, uint32_t number, uint32_t n, uint32_t *blocks) {
    uint64_t *at = lf__bundle_at(q, lane, number), bundle = lf_load_relaxed(at), turns = lf__bundle_turns(bundle);
    if (lf__bundle_state_of(bundle) != LF__BUNDLE_KEPT)
        return LF_BUSY;
    if (lf__bundle_count(bundle) != n)
        return LF_EMPTY;
    const uint32_t *list = lf__bundle_list(q, lane, number);
    for (uint32_t i = 0; i < n; i++)
        if (LF_UNLIKELY((blocks[i] = list[turns & 1 ? n - 1 - i : i]) >= q->blocks))
            return LF_CORRUPT;
    /* [L2] seq_cst; pairs with [L1] (block_pool.h) */
    return lf_cas_seq_cst(at, &bundle, lf__bundle_in(bundle, LF__BUNDLE_HELD)) ? (int)LF_OK : (int)LF_BUSY;
}

#endif
