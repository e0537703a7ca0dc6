/* spsc_slots.h: building block of the single-producer single-consumer ring: slots with a flag for each, and two sides.
 *
 * Contract
 *   A side belongs to one thread at a time (role.h). The producer asks for room (lf__spsc_room), fills the slot and
 *   publishes it (lf__spsc_publish). The consumer looks at the slot's word (lf__spsc_look), copies the record out and
 *   moves its position on (lf__spsc_take). A new holder begins where the last one stopped, at whatever instruction that
 *   was. While the ring is drained, everything that a put has accepted is taken before a get answers LF_CLOSED, and
 *   nothing after that: a producer that published while the consumer gave up takes its records back.
 * Fences: what succeeds has none. Before a refusal stands a full fence and another look [S3]. So two refusals are never
 *   older than the puts and gets that their threads made before, also across two rings. A waker has the light half of
 *   an asymmetric fence; a thread that falls asleep, or ends a drained ring, has the heavy one (asymmetric.h).
 * Progress: wait-free, except taking over a role (role.h), and the first sleep where membarrier is refused.
 * Death: role.h, [I2] and [I3].
 * Layout: {not_empty, not_full} | producer | consumer | slots
 *   word    {position : 32 | length + 1, or 0 if the record was taken back or taken while draining : 32}
 *   slot    up to 56 bytes: {word, payload}, 8 to 64 bytes, a power of two: no slot lies across two lines.
 *           More: all words, then all payloads, each 64 bytes or a multiple of 8 above that.
 *   side    {holder: see role.h; position; cursor; limit}: position counts the records of all holders and wraps at 2^64;
 *           cursor is the slot that it stands for, kept so that nothing is divided. limit: the producer's alone. It may
 *           put positions below limit. It looks at the consumer's position only when it gets there.
 * Invariants
 *   [I1] The word of position p is written once by the producer. Before, it has the position p - capacity. The record is
 *        inside from then on, if those before it are, until the consumer's position is above p.
 *   [I2] The producer's position is that of the next slot it writes, or less by as many records as a batch has published
 *        that was killed. The words say how many. So a new holder begins at the right place. It takes back what the batch
 *        has published behind a record that it has not: the consumer never came that far.
 *   [I3] The consumer's position is that of the next record it takes. While draining it is one less between the exchange
 *        that takes the record and the store of the position; the word says so.
 * Source: a flag inside the slot, after FastForward (Giacomoni, Moseley, Vachharajani, PPoPP 2008); an own copy of the
 *   other side's position, after B-Queue (Wang, Zhang, Tang, Hua, 2013). */
#ifndef LOCKFREE_SPSC_SLOTS_H
#define LOCKFREE_SPSC_SLOTS_H

#include "blocking.h"
#include "role.h"

enum lf_spsc_role { LF_PRODUCER = 0, LF_CONSUMER = 1 };
/* How far the consumer has drained a ring that was shut down: it found nothing inside, and then nothing once more. */
enum lf__drained { LF__LOOKED_ONCE = 1, LF__LOOKED_TWICE = 2 };

struct lf_spsc_side {
    LF_ALIGNED uint64_t holder; /* role.h */
    uint64_t position;          /* the consumer's is read by the producer, too */
    uint64_t cursor;
    uint64_t limit;
};

struct lf_spsc_body {
    LF_ALIGNED struct lf_eventcount not_empty; /* line 0: the consumer announces, the producer looks */
    uint32_t drained;                          /* enum lf__drained, written by the consumer */
    LF_ALIGNED struct lf_eventcount not_full;  /* line 1: the producer announces, the consumer looks */
    struct lf_spsc_side sides[2];              /* lines 2 and 3: each written by its holder alone */
};
LF_STATIC_ASSERT(sizeof(struct lf_spsc_body) == 4 * LF_CACHE_LINE, "layout");

struct lf_spsc_ring {
    struct lf_handle h;
    struct lf_spsc_body *body;
    unsigned char *words;
    unsigned char *slots; /* payloads */
    uint64_t word_stride;
    uint64_t stride; /* of payloads */
    uint64_t capacity;
    uint64_t record_size;
    uint64_t start;
    uint32_t refused; /* enum lf_spsc_role: the one that was taken when LF_ROLE_TAKEN came last, and who held it; for */
    uint32_t holder_pid, holder_thread; /* messages. 0: nobody any more */
};

/* ---- slots ---- */

#define LF__SPSC_TOGETHER 56 /* largest record that stands beside its word */

LF_INLINE uint64_t lf__spsc_word_stride(uint64_t record_size) {
    return record_size <= LF__SPSC_TOGETHER ? lf_round_up_pow2(8 + record_size) : 8;
}
LF_INLINE uint64_t lf__spsc_stride(uint64_t record_size) {
    if (record_size <= LF__SPSC_TOGETHER)
        return lf__spsc_word_stride(record_size);
    return record_size <= 64 ? 64 : lf_round_up(record_size, 8);
}
/* Bytes from the first word to the first payload. */
LF_INLINE uint64_t lf__spsc_payloads(uint64_t capacity, uint64_t record_size) {
    return record_size <= LF__SPSC_TOGETHER ? 8 : lf_round_up(8 * capacity, LF_CACHE_LINE);
}

LF_INLINE uint64_t *lf__spsc_word(const struct lf_spsc_ring *r, uint64_t cursor) {
    return (uint64_t *)(void *)(r->words + cursor * r->word_stride);
}
LF_INLINE unsigned char *lf__spsc_payload(const struct lf_spsc_ring *r, uint64_t cursor) {
    return r->slots + cursor * r->stride;
}
/* A ticket >= 0 names a slot that is used between two calls, and says which record it was for:
 * {low 31 bits of the position | cursor : 32}. */
LF_INLINE int64_t lf__spsc_ticket(uint64_t cursor, uint64_t position) {
    return (int64_t)((position & INT32_MAX) << 32 | cursor);
}
LF_INLINE unsigned char *lf_spsc_ring_payload(const struct lf_spsc_ring *r, int64_t ticket) {
    return lf__spsc_payload(r, (uint32_t)ticket);
}
LF_INLINE uint64_t lf__spsc_free(uint64_t position) { return position << 32; }
LF_INLINE int lf__spsc_is_at(uint64_t word, uint64_t position) { return word >> 32 == (uint32_t)position; }
LF_INLINE uint64_t lf__spsc_next(const struct lf_spsc_ring *r, uint64_t cursor) {
    return cursor + 1 == r->capacity ? 0 : cursor + 1;
}

/* A batch is published in runs of so many records, the last record of a run first (spsc_batches.h). */
#define LF__SPSC_RUN 16

/* ---- sides ---- */

/* Takes back what a killed batch has published behind `position`, where it stopped [I2]. */
LF_INLINE void lf__spsc_drop_torn_run(const struct lf_spsc_ring *r, uint64_t cursor, uint64_t position) {
    for (uint64_t i = 1; i < LF__SPSC_RUN && i < r->capacity; i++) {
        uint64_t *word = lf__spsc_word(r, cursor = lf__spsc_next(r, cursor));
        /* The last holder's words came with the role [O2]; the consumer reads them behind [S4] of `position`, at least. */
        if (lf__spsc_is_at(lf_load_relaxed(word), position + i))
            lf_store_relaxed(word, lf__spsc_free(position + i - r->capacity));
    }
}

/* [I2], [I3]: finds the place where the last holder stopped. */
LF_INLINE int lf__spsc_resume(struct lf_spsc_ring *r, enum lf_spsc_role role) {
    struct lf_spsc_side *side = &r->body->sides[role];
    uint64_t position = lf_load_relaxed(&side->position); /* the last holder's: it came with the role [O2] */
    uint64_t cursor = (position - r->start) % r->capacity;
    for (uint64_t lag = 0; lag <= r->capacity; lag++, position++, cursor = lf__spsc_next(r, cursor)) {
        uint64_t word = lf_load_relaxed(lf__spsc_word(r, cursor));
        if (role == LF_PRODUCER ? lf__spsc_is_at(word, position) : word == lf__spsc_free(position) && lag == 0)
            continue; /* the last holder had done this one */
        if (!lf__spsc_is_at(word, position - r->capacity) && (role == LF_PRODUCER || !lf__spsc_is_at(word, position)))
            return LF_CORRUPT;
        if (role == LF_PRODUCER)
            lf__spsc_drop_torn_run(r, cursor, position);
        lf_store_relaxed(&side->cursor, cursor);
        lf_store_relaxed(&side->position, position);
        return LF_OK;
    }
    return LF_CORRUPT;
}

LF_INLINE void lf__spsc_remember_holder(struct lf_spsc_ring *r, enum lf_spsc_role role) {
    uint64_t holder = lf_load_relaxed(&r->body->sides[role].holder), participant = holder >> 32;
    int known = participant > 0 && participant < LF_PARTICIPANTS;
    lf_store_relaxed(&r->refused, (uint32_t)role);
    lf_store_relaxed(&r->holder_pid, known ? lf_load_relaxed(&r->h.segment->participants[participant].pid) : 0);
    lf_store_relaxed(&r->holder_thread, (uint32_t)holder);
}

static __attribute__((noinline, unused)) int lf__spsc_claim(struct lf_spsc_ring *r, enum lf_spsc_role role) {
    int status = lf_role_take(&r->h, &r->body->sides[role].holder);
    if (LF_UNLIKELY(status == LF_ROLE_TAKEN))
        lf__spsc_remember_holder(r, role);
    if (status == LF_OK && (status = lf__spsc_resume(r, role)) != LF_OK)
        lf_role_give_back(&r->body->sides[role].holder);
    if (status == LF_OK)
        lf__play(&r->h, role == LF_PRODUCER ? LF_PRODUCES : LF_CONSUMES);
    return status;
}

LF_INLINE int lf__spsc_is_mine(const struct lf_spsc_ring *r, enum lf_spsc_role role) {
    return lf_role_is_mine(&r->h, &r->body->sides[role].holder);
}
static __attribute__((noinline, unused)) int lf__spsc_enter_slowly(struct lf_spsc_ring *r, enum lf_spsc_role role) {
    int status = role == LF_PRODUCER ? lf__enter_open(&r->h, LF__DRAINING) : lf__enter_open(&r->h, LF__ENDED);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    if (role == LF_CONSUMER && LF_UNLIKELY(lf_load_relaxed(&r->h.segment->ending) != LF__OPEN) &&
        lf_load_relaxed(&r->body->drained) == LF__LOOKED_TWICE)
        return LF_CLOSED;
    status = LF_LIKELY(lf__spsc_is_mine(r, role)) ? LF_OK : lf__spsc_claim(r, role);
    if (LF_LIKELY(status == LF_OK))
        lf__role_is_told(&r->h);
    return status;
}
/* The usual case, in fewer steps: the role is the calling thread's, and the ring is open. Then nobody has begun to drain
 * it: an earlier consumer that did had seen that it ends, and so would this one. */
LF_INLINE int lf__spsc_is_at_hand(const struct lf_spsc_ring *r, enum lf_spsc_role role) {
    return lf_role_is_at_hand(&r->h, &r->body->sides[role].holder) &&
           LF_LIKELY(lf_load_relaxed(&r->h.segment->ending) == LF__OPEN);
}
LF_INLINE int lf__spsc_enter(struct lf_spsc_ring *r, enum lf_spsc_role role) {
    return LF_LIKELY(lf__spsc_is_at_hand(r, role)) ? (int)LF_OK : lf__spsc_enter_slowly(r, role);
}

/* ---- the producer ---- */

/* No room as far as the producer knows: looks at the consumer's position. LF_OK, LF_FULL or LF_CORRUPT. */
static __attribute__((noinline, unused)) int lf__spsc_find_room(struct lf_spsc_ring *r, uint64_t position) {
    for (int look = 0; look < 2; look++) {
        /* [S1] pairs with [S2]: what was in the slots below has been copied out */
        uint64_t head = lf_load_acquire(&r->body->sides[LF_CONSUMER].position), used = position - head;
        if (used > r->capacity)
            return LF_CORRUPT;
        if (used < r->capacity) {
            lf_store_relaxed(&r->body->sides[LF_PRODUCER].limit, head + r->capacity);
            return LF_OK;
        }
        if (look == 0)
            lf_fence_seq_cst(); /* [S3] pairs with [S3] of any other refusal */
    }
    return LF_FULL;
}
LF_INLINE int lf__spsc_room(struct lf_spsc_ring *r, uint64_t position) {
    uint64_t limit = lf_load_relaxed(&r->body->sides[LF_PRODUCER].limit);
    return LF_LIKELY(limit - position - 1 < r->capacity) ? LF_OK : lf__spsc_find_room(r, position);
}

/* [S4] release; pairs with [S5]: the record is readable */
LF_INLINE void lf__spsc_publish(const struct lf_spsc_ring *r, uint64_t cursor, uint64_t position, uint64_t length) {
    lf_store_release(lf__spsc_word(r, cursor), position << 32 | (length + 1));
}
LF_INLINE void lf__spsc_put_until(struct lf_spsc_ring *r, uint64_t cursor, uint64_t position) {
    lf_store_relaxed(&r->body->sides[LF_PRODUCER].position, position);
    lf_store_relaxed(&r->body->sides[LF_PRODUCER].cursor, cursor);
}

/* The ring was shut down while these `count` records were being put, and the consumer may have got LF_CLOSED already.
 * Takes back what it has not taken, the last record first. Returns how many stay. */
static __attribute__((noinline, unused)) uint64_t lf__spsc_take_back(struct lf_spsc_ring *r, uint64_t count) {
    struct lf_spsc_side *side = &r->body->sides[LF_PRODUCER];
    /* [D5] pairs with [D4]: the consumer's second look sees the records, or this sees that it looks. Then it sees what the
     * consumer has taken before, too; from then on it takes by exchange. */
    if (!lf_load_acquire(&r->body->drained))
        return count;
    for (; count > 0; count--) {
        uint64_t cursor = lf_load_relaxed(&side->cursor), position = lf_load_relaxed(&side->position) - 1;
        cursor = cursor == 0 ? r->capacity - 1 : cursor - 1;
        uint64_t *place = lf__spsc_word(r, cursor < r->capacity ? cursor : 0), word = lf_load_relaxed(place);
        if (position - lf_load_relaxed(&r->body->sides[LF_CONSUMER].position) >= r->capacity || /* it is taken */
            !lf__spsc_is_at(word, position) || (uint32_t)word == 0 ||
            !lf_cas_relaxed(place, &word, lf__spsc_free(position - r->capacity)))
            break; /* the consumer has it, and all before it */
        lf_store_relaxed(&side->position, position);
        lf_store_relaxed(&side->cursor, cursor);
    }
    return count;
}

/* After `count` records were published: wakes the consumer. Returns how many of them stay put. */
LF_INLINE uint64_t lf__spsc_published(struct lf_spsc_ring *r, uint64_t count) {
    lf_fence_light_in(
        r->h.segment); /* [E2] pairs with [E1] in lf_block_on; [D5]: the records are before the next looks */
    lf_eventcount_wake_sole(&r->body->not_empty);
    if (LF_LIKELY(lf_load_relaxed(&r->h.segment->ending) == LF__OPEN)) /* pairs with [D1] */
        return count;
    return lf__spsc_take_back(r, count);
}

/* ---- the consumer ---- */

/* Nothing is inside. While the ring is drained: tells the producer that it comes too late, then looks once more.
 * Returns the slot's word. */
static __attribute__((noinline, unused)) uint64_t lf__spsc_drain(struct lf_spsc_ring *r, uint64_t cursor) {
    /* Behind [S3], so a thread that sees it with [D5] sees what was taken before. */
    lf_store_relaxed(&r->body->drained, (uint32_t)LF__LOOKED_ONCE);
    /* [D4] pairs with [D5]: what was put is seen here, or its producer sees `drained` */
    lf_fence_heavy_in(r->h.segment);
    return lf_load_acquire(lf__spsc_word(r, cursor)); /* [S5] */
}

/* The first look found no record: looks once more, and says why there is none. *word: what was found. */
static __attribute__((noinline, unused)) int lf__spsc_find_record(struct lf_spsc_ring *r, uint64_t cursor,
                                                                  uint64_t position, uint64_t *word) {
    if (!lf__spsc_is_at(*word, position - r->capacity))
        return LF_CORRUPT;
    lf_fence_seq_cst();                                /* [S3] */
    *word = lf_load_acquire(lf__spsc_word(r, cursor)); /* [S5] */
    int refusal = LF_EMPTY;
    if (lf__spsc_is_at(*word, position - r->capacity) && lf_load_relaxed(&r->h.segment->ending) != LF__OPEN) {
        *word = lf__spsc_drain(r, cursor);
        refusal = LF_CLOSED;
        if (lf__spsc_is_at(*word, position - r->capacity)) /* the producer takes back whatever it puts from now on */
            lf_store_relaxed(&r->body->drained, (uint32_t)LF__LOOKED_TWICE);
    }
    if (lf__spsc_is_at(*word, position - r->capacity))
        return refusal;
    return LF_OK;
}

/* Looks for the record of a position: its length, LF_EMPTY, LF_CLOSED or LF_CORRUPT. */
LF_INLINE int64_t lf__spsc_look(struct lf_spsc_ring *r, uint64_t cursor, uint64_t position) {
    if (LF_UNLIKELY(cursor >= r->capacity))
        return LF_CORRUPT;
    uint64_t word = lf_load_acquire(lf__spsc_word(r, cursor)); /* [S5] pairs with [S4] */
    if (LF_UNLIKELY(!lf__spsc_is_at(word, position))) {
        int status = lf__spsc_find_record(r, cursor, position, &word);
        if (status != LF_OK)
            return status;
    }
    uint64_t length = (uint64_t)(uint32_t)word - 1; /* huge when it was taken */
    return LF_LIKELY(lf__spsc_is_at(word, position) && length <= r->record_size) ? (int64_t)length
                                                                                 : (int64_t)LF_CORRUPT;
}

/* [S2] release; pairs with [S1]: the records below have been read */
LF_INLINE void lf__spsc_take_until(struct lf_spsc_ring *r, uint64_t cursor, uint64_t position) {
    lf_store_relaxed(&r->body->sides[LF_CONSUMER].cursor, cursor);
    lf_store_release(&r->body->sides[LF_CONSUMER].position, position);
}

/* Takes the record that was read. LF_OK, or LF_CLOSED if the producer has taken it back meanwhile. */
LF_INLINE int lf__spsc_take(struct lf_spsc_ring *r, uint64_t cursor, uint64_t position) {
    if (LF_UNLIKELY(lf_load_relaxed(&r->body->drained))) { /* written by consumers: this thread or an earlier one */
        uint64_t *place = lf__spsc_word(r, cursor), word = lf_load_relaxed(place);
        /* relaxed: nobody writes this slot again */
        if (!lf__spsc_is_at(word, position) || !lf_cas_relaxed(place, &word, lf__spsc_free(position)))
            return LF_CLOSED;
    }
    lf__spsc_take_until(r, lf__spsc_next(r, cursor), position + 1);
    return LF_OK;
}
LF_INLINE void lf__spsc_taken(struct lf_spsc_ring *r) {
    lf_fence_light_in(r->h.segment); /* [E2] pairs with [E1] in lf_block_on */
    lf_eventcount_wake_sole(&r->body->not_full);
}

/* ---- the usual put and get, in fewer steps: LF__NOT_AT_HAND when it takes the others ---- */

#define LF__NOT_AT_HAND (-1000)

LF_INLINE int lf__spsc_put_at_hand(struct lf_spsc_ring *r, const void *record, uint64_t length) {
    const struct lf_spsc_side *side = &r->body->sides[LF_PRODUCER];
    uint64_t capacity = r->capacity;
    if (LF_UNLIKELY(!lf__spsc_is_at_hand(r, LF_PRODUCER)))
        return LF__NOT_AT_HAND;
    uint64_t cursor = lf_load_relaxed(&side->cursor), position = lf_load_relaxed(&side->position);
    if (LF_UNLIKELY(cursor >= capacity || lf_load_relaxed(&side->limit) - position - 1 >= capacity))
        return LF__NOT_AT_HAND;
    lf_copy(lf__spsc_payload(r, cursor), record, length);
    lf__spsc_publish(r, cursor, position, length);
    lf__spsc_put_until(r, cursor + 1 == capacity ? 0 : cursor + 1, position + 1);
    return LF_LIKELY(lf__spsc_published(r, 1) == 1) ? LF_OK : LF_CLOSED;
}
LF_INLINE int64_t lf__spsc_get_at_hand(struct lf_spsc_ring *r, void *record) {
    const struct lf_spsc_side *side = &r->body->sides[LF_CONSUMER];
    if (LF_UNLIKELY(!lf__spsc_is_at_hand(r, LF_CONSUMER)))
        return LF__NOT_AT_HAND;
    uint64_t cursor = lf_load_relaxed(&side->cursor), position = lf_load_relaxed(&side->position);
    if (LF_UNLIKELY(cursor >= r->capacity))
        return LF__NOT_AT_HAND;
    uint64_t word = lf_load_acquire(lf__spsc_word(r, cursor)), length = (uint64_t)(uint32_t)word - 1; /* [S5] */
    if (LF_UNLIKELY(!lf__spsc_is_at(word, position) || length > r->record_size))
        return LF__NOT_AT_HAND;
    lf_copy(record, lf__spsc_payload(r, cursor), length);
    lf__spsc_take_until(r, lf__spsc_next(r, cursor), position + 1);
    lf__spsc_taken(r);
    return (int64_t)length;
}

#endif
