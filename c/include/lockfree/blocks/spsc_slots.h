/* spsc_slots.h: building block of the single-producer single-consumer ring: slots with a flag in each, and two sides.
 *
 * Contract
 *   A side belongs to one thread at a time (role.h). Its holder finds its next slot with lf__spsc_enter, looks at the
 *   slot's word, and goes on with lf__spsc_step. A new holder begins where the last one stopped, at whatever
 *   instruction that was. While the ring is drained, everything that a put has accepted is taken before a get answers
 *   LF_CLOSED, and nothing after that: a producer that published while the consumer gave up takes its records back.
 * Progress: wait-free, except taking over a role (role.h).
 * Death: role.h, and [I2].
 * Layout: {not_empty, not_full} | producer | consumer | slots, `stride` bytes each.
 *   slot  {position : 32 | length + 1, or 0 when free : 32}, payload. The flag and the record share a cache line.
 *   side  {holder: see role.h; position; cursor}: position counts the records of all holders
 *         and wraps at 2^64; cursor is the slot that it stands for, kept so that nothing is divided.
 * Invariants
 *   [I1] the slot of position p changes: free at p - capacity -> full at p (producer) -> free at p (consumer) -> ...
 *   [I2] a side's position is that of the next slot it changes, or one less if its holder was killed in between. The
 *        slot's word says which, so a new holder begins at the right place.
 * Source: a flag inside the slot, after FastForward (Giacomoni, Moseley, Vachharajani, PPoPP 2008). */
#ifndef LOCKFREE_SPSC_SLOTS_H
#define LOCKFREE_SPSC_SLOTS_H

#include "blocking.h"
#include "role.h"

enum lf_spsc_role { LF_PRODUCER = 0, LF_CONSUMER = 1 };
/* How far the consumer has drained a ring that was shut down: it found nothing inside, and then nothing once more. */
enum lf__drained { LF__LOOKED_ONCE = 1, LF__LOOKED_TWICE = 2 };

struct lf_spsc_side {
    LF_ALIGNED uint64_t holder; /* role.h */
    uint64_t position;
    uint64_t cursor;
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
    unsigned char *slots;
    uint64_t stride;
    uint64_t capacity;
    uint64_t record_size;
    uint64_t start;
    uint32_t refused; /* enum lf_spsc_role: the one that was taken when LF_ROLE_TAKEN came last, and who held it; for */
    uint32_t holder_pid, holder_thread; /* messages. 0: nobody any more */
};

LF_INLINE uint64_t *lf__spsc_word(const struct lf_spsc_ring *r, uint64_t cursor) {
    return (uint64_t *)(void *)(r->slots + cursor * r->stride);
}
/* A ticket >= 0 names a slot that is used between two calls, and says which record it was for:
 * {low 31 bits of the position | cursor : 32}. */
LF_INLINE int64_t lf__spsc_ticket(uint64_t cursor, uint64_t position) {
    return (int64_t)((position & INT32_MAX) << 32 | cursor);
}
LF_INLINE unsigned char *lf_spsc_ring_payload(const struct lf_spsc_ring *r, int64_t ticket) {
    return (unsigned char *)(lf__spsc_word(r, (uint32_t)ticket) + 1);
}
LF_INLINE uint64_t lf__spsc_free(uint64_t position) { return position << 32; }
LF_INLINE int lf__spsc_is_at(uint64_t word, uint64_t position) { return word >> 32 == (uint32_t)position; }

/* ---- sides ---- */

/* [I2]: finds the place where the last holder stopped. */
LF_INLINE int lf__spsc_resume(struct lf_spsc_ring *r, enum lf_spsc_role role) {
    struct lf_spsc_side *side = &r->body->sides[role];
    uint64_t position = lf_load_relaxed(&side->position); /* the last holder's: it came with the role [O2] */
    for (int lag = 0; lag < 2; lag++, position++) {
        uint64_t cursor = (position - r->start) % r->capacity;
        uint64_t word = lf_load_relaxed(lf__spsc_word(r, cursor));
        int published = lf__spsc_is_at(word, position), freed = word == lf__spsc_free(position);
        if (role == LF_PRODUCER ? published : freed || lf__spsc_is_at(word, position + r->capacity))
            continue; /* the last holder had done this one */
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

LF_INLINE int lf__spsc_claim(struct lf_spsc_ring *r, enum lf_spsc_role role) {
    int status = lf_role_take(&r->h, &r->body->sides[role].holder);
    if (LF_UNLIKELY(status == LF_ROLE_TAKEN))
        lf__spsc_remember_holder(r, role);
    if (status == LF_OK && (status = lf__spsc_resume(r, role)) != LF_OK)
        lf_role_give_back(&r->body->sides[role].holder);
    return status;
}

LF_INLINE int lf__spsc_is_mine(const struct lf_spsc_ring *r, enum lf_spsc_role role) {
    return lf_role_is_mine(&r->h, &r->body->sides[role].holder);
}
LF_INLINE int lf__spsc_enter(struct lf_spsc_ring *r, enum lf_spsc_role role) {
    int status = role == LF_PRODUCER ? lf_enter_to_put(&r->h) : lf_enter_to_get(&r->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    if (LF_UNLIKELY(lf_load_relaxed(&r->h.segment->ending) != LF__OPEN) &&
        lf_load_relaxed(&r->body->drained) == LF__LOOKED_TWICE)
        return LF_CLOSED;
    return LF_LIKELY(lf__spsc_is_mine(r, role)) ? LF_OK : lf__spsc_claim(r, role);
}

/* Changes the slot's word and then goes on to the next slot. A new holder relies on this order. */
LF_INLINE void lf__spsc_step(struct lf_spsc_ring *r, enum lf_spsc_role role, int64_t ticket, uint64_t low) {
    struct lf_spsc_side *side = &r->body->sides[role];
    uint64_t cursor = (uint32_t)ticket, position = lf_load_relaxed(&side->position);
    /* [S2] release; pairs with [S1]: the record is readable, or has been read */
    lf_store_release(lf__spsc_word(r, cursor), position << 32 | low);
    lf_store_relaxed(&side->position, position + 1);
    lf_store_relaxed(&side->cursor, cursor + 1 == r->capacity ? 0 : cursor + 1);
}

/* The ring was shut down while these `count` records were being put, and the consumer may have got LF_CLOSED already.
 * Takes back what it has not taken, the last record first. Returns how many stay. */
static __attribute__((noinline, unused)) uint64_t lf__spsc_take_back(struct lf_spsc_ring *r, uint64_t count) {
    struct lf_spsc_side *side = &r->body->sides[LF_PRODUCER];
    /* [D5] pairs with [D4]: either the consumer's second look sees the records, or this sees that it looks, and what it
     * has taken before. */
    if (!lf_load_acquire(&r->body->drained))
        return count;
    for (; count > 0; count--) {
        uint64_t cursor = lf_load_relaxed(&side->cursor), position = lf_load_relaxed(&side->position) - 1;
        cursor = cursor == 0 ? r->capacity - 1 : cursor - 1;
        uint64_t *place = lf__spsc_word(r, cursor < r->capacity ? cursor : 0), word = lf_load_relaxed(place);
        if (!lf__spsc_is_at(word, position) || (uint32_t)word == 0 ||
            !lf_cas_relaxed(place, &word, lf__spsc_free(position - r->capacity)))
            break; /* the consumer has it, and all before it */
        lf_store_relaxed(&side->position, position);
        lf_store_relaxed(&side->cursor, cursor);
    }
    return count;
}

/* After `count` records were published: wakes the consumer. Returns how many of them stay put. */
LF_INLINE uint64_t lf__spsc_published(struct lf_spsc_ring *r, uint64_t count) {
    lf_eventcount_notify_sole(&r->body->not_empty); /* its fence is [D5], too: the records are before the next look */
    if (LF_LIKELY(lf_load_relaxed(&r->h.segment->ending) == LF__OPEN)) /* pairs with [D1] */
        return count;
    return lf__spsc_take_back(r, count);
}

/* ---- draining ---- */

/* Nothing is inside. While the ring is drained: tells the producer that it comes too late, then looks once more.
 * Returns the slot's word. */
static __attribute__((noinline, unused)) uint64_t lf__spsc_drain(struct lf_spsc_ring *r, uint64_t cursor) {
    lf_store_relaxed(&r->body->drained, (uint32_t)LF__LOOKED_ONCE);
    lf_fence_seq_cst(); /* [D4] pairs with [D5]: what was put is seen here, or its producer sees `drained` */
    return lf_load_acquire(lf__spsc_word(r, cursor)); /* [S1] */
}

/* Frees the slot that was read. LF_OK, or LF_CLOSED if the producer has taken the record back meanwhile. */
LF_INLINE int lf__spsc_freed(struct lf_spsc_ring *r, int64_t ticket) {
    struct lf_spsc_side *side = &r->body->sides[LF_CONSUMER];
    if (LF_UNLIKELY(lf_load_relaxed(&r->body->drained))) { /* written by consumers: this thread or an earlier one */
        uint64_t *place = lf__spsc_word(r, (uint32_t)ticket), position = lf_load_relaxed(&side->position);
        uint64_t word = lf_load_relaxed(place);
        /* relaxed: nobody writes this slot again */
        if (!lf__spsc_is_at(word, position) || !lf_cas_relaxed(place, &word, lf__spsc_free(position)))
            return LF_CLOSED;
    }
    lf__spsc_step(r, LF_CONSUMER, ticket, 0);
    lf_eventcount_notify_sole(&r->body->not_full);
    return LF_OK;
}

#endif
