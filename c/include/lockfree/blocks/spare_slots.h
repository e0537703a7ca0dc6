/* spare_slots.h: building block: a participant keeps the slot that it freed last; a put that finds no other calls it in.
 *
 * Contract
 *   For containers of records with a queue of free slots (index_queue.h). The thread of a participant that frees slots may
 *   keep one, its spare, and take it again for its next put. Then one put and one get pay one locked instruction less, and
 *   touch the queue of free slots not at all. A spare is free: a put that finds the queue empty takes it from its keeper. So
 *   FULL means the same as without spares: at one instant of the call, all slots were inside or in the hands of running
 *   operations.
 *   The first thread of a participant that frees a slot has the spare, until it ends. The other threads, and participants
 *   from LF_SPARES on, use the queue.
 * Progress: lock-free; keeping and taking one's own are wait-free.
 * Death: a spare is in the custody of its keeper, as a slot in hand is, and its recovery frees it (lf_spares_recover).
 *
 * Layout
 *   scarce   {version : 61 | closing : 1 | searched : 1 | on : 1}: while it is on, nobody keeps a slot
 *   used     a bit for each participant that ever had a spare
 *   refused  coarse ns: when a put was refused last
 *   of       of each participant {its taker : 12 | slot + 1 : 32}, or 0
 * Invariants
 *   [V1] A word changes: 0 -> a spare -> 0, if its keeper takes it; or a spare -> marked by its taker -> 0, which is done once
 *        the slot's custody word names the taker. Only the thread that has the spare writes one into the word,
 *        and only over 0.
 *   [V2] A free that keeps a slot looks at `scarce` and `ending` afterwards, and takes it back if one of them is on. Only
 *        then is it over. A participant is in `used` before it keeps anything.
 *   [V3] If `scarce` stayed on since before a search through all words, then each spare that was not found belongs to a free
 *        that is not over. `searched`: somebody has searched since it came on.
 *   [V4] While `scarce` is on, each free goes to the queue and wakes a waiter. It goes off only while nobody waits for a slot:
 *        `closing` is set, then nobody is seen to wait, then it goes off. A caller that is refused meanwhile, and waits, has
 *        announced that; it clears `closing` first, and counts the version, so that the free that had set it cannot take one
 *        that was set later for its own. So nobody sleeps while it is off and a slot is kept.
 * Linearization points: take: the compare-and-swap of the word; keep: the store of it, or what gives the slot up; a refusal:
 *   the look into the queue that finds nothing, between two looks at `scarce`.
 * Fence: asymmetric (asymmetric.h). A free has the light half between its store and its look. The search has the heavy one
 *   before it, once each time that `scarce` comes on.
 * Wrap: `scarce` counts modulo 2^61.
 * Source: magazines in front of a common store: Bonwick and Adams (USENIX 2001). That the store takes them back for an exact
 *   refusal is our own, as in kept_blocks.h. */
#ifndef LOCKFREE_SPARE_SLOTS_H
#define LOCKFREE_SPARE_SLOTS_H

#include "blocking.h"
#include "index_recovery.h"
#include "thread_token.h"

#ifndef LF_SPARES
#ifdef LF_MODEL
#define LF_SPARES 0u /* clients that explore spares take more */
#else
#define LF_SPARES 64u /* part of the layout; only checks of every step take fewer */
#endif
#endif
LF_STATIC_ASSERT(LF_SPARES <= 64, "`used` has 64 bits");

#define LF__SCARCE_ON UINT64_C(1)
#define LF__SCARCE_SEARCHED UINT64_C(2)
#define LF__SCARCE_CLOSING UINT64_C(4)
#define LF__SCARCE_VERSION UINT64_C(8)
#define LF__SPARE_TAKER 32 /* shift */
#ifndef LF__SPARE_REST_NS
#define LF__SPARE_REST_NS 20000000u
#endif
#ifndef LF__SPARE_LOOKS
#define LF__SPARE_LOOKS 64u /* one free in so many looks whether `scarce` can go off */
#endif

struct lf_spares {
    LF_ALIGNED uint64_t scarce; /* line 0: all read it, few write */
    uint64_t used;
    LF_ALIGNED uint64_t refused; /* line 1: those that are refused */
    struct {
        LF_ALIGNED uint64_t word;
    } of[LF_SPARES + (LF_SPARES == 0)]; /* a line each */
};

/* Process-local view. */
struct lf_spare_view {
    struct lf_spares *spares;
    const struct lf_queue *free;
    struct lf_eventcount *waiters; /* for a free slot */
    uint64_t owner; /* {participant : 32 | thread : 32}: the thread that has the participant's spare; or 0 */
};

LF_INLINE void lf_spares_view(struct lf_spare_view *s, struct lf_spares *spares, const struct lf_queue *free,
                              struct lf_eventcount *waiters) {
    s->spares = spares;
    s->free = free;
    s->waiters = waiters;
    s->owner = 0;
}

/* ---- the own spare ---- */

static __attribute__((noinline, unused)) int lf__spare_take_over(struct lf_spare_view *s, uint32_t participant,
                                                                 uint64_t me) {
    uint64_t owner = lf_load_relaxed(&s->owner);
    if (participant >= LF_SPARES)
        return 0;
    if (owner >> 32 == participant && !lf_thread_seems_ended((uint32_t)owner))
        return 0;
    if (!lf_cas_relaxed(&s->owner, &owner, me))
        return 0;
    lf_fetch_or_relaxed(&s->spares->used, UINT64_C(1) << participant); /* ordered by [V7] */
    return 1;
}

enum lf_spare_kept { LF__IN_HAND = 0, LF__KEPT = 1, LF__TAKEN = 2 };

/* Keeps a slot that is in the custody of the caller's participant. Or LF__IN_HAND: it is not kept, and goes to the queue; or
 * LF__TAKEN: another one has it already, and the caller goes on as if it had gone to the queue. */
LF_INLINE enum lf_spare_kept lf_spare_keep(struct lf_spare_view *s, const struct lf_handle *h, uint64_t index) {
    if (LF_SPARES == 0 || LF_UNLIKELY(lf_load_relaxed(&s->spares->scarce) & LF__SCARCE_ON))
        return LF__IN_HAND;
    uint64_t me = (uint64_t)h->participant << 32 | lf_thread_token();
    if (LF_UNLIKELY(lf_load_relaxed(&s->owner) != me) && !lf__spare_take_over(s, h->participant, me))
        return LF__IN_HAND;
    uint64_t *place = &s->spares->of[h->participant].word, word = index + 1;
    if (lf_load_relaxed(place) != 0 || !lf_thread_begins())
        return LF__IN_HAND;
    if (LF_UNLIKELY(lf_load_relaxed(place) != 0)) /* a signal handler has kept one meanwhile */
        return lf_thread_ends(), LF__IN_HAND;
    /* Its taker needs to know that it is held, and that no record is owed. A helper that finds the custody word as it
     * was writes the same at most (lf__complete_custody). */
    uint64_t *custody = lf__custody(s->free->store, index), was = lf_load_relaxed(custody);
    lf_store_relaxed(custody, lf__held(lf__custody_queue(was), was, h->participant));
    lf_store_release(place,
                     word); /* [V5] pairs with [V6]: the slot's last user is done, and its custody word says so */
    lf_fence_light_in(h->segment); /* [V7] pairs with [V8]: either a search finds it, or we see that one is going on */
    lf_thread_ends();
    if (LF_LIKELY(!(lf_load_relaxed(&s->spares->scarce) & LF__SCARCE_ON)) &&
        LF_LIKELY(lf_load_relaxed(&h->segment->ending) == LF__OPEN))
        return LF__KEPT;
    return lf_cas_relaxed(place, &word, (uint64_t)0) ? LF__IN_HAND : LF__TAKEN;
}

/* The spare of the calling thread, or LF_EMPTY. */
LF_INLINE int64_t lf_spare_take(struct lf_spare_view *s, const struct lf_handle *h) {
    uint32_t participant = h->participant;
    if (LF_SPARES == 0 || lf_load_relaxed(&s->owner) != ((uint64_t)participant << 32 | lf_thread_token()))
        return LF_EMPTY;
    uint64_t *place = &s->spares->of[participant].word, word = lf_load_relaxed(place);
    if (word == 0 || LF_UNLIKELY(word >> LF__SPARE_TAKER != 0))
        return LF_EMPTY;
    if (LF_UNLIKELY(!lf_cas_relaxed(place, &word, (uint64_t)0))) /* nobody else ever had it [V1] */
        return LF_EMPTY;
    return LF_LIKELY(word <= s->free->store->slots) ? (int64_t)word - 1 : (int64_t)LF_CORRUPT;
}

/* ---- the spares of others ---- */

/* Last steps of a taking. The caller is the taker, or recovers it or the keeper. The custody word that names the keeper is
 * the one of its last taking, whose position is unique, until the taker's name stands there [V1]. */
LF_INLINE void lf__spare_hand_over(const struct lf_spare_view *s, uint32_t keeper, uint64_t marked) {
    uint64_t *custody = lf__custody(s->free->store, (uint32_t)marked - 1), word = lf_load_relaxed(custody);
    if (lf__is_held(word) && lf__custody_taker(word) == keeper)
        lf_cas_relaxed(custody, &word, lf__held(lf__custody_queue(word), word, (uint32_t)(marked >> LF__SPARE_TAKER)));
    lf_cas_release(&s->spares->of[keeper].word, &marked,
                   (uint64_t)0); /* [V9] pairs with [V6]: the holder's name is written */
}

/* Takes the spare of a keeper into the custody of `taker`: its index, LF_EMPTY or LF_CORRUPT. */
static __attribute__((noinline, unused)) int64_t lf__spare_take_from(const struct lf_spare_view *s, uint32_t keeper,
                                                                     uint32_t taker) {
    uint64_t *place = &s->spares->of[keeper].word, word = lf_load_relaxed(place);
    while (word != 0 && word >> LF__SPARE_TAKER == 0) {
        if (LF_UNLIKELY(word > s->free->store->slots))
            return LF_CORRUPT;
        uint64_t marked = word | (uint64_t)taker << LF__SPARE_TAKER;
        if (lf_cas_acquire(place, &word, marked)) { /* [V6] pairs with [V5] */
            lf__spare_hand_over(s, keeper, marked);
            return (int64_t)word - 1;
        }
    }
    return LF_EMPTY;
}

/* The next spare from *keeper on, taken: its index, LF_EMPTY or LF_CORRUPT. */
LF_INLINE int64_t lf__spare_next(const struct lf_spare_view *s, uint32_t taker, uint32_t *keeper) {
    uint64_t used = lf_load_relaxed(&s->spares->used); /* ordered by [V8] */
    int64_t index = LF_EMPTY;
    for (; *keeper < LF_SPARES && used >> *keeper != 0 && index == LF_EMPTY; ++*keeper)
        if (used >> *keeper & 1)
            index = lf__spare_take_from(s, *keeper, taker);
    return index;
}

/* From now on nobody keeps a slot, until somebody says so. Returns `scarce` as it is on. */
LF_INLINE uint64_t lf__spares_are_scarce(const struct lf_spare_view *s, struct lf_handle *h) {
    uint64_t *scarce = &s->spares->scarce, low = LF__SCARCE_VERSION - 1;
    uint64_t seen = lf_load_acquire(scarce); /* before the look into the queue */
    while (!(seen & LF__SCARCE_ON) || (seen & LF__SCARCE_CLOSING)) {
        /* [V4]; it stayed on if it was closing, and what was searched stays so */
        uint64_t on = (seen & ~low) + LF__SCARCE_VERSION + LF__SCARCE_ON;
        on |= seen & LF__SCARCE_ON ? seen & LF__SCARCE_SEARCHED : 0;
        if (lf_cas_relaxed(scarce, &seen, on)) /* ordered by [V8] */
            seen = on;
    }
    if (!(seen & LF__SCARCE_SEARCHED))
        lf_fence_heavy_in(h->segment); /* [V8] pairs with [V7] */
    return seen;
}

/* Is `scarce` as it was seen, so that [V3] and [V4] hold? The caller has looked into the queue with acquire. */
LF_INLINE int lf__spares_are_still(const struct lf_spare_view *s, uint64_t seen) {
    return (lf_load_relaxed(&s->spares->scarce) | LF__SCARCE_SEARCHED) == (seen | LF__SCARCE_SEARCHED);
}

LF_INLINE void lf__spare_note_refusal(const struct lf_spare_view *s, uint64_t now) {
    if (lf_load_relaxed(&s->spares->refused) != now)
        lf_store_relaxed(&s->spares->refused, now);
}

/* For a put that found the queue of free slots empty: a slot from there after all, or a spare; or LF_EMPTY, LF_CORRUPT. */
static __attribute__((noinline, unused)) int64_t lf_spares_call_in(const struct lf_spare_view *s, struct lf_handle *h) {
    if (LF_SPARES == 0)
        return LF_EMPTY;
    for (;;) {
        uint64_t seen = lf__spares_are_scarce(s, h);
        uint32_t keeper = 1;
        int64_t index = LF_EMPTY;
        if (!(seen & LF__SCARCE_SEARCHED))
            index = lf__spare_next(s, h->participant, &keeper);
        if (index == LF_EMPTY)
            index = lf_queue_take(s->free, h->participant);
        if (index != LF_EMPTY)
            return index;
        lf__spare_note_refusal(s, lf_now_coarse());
        if (LF_LIKELY(lf__spares_are_still(s, seen))) {
            if (!(seen & LF__SCARCE_SEARCHED))
                lf_cas_relaxed(&s->spares->scarce, &seen, seen | LF__SCARCE_SEARCHED);
            return LF_EMPTY;
        }
    }
}

/* `scarce`, before the look into the queue of a put. */
LF_INLINE uint64_t lf_spares_look(const struct lf_spare_view *s) {
    return LF_SPARES == 0 ? 0 : lf_load_acquire(&s->spares->scarce); /* the look comes after it */
}
/* After that look has found nothing: as lf_spares_call_in. The usual refusal, while others are refused, too, looks no second
 * time. `seen` is what lf_spares_look said, and the caller has looked for the dead in between. */
LF_INLINE int64_t lf_spares_refuse(const struct lf_spare_view *s, struct lf_handle *h, uint64_t seen) {
    uint64_t usual = LF__SCARCE_ON | LF__SCARCE_SEARCHED, looked = lf_load_relaxed(&lf__home(h)->last_reap);
    if (LF_SPARES == 0 || LF_UNLIKELY((seen & (LF__SCARCE_VERSION - 1)) != usual) ||
        LF_UNLIKELY(lf_load_relaxed(&s->spares->scarce) != seen) || LF_UNLIKELY(looked == 0))
        return lf_spares_call_in(s, h);
    lf__spare_note_refusal(s, looked);
    return LF_EMPTY;
}

/* For a get that drains the container: all spares go to the queue. `ending` is on, so nobody keeps a slot again [V2]. */
static __attribute__((noinline, unused)) int lf_spares_drain(const struct lf_spare_view *s, struct lf_handle *h) {
    int64_t index;
    uint32_t keeper = 1;
    if (LF_SPARES == 0)
        return LF_OK;
    lf_fence_heavy_in(h->segment); /* [V8] pairs with [V7] */
    while ((index = lf__spare_next(s, h->participant, &keeper)) != LF_EMPTY)
        if (LF_UNLIKELY(index < 0 || lf_queue_publish(s->free, (uint64_t)index, h->participant) != LF_OK))
            return LF_CORRUPT;
    return LF_OK;
}

/* After a free that went to the queue: spares are kept again if nobody was refused for some time, nobody waits, and an
 * eighth of the slots is free. */
LF_INLINE void lf_spares_relax(const struct lf_spare_view *s, const struct lf_handle *h) {
    uint64_t *scarce = &s->spares->scarce, seen = LF_SPARES == 0 ? 0 : lf_load_relaxed(scarce);
    if (LF_LIKELY(!(seen & LF__SCARCE_ON)) || LF_LIKELY(!lf_thread_nth(LF__SPARE_LOOKS)))
        return;
    if (lf_now_coarse() - lf_load_relaxed(&s->spares->refused) < LF__SPARE_REST_NS ||
        lf_load_relaxed(&h->segment->ending) != LF__OPEN || lf_queue_size(s->free) * 8 < s->free->store->slots)
        return;
    if (!(seen & LF__SCARCE_CLOSING) && !lf_cas_relaxed(scarce, &seen, seen | LF__SCARCE_CLOSING))
        return;
    lf_fence_seq_cst(); /* [V10] pairs with [E1]: a waiter is seen here, or sees `closing` */
    seen |= LF__SCARCE_CLOSING;
    if (lf_load_relaxed(&s->waiters->word) >> 32 == 0)
        lf_cas_relaxed(scarce, &seen, (seen & ~(LF__SCARCE_VERSION - 1)) + LF__SCARCE_VERSION);
}

/* First part of a recovery, in one piece: completes what the dead ones took, and frees what they kept. Calls gave(context,
 * LF__FREE) for each slot that went to the queue. */
LF_INLINE void lf_spares_recover(const struct lf_spare_view *s, const struct lf_gone *gone, uint32_t recoverer,
                                 void (*gave)(void *context, int queue), void *context) {
    for (uint32_t keeper = 1; keeper < LF_SPARES; keeper++) {
        uint64_t word = lf_load_acquire(&s->spares->of[keeper].word); /* [V6] */
        uint32_t taker = (uint32_t)(word >> LF__SPARE_TAKER) & LF_PARTICIPANT_MASK;
        if (taker == 0 && lf_is_gone(gone, keeper)) {
            int64_t index = lf__spare_take_from(s, keeper, recoverer);
            if (index >= 0 && lf_queue_publish(s->free, (uint64_t)index, recoverer) == LF_OK)
                gave(context, LF__FREE);
            if (index == LF_EMPTY)
                word = lf_load_relaxed(
                    &s->spares->of[keeper].word); /* marked, perhaps; the keeper's death orders its own */
            taker = (uint32_t)(word >> LF__SPARE_TAKER) & LF_PARTICIPANT_MASK;
        }
        if (taker != 0 && (lf_is_gone(gone, taker) || lf_is_gone(gone, keeper)) &&
            (uint32_t)word - 1 < s->free->store->slots)
            lf__spare_hand_over(s, keeper, word);
    }
}

/* How many slots are kept. Exact while nobody else runs. */
LF_INLINE uint64_t lf_spares_size(const struct lf_spare_view *s) {
    uint64_t size = 0;
    for (uint32_t keeper = 1; keeper < LF_SPARES; keeper++)
        size += lf_load_relaxed(&s->spares->of[keeper].word) != 0;
    return size;
}

#endif
