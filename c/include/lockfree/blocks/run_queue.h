/* run_queue.h: building block: numbered blocks, each free or held by a lease. A run of free ones is claimed in one step.
 *
 * Contract
 *   At any instant each block is free, or held by exactly one lease, or on its way from one to the other in the hands of
 *   one participant. Shared memory says which, at whatever instruction any of them dies.
 *   lf_runs_claim takes the n blocks that have been free for longest, or none. Its refusal is exact: at one instant of
 *   the call fewer than n were free. lf_runs_free makes a held block free, lf_runs_free_burst up to LF_RUN_BURST.
 * Progress: lock-free. A claim is one compare-and-swap of the head, which also names the claimant and how many. The
 *   next claim completes it (helping). It first gives the claimant some time, bounded, to do so itself: two that write the
 *   same words slow each other down. So nobody waits for a claimant that stopped.
 * Death: lf_runs_recover makes free what a dead lease held and what was on its way there.
 *
 * Layout
 *   head   {position : 32 | count : 20 | participant : 12}: all positions below are claimed; the last claim, of `count`
 *          blocks, was this participant's.
 *   cell   {position : 32 | block : 24 | 0 : 7 | published : 1}; a power of two of cells, at least as many as blocks.
 *   word   one per block. Held: {1 : 1 | generation : 24 | lease : 13 | references : 26}; without references it is free,
 *          but kept by this lease (kept_blocks.h); with LF__IN_BUNDLE in them see kept_bundles.h. Else {0 : 1 | generation : 24 | lease : 13 | position : 26}: this
 *          lease's participant publishes it, or has published it, at this position.
 * Invariants
 *   [B1] All claims but the last one, which stands in the head, are booked: the words of their blocks say who holds them.
 *   [B2] The cell of a claimed position is written again only after its claim was booked.
 *   [B3] `tail` and `booked` are hints. Positions below `tail` are published; the claim that ends at `booked` is booked.
 *        A thread that stops may set them back. Then others walk further, or book once more, which changes nothing.
 *   [B4] A block that is free, and was not claimed, stands in the cell of the position in its word.
 * Linearization points: claim: the compare-and-swap of the head; its refusal: the load of the first cell that is not
 *   published, confirmed by a second look at the head; free: the compare-and-swap of the cell.
 * Wrap: positions count modulo 2^32 in the head and modulo 2^26 in words, generations modulo 2^24. A mistake needs a
 *   thread that stops between its load and its compare-and-swap for exactly a multiple of 2^32 claimed blocks with an
 *   equal last claim; or of 2^24 generations of one block at equal positions.
 * Source: helping to record who did what, after detectable objects (Attiya, Ben-Baruch, Hendler, PODC 2018). */
#ifndef LOCKFREE_RUN_QUEUE_H
#define LOCKFREE_RUN_QUEUE_H

#include "participants.h"

#define LF_RUN_BURST 16u /* blocks that are on their way to the cells at once, at most, by one participant's thread */
#define LF_RUN_MAX ((UINT64_C(1) << 20) - 1) /* blocks that one claim can take */
#define LF_RUNS_MAX (UINT64_C(1) << 24)      /* blocks of a queue */
#define LF_BLOCK_REFERENCES ((UINT64_C(1) << 26) - 1)
#define LF__IN_BUNDLE (UINT64_C(1) << 25)
#define LF_BLOCK_MOST_REFERENCES (LF__IN_BUNDLE - 1)
#define LF__LEASE_MASK UINT64_C(0x1fff) /* below LF_PARTICIPANTS: a participant's own; above: see block_pool.h */
#define LF__PUBLISHED UINT64_C(1)

struct lf_run_ends {
    LF_ALIGNED uint64_t head; /* line 0: claimants */
    uint32_t booked;          /* a position; with the head, which its readers need anyway */
    LF_ALIGNED uint32_t tail; /* line 1: publishers */
};
LF_STATIC_ASSERT(sizeof(struct lf_run_ends) == 2 * LF_CACHE_LINE, "layout");

struct lf_lanes;

/* Process-local view. Nothing in it is read from shared memory after attach. */
struct lf_runs {
    struct lf_run_ends *ends;
    uint64_t *cells;
    uint64_t *words;
    uint64_t blocks;
    uint32_t mask;
    int lifo;               /* the same memory, used as a stack: run_stack.h */
    struct lf_lanes *lanes; /* in front of a stack: kept_blocks.h */
    uint32_t *lists;        /* of bundles: kept_bundles.h */
};

#ifdef LF_MODEL
#define LF__IMPATIENT 1 /* there is no time there, so no thread waits for another */
#else
#define LF__IMPATIENT 0
#endif
#ifndef LF_LEAST_CELLS
#define LF_LEAST_CELLS 16u /* as in index_queue.h */
#endif
#define LF__WORDS_TOGETHER UINT64_C(256) /* lf_block_word */
LF_STATIC_ASSERT(LF__WORDS_TOGETHER / 16 * 8 == LF_CACHE_LINE, "layout");
LF_INLINE uint64_t lf_runs_cells(uint64_t blocks) {
    return lf_round_up_pow2(blocks < LF_LEAST_CELLS ? LF_LEAST_CELLS : blocks);
}
LF_INLINE uint64_t lf_runs_bytes(uint64_t blocks) {
    return sizeof(struct lf_run_ends) +
           lf_round_up(8 * (lf_runs_cells(blocks) + lf_round_up(blocks, LF__WORDS_TOGETHER)), LF_CACHE_LINE);
}
LF_INLINE void lf_runs_view(struct lf_runs *q, void *memory, uint64_t blocks) {
    q->ends = (struct lf_run_ends *)memory;
    q->cells = (uint64_t *)(void *)((unsigned char *)memory + sizeof(struct lf_run_ends));
    q->words = q->cells + lf_runs_cells(blocks);
    q->blocks = blocks;
    q->mask = (uint32_t)lf_runs_cells(blocks) - 1;
}

/* Where the word of a block stands. Blocks with neighbouring numbers go to different participants, and each changes the
 * words of its own all the time. So these stand in different lines: 16 lines of 16 words, transposed. */
LF_INLINE uint64_t *lf_block_word(const struct lf_runs *q, uint64_t block) {
    uint8_t low = (uint8_t)block;
    return &q->words[(block & ~UINT64_C(255)) | (uint8_t)(low << 4 | low >> 4)];
}

/* ---- words ---- */

LF_INLINE uint64_t lf__run_head(uint32_t position, uint64_t count, uint32_t participant) {
    return (uint64_t)position << 32 | count << LF_PARTICIPANT_BITS | participant;
}
LF_INLINE uint32_t lf__run_end(uint64_t head) { return (uint32_t)(head >> 32); }
LF_INLINE uint32_t lf__run_count(uint64_t head) { return (uint32_t)(head >> LF_PARTICIPANT_BITS & LF_RUN_MAX); }
LF_INLINE uint32_t lf__run_claimant(uint64_t head) { return (uint32_t)head & LF_PARTICIPANT_MASK; }

LF_INLINE uint64_t lf__run_cell(uint32_t position, uint64_t block) {
    return (uint64_t)position << 32 | block << 8 | LF__PUBLISHED;
}
LF_INLINE uint64_t lf__run_block(uint64_t cell) { return cell >> 8 & (LF_RUNS_MAX - 1); }
/* How far the cell's position is ahead of `position`, which has the same place: 0, or a multiple of the number of cells. */
LF_INLINE int32_t lf__run_ahead(uint64_t cell, uint32_t position) {
    return (int32_t)((uint32_t)(cell >> 32) - position);
}
LF_INLINE int lf__run_is_at(uint64_t cell, uint32_t position) {
    return (cell & LF__PUBLISHED) != 0 && lf__run_ahead(cell, position) == 0;
}

#define LF__BLOCK_HELD (UINT64_C(1) << 63)
#define LF__BLOCK_GENERATION (UINT64_C(0xffffff) << 39)
#define LF__BLOCK_LEASE (LF__LEASE_MASK << 26)
LF_INLINE int lf_block_is_held(uint64_t word) {
    return (word & LF__BLOCK_HELD) != 0 && (word & LF_BLOCK_REFERENCES) != 0;
}
LF_INLINE int lf__block_is_kept(uint64_t word) { /* run_stack.h; in a queue no block is */
    return (word & LF__BLOCK_HELD) != 0 && (word & LF_BLOCK_REFERENCES) == 0;
}
LF_INLINE int lf_block_is_in_bundle(uint64_t word) { /* kept_bundles.h; in a queue no block is */
    return (word & LF__BLOCK_HELD) != 0 && (word & LF__IN_BUNDLE) != 0;
}
LF_INLINE uint32_t lf_block_generation(uint64_t word) { return (uint32_t)(word >> 39) & 0xffffffu; }
LF_INLINE uint32_t lf_block_lease(uint64_t word) { return (uint32_t)(word >> 26 & LF__LEASE_MASK); }
LF_INLINE uint32_t lf_block_references(uint64_t word) { return (uint32_t)(word & LF_BLOCK_REFERENCES); }
LF_INLINE uint64_t lf__block_held_by(uint64_t word, uint32_t lease, uint64_t references) {
    return LF__BLOCK_HELD | (word & LF__BLOCK_GENERATION) | (uint64_t)lease << 26 | references;
}
LF_INLINE int lf__block_is_held_by(uint64_t word, uint32_t lease, uint64_t references) {
    return (word & ~LF__BLOCK_GENERATION) == lf__block_held_by(0, lease, references);
}
/* The word of a block that is no longer held: it gets the next generation. */
LF_INLINE uint64_t lf__block_given_up(uint64_t word, uint32_t lease, uint32_t position) {
    uint64_t generation = (word + (UINT64_C(1) << 39)) & LF__BLOCK_GENERATION;
    return generation | (uint64_t)lease << 26 | (position & LF_BLOCK_REFERENCES);
}
LF_INLINE uint64_t lf__block_coming(uint64_t word, uint32_t lease, uint32_t position) {
    return (word & LF__BLOCK_GENERATION) | (uint64_t)lease << 26 | (position & LF_BLOCK_REFERENCES);
}
LF_INLINE int lf__block_is_coming_at(uint64_t word, uint32_t position) {
    return !(word & LF__BLOCK_HELD) && ((word ^ position) & LF_BLOCK_REFERENCES) == 0;
}

/* Lays the queue out with all blocks free, positions beginning at `start`. */
LF_INLINE void lf_runs_init(struct lf_runs *q, uint32_t start) {
    for (uint32_t i = 0; i <= q->mask; i++) {
        uint32_t position = start + i;
        int is_block = i < q->blocks;
        q->cells[position & q->mask] = is_block ? lf__run_cell(position, i) : (uint64_t)(position - q->mask - 1) << 32;
        if (is_block)
            *lf_block_word(q, i) = lf__block_coming(0, 0, position);
    }
    q->ends->head = lf__run_head(start, 0, 0);
    q->ends->booked = start;
    q->ends->tail = start + (uint32_t)q->blocks;
}

/* ---- claiming ---- */

/* Writes into the words of blocks of a claim who holds them: from the claim's place `from`, at most `most` of them. */
LF_INLINE int lf__runs_book_some(const struct lf_runs *q, uint64_t head, uint32_t from, uint32_t most) {
    uint32_t end = lf__run_end(head), first = end - lf__run_count(head) + from;
    for (uint32_t position = first; position != end && most > 0; position++, most--) {
        /* [R5] pairs with [R6]: the word is not older than the cell. */
        uint64_t cell = lf_load_acquire(&q->cells[position & q->mask]);
        if (!lf__run_is_at(cell, position))
            continue; /* booked, and written again [B2] */
        if (LF_UNLIKELY(lf__run_block(cell) >= q->blocks))
            return LF_CORRUPT;
        uint64_t *at = lf_block_word(q, lf__run_block(cell)), word = lf_load_relaxed(at);
        /* [W2] release; pairs with [W1]: a thread that takes it over from here knows that it was claimed. If it fails,
         * others have done it. */
        if (lf__block_is_coming_at(word, position))
            lf_cas_release(at, &word, lf__block_held_by(word, lf__run_claimant(head), 1));
    }
    return LF_OK;
}
LF_INLINE int lf__runs_book_own(const struct lf_runs *q, uint64_t head) {
    int status = lf__runs_book_some(q, head, 0, UINT32_MAX);
    lf_store_release(&q->ends->booked, lf__run_end(head)); /* [R8] a thread that sees this sees the words */
    return status;
}
/* The claimant of several blocks gets two pauses for each before others book them, at most as for 512. */
LF_INLINE int lf__runs_book(const struct lf_runs *q, uint64_t head) {
    uint32_t count = lf__run_count(head), pauses = count < 2 ? 0 : count < 512 ? 2 * count : 1024;
    for (;; pauses--) {
        if (lf_load_acquire(&q->ends->booked) == lf__run_end(head)) /* [R7] pairs with [R8] */
            return LF_OK;
        for (; pauses % 8 != 0; pauses--)
            lf_pause();
        if (pauses == 0 || LF__IMPATIENT)
            return lf__runs_book_own(q, head);
        lf_pause();
    }
}

LF_INLINE uint64_t lf__runs_head(const struct lf_runs *q) {
    /* [R1] pairs with [R2]: the claims before this one are booked, and what their blocks' words rest on is readable.
     * seq_cst: [L2] (block_pool.h) */
    return lf_load_seq_cst(&q->ends->head);
}

/* Takes the n blocks that have been free for longest into the lease of `participant`: LF_OK, LF_EMPTY (and nothing is
 * taken) or LF_CORRUPT. n is 1..LF_RUN_MAX. */
LF_INLINE int lf_runs_claim(const struct lf_runs *q, uint32_t n, uint32_t participant, uint32_t *blocks) {
    uint64_t head = lf__runs_head(q);
    for (;;) {
        uint32_t first = lf__run_end(head), i = 0;
        int32_t ahead = 0;
        if (LF_UNLIKELY(lf__runs_book(q, head) != LF_OK)) /* [B1] */
            return LF_CORRUPT;
        for (; i < n; i++) {
            uint64_t cell = lf_load_acquire(&q->cells[(first + i) & q->mask]); /* [R5] */
            ahead = lf__run_ahead(cell, first + i);
            if (!lf__run_is_at(cell, first + i))
                break;
            if (LF_UNLIKELY(lf__run_block(cell) >= q->blocks))
                return LF_CORRUPT;
            blocks[i] = (uint32_t)lf__run_block(cell);
        }
        if (i < n) {
            uint64_t now = lf__runs_head(q);
            if (now == head)
                return ahead <= 0 ? LF_EMPTY : LF_CORRUPT; /* a later round where the head has not been is impossible */
            head = now;
            continue;
        }
        uint64_t mine = lf__run_head(first + n, n, participant);
        /* [R2] release: the booking of the claim before; [R1] acquire. seq_cst: [L1] (block_pool.h) */
        if (lf_cas_seq_cst(&q->ends->head, &head, mine))
            return lf__runs_book_own(q, mine);
    }
}

/* ---- making free ---- */

/* The first position from the hint on that is not published, and its cell. */
LF_INLINE uint32_t lf__runs_tail(const struct lf_runs *q, uint32_t position, uint64_t *cell) {
    for (uint64_t walked = 0; walked < UINT64_C(1) << 33; walked++) { /* more only if the cells hold what cannot be */
        *cell = lf_load_acquire(&q->cells[position & q->mask]);       /* [R5] */
        int32_t ahead = lf__run_ahead(*cell, position);
        if (ahead < 0 || !(*cell & LF__PUBLISHED))
            break;
        position += (uint32_t)ahead + 1; /* a later round: all below it is published */
    }
    return position;
}

/* Was the position a round ago claimed and booked, so that its cell can be written again? Books it if need be. [B2] */
LF_INLINE int lf__runs_is_next(const struct lf_runs *q, uint64_t cell, uint32_t tail) {
    uint64_t head = lf__runs_head(q);
    uint32_t before = tail - q->mask - 1;
    if (LF_UNLIKELY(lf__run_ahead(cell, before) != 0 || (int32_t)(lf__run_end(head) - before) <= 0))
        return 0; /* the caller's block is out, so fewer are free than there are cells, and the caller can see that */
    if (lf__run_end(head) - before > lf__run_count(head))
        return 1; /* an earlier claim [B1] */
    return lf__runs_book(q, head) == LF_OK;
}

/* Appends a block that is the caller's, and whose word says "coming" for the caller: LF_OK or LF_CORRUPT. *tail and *cell:
 * the first position that is not published for all that the caller knows, and its cell; then the next position. Others that
 * append get so many pauses to go on. */
LF_INLINE int lf__runs_append(const struct lf_runs *q, uint64_t block, uint64_t word, uint32_t *tail, uint64_t *cell,
                              uint32_t pauses) {
    for (;;) {
        if (LF_UNLIKELY(!lf__runs_is_next(q, *cell, *tail)))
            return LF_CORRUPT;
        if (!lf__block_is_coming_at(word, *tail)) {
            word = lf__block_coming(word, lf_block_lease(word), *tail);
            lf_store_relaxed(lf_block_word(q, block), word);
        }
        /* [R6] release; pairs with [R5]: the block's word, and the booking of the claim that this cell belonged to.
         * [E2] seq_cst; pairs with [E1]: the caller looks for waiters next. */
        if (lf_cas_seq_cst(&q->cells[*tail & q->mask], cell, lf__run_cell(*tail, block)))
            return ++*tail, LF_OK;
        for (uint32_t i = 0; i < pauses; i++)
            lf_pause();
        *tail = lf__runs_tail(q, *tail, cell);
    }
}
LF_INLINE void lf__runs_appended(const struct lf_runs *q, uint32_t tail) {
    if ((int32_t)(tail - lf_load_relaxed(&q->ends->tail)) > 0)
        lf_store_release(&q->ends->tail, tail); /* [R4] pairs with [R3] */
}

/* Makes a block free whose word is `*word`: held by a lease, or coming from the dead. LF_OK; LF_BUSY if the word is another
 * by now, which is then in *word; LF_CORRUPT. */
LF_INLINE int lf_runs_free(const struct lf_runs *q, uint64_t block, uint64_t *word, uint32_t participant) {
    uint64_t cell = 0;
    uint32_t tail = lf__runs_tail(q, lf_load_acquire(&q->ends->tail), &cell); /* [R3] pairs with [R4] */
    uint64_t next = lf_block_is_held(*word) ? lf__block_given_up(*word, participant, tail)
                                            : lf__block_coming(*word, participant, tail);
    /* [W1] pairs with [W2]: what its last users did is over */
    if (!lf_cas_acquire(lf_block_word(q, block), word, next))
        return LF_BUSY;
    int status = lf__runs_append(q, block, next, &tail, &cell, 0);
    if (LF_LIKELY(status == LF_OK))
        lf__runs_appended(q, tail);
    return status;
}

/* Makes blocks free from blocks[*at] on, up to LF_RUN_BURST, and moves *at behind them. It ends before the first that the
 * participant does not hold once, in that generation (`generations` NULL: in any). First all words, then all cells: so those
 * that append at the same time keep their blocks together, and pass the lines of the cells on less often. LF_OK or
 * LF_CORRUPT. */
LF_INLINE int lf_runs_free_burst(const struct lf_runs *q, uint32_t participant, const uint32_t *blocks,
                                 const uint32_t *generations, uint64_t n, uint64_t *at) {
    uint64_t words[LF_RUN_BURST], cell = 0, from = *at;
    uint32_t held = 0, given = 0;
    for (; held < LF_RUN_BURST && from + held < n && blocks[from + held] < q->blocks; held++) {
        uint64_t word = lf_load_acquire(lf_block_word(q, blocks[from + held])); /* [W1] pairs with [W2] */
        if (!lf__block_is_held_by(word, participant, 1) ||
            (generations != NULL && generations[from + held] != lf_block_generation(word)))
            break;
        words[held] = word;
    }
    if (held == 0)
        return LF_OK;
    /* Looked for after the words: it is behind each position where one of these blocks stood. [R3] pairs with [R4] */
    uint32_t tail = lf__runs_tail(q, lf_load_acquire(&q->ends->tail), &cell);
    for (; given < held; given++) {
        uint64_t next = lf__block_given_up(words[given], participant, tail + given);
        /* [W1] pairs with [W2]. It fails if somebody else changed the word, or if the block stands in the list twice. */
        if (!lf_cas_acquire(lf_block_word(q, blocks[from + given]), &words[given], next))
            break;
        words[given] = next;
    }
    for (uint32_t i = 0; i < given; i++, ++*at) {
        if (i > 0)
            tail = lf__runs_tail(q, tail, &cell);
        if (LF_UNLIKELY(lf__runs_append(q, blocks[*at], words[i], &tail, &cell, 4 * (given - i)) != LF_OK))
            return LF_CORRUPT;
    }
    if (given > 0)
        lf__runs_appended(q, tail);
    return LF_OK;
}

/* How many are free. Exact while nobody else runs. O(1), but for what a stopped thread's hint costs. */
LF_INLINE uint64_t lf_runs_size(const struct lf_runs *q) {
    uint64_t cell = 0;
    int32_t size = (int32_t)(lf__runs_tail(q, lf_load_relaxed(&q->ends->tail), &cell) - lf__run_end(lf__runs_head(q)));
    return size < 0 ? 0 : (uint64_t)size > q->blocks ? q->blocks : (uint64_t)size;
}

/* ---- recovery: the caller holds the byte of `gone`, whose lock orders all that the dead one did ---- */

/* Did a block whose word says "coming at this position" arrive there? [B4] */
LF_INLINE int lf__runs_arrived(const struct lf_runs *q, uint64_t block, uint64_t word) {
    uint64_t cell = lf_load_acquire(&q->cells[word & q->mask]); /* [R5] */
    return (cell & LF__PUBLISHED) != 0 && lf__run_block(cell) == block &&
           ((uint32_t)(cell >> 32) ^ (uint32_t)word) % (LF_BLOCK_REFERENCES + 1) == 0;
}

/* Makes the block free if lease `gone` holds it, or if participant `gone` was about to: 1 if it was, 0 if not. */
LF_INLINE int lf_runs_recover(const struct lf_runs *q, uint64_t block, uint32_t gone, uint32_t participant) {
    uint64_t word = lf_load_relaxed(lf_block_word(q, block));
    while (lf_block_lease(word) == gone && (lf_block_is_held(word) || !lf__runs_arrived(q, block, word))) {
        int status = lf_runs_free(q, block, &word, participant);
        if (status != LF_BUSY)
            return status == LF_OK;
    }
    return 0;
}

#endif
