/* barrier.h: a number of threads of any processes wait for each other, again and again.
 *
 * Usage
 *   #include <lockfree/barrier.h>
 *
 *   struct lf_barrier step;
 *   int status = lf_barrier_create(&step, "step", 1); // of 1 party; others: lf_barrier_attach; NULL: no name
 *   if (status != LF_OK)
 *       return status; // after LF_SYSTEM, step.h.error is the errno
 *   int64_t index = lf_barrier_wait(&step, lf_now() + 2000000000u); // 2 s from now; LF_FOREVER: no time-out
 *   status = index < 0 ? (int)index : LF_OK; // 0, 1, ...: in which place it came; LF_BROKEN, LF_CLOSED, ...
 *   lf_segment_unlink(&step.h, "step");      // nobody can attach any more; participants go on
 *   lf_detach(&step.h);                      // this participant leaves, which is no death
 *
 * Contract
 *   wait returns once `parties` threads have called it: to each its place, 0 to parties - 1. Then the barrier is new, for
 *   the next round. A barrier breaks by abort, by a wait that ends without the others (time-out, signal, close), and by a
 *   death. All waits of the round, and all later ones, then return LF_BROKEN, until reset. reset ends the waits of the
 *   round with LF_BROKEN, too. A round that is complete stays complete for all its waits, whatever comes then.
 *   With an action, in parts: lf_barrier_arrive; the thread with the last place acts; then lf_barrier_open.
 *   What a thread wrote before wait can be read by all the others after it.
 * Progress: arrive, open, abort and reset are lock-free; wait sleeps.
 * Death: if a participant dies without lf_detach, the barrier breaks: any participant may have been a party that
 *   the others wait for. A participant that leaves breaks it only while one of its threads waits. A forked child that
 *   has not used the barrier is no participant.
 *
 * Layout: one 64-bit word {era : 16 | round : 30 | BROKEN | arrived : 17}, an event count, and for the last 16 eras that
 *   have ended, the round in which they did.
 * Invariants
 *   [I1] In an era rounds only grow. An era ends by reset alone, in a state that is BROKEN. Its end is written down
 *        before the next era begins, by the first thread that comes.
 *   [I2] So a waiter knows from the word that its round is complete: the round has passed, or its era ended in a later one.
 * Wrap: a mistake needs a waiter that sleeps through a multiple of 2^30 rounds. One that sleeps through 16 resets is told
 *   LF_BROKEN, even if its round was complete.
 * Linearization points: arrive: its compare-and-swap; the last place's is where the round is complete (with an action: that
 *   of open); abort, reset: theirs.
 * Source: sense-reversing barriers, Mellor-Crummey and Scott 1991, with the states of threading.Barrier. */
#ifndef LOCKFREE_BARRIER_H
#define LOCKFREE_BARRIER_H

#include "blocks/blocking.h"

#define LF_KIND_BARRIER 24u
#define LF_BARRIER_MOST 65535u /* parties */
#define LF__BARRIER_ERAS 16u

#define LF__BARRIER_ARRIVED ((UINT64_C(1) << 17) - 1)
#define LF__BARRIER_BROKEN (UINT64_C(1) << 17)
#define LF__BARRIER_ROUND (UINT64_C(1) << 18)
#define LF__BARRIER_ERA (UINT64_C(1) << 48)

struct lf_barrier_body {
    LF_ALIGNED uint64_t word;                   /* line 0: every operation */
    LF_ALIGNED struct lf_eventcount changed;    /* line 1: waiters announce, the end of a round looks */
    LF_ALIGNED uint64_t ends[LF__BARRIER_ERAS]; /* line 2: words with which eras ended; by resets */
};
LF_STATIC_ASSERT(sizeof(struct lf_barrier_body) == 3 * LF_CACHE_LINE, "layout");
#define LF_BARRIER_BYTES (LF_BODY_OFFSET + sizeof(struct lf_barrier_body))

struct lf_barrier {
    struct lf_handle h;
    struct lf_barrier_body *body;
    uint64_t parties;
};

LF_INLINE uint64_t lf__barrier_arrived(uint64_t word) { return word & LF__BARRIER_ARRIVED; }
LF_INLINE uint64_t lf__barrier_round(uint64_t word) { return word >> 18 & ((UINT64_C(1) << 30) - 1); }
LF_INLINE uint64_t lf__barrier_era(uint64_t word) { return word >> 48; }
/* The word of the next round. */
LF_INLINE uint64_t lf__barrier_next(uint64_t word) {
    uint64_t round = (lf__barrier_round(word) + 1) & ((UINT64_C(1) << 30) - 1);
    return lf__barrier_era(word) << 48 | round << 18;
}

/* Breaks the round of `word`, or any if `any`. */
LF_INLINE void lf__barrier_break(struct lf_barrier_body *body, uint64_t of, int any) {
    uint64_t word = lf_load_relaxed(&body->word);
    while (!(word & LF__BARRIER_BROKEN) && (any || (word & ~LF__BARRIER_ARRIVED) == (of & ~LF__BARRIER_ARRIVED)))
        if (lf_cas_seq_cst(&body->word, &word, word | LF__BARRIER_BROKEN)) {
            lf_eventcount_notify_after_rmw(&body->changed, UINT32_MAX);
            return;
        }
}

LF_INLINE int lf__barrier_view(struct lf_handle *h) {
    struct lf_barrier *b = (struct lf_barrier *)h;
    b->parties = h->geometry[0];
    if (h->bytes != LF_BARRIER_BYTES)
        return lf_mismatch(h, "size in bytes for the geometry", h->bytes, LF_BARRIER_BYTES);
    if (b->parties < 1 || b->parties > LF_BARRIER_MOST)
        return lf_mismatch(h, "parties (at most)", b->parties, LF_BARRIER_MOST);
    b->body = (struct lf_barrier_body *)(void *)h->body;
    return LF_OK;
}
/* A handle that leaves (lf_detach) recovers itself: that is no death. Its waits have broken the barrier by themselves. */
LF_INLINE int lf__barrier_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    struct lf_barrier_body *body = ((struct lf_barrier *)h)->body;
    (void)cursor;
    if (body != NULL && !(gone == h->participant && lf_load_relaxed(&h->closed)))
        lf__barrier_break(body, 0, 1);
    return 1;
}
static const struct lf_kind lf_barrier_kind = {LF_KIND_BARRIER, lf__barrier_view, lf__barrier_recover, 0};

/* `start`: the word with which it begins, 0 in use (tests begin near the wraps). */
LF_INLINE int lf_barrier_create_local(struct lf_barrier *b, void *memory, uint64_t parties, uint64_t start) {
    const uint64_t geometry[LF_GEOMETRY] = {parties, 0, 0, 0, 0, 0};
    if (parties < 1 || parties > LF_BARRIER_MOST)
        return LF_INVALID;
    int status = lf_segment_create_local(&b->h, &lf_barrier_kind, memory, LF_BARRIER_BYTES, geometry);
    if (status == LF_OK)
        b->body->word = start;
    return status;
}

#ifndef LF_MODEL
LF_INLINE int lf_barrier_create(struct lf_barrier *b, const char *name, uint64_t parties) {
    const uint64_t geometry[LF_GEOMETRY] = {parties, 0, 0, 0, 0, 0};
    if (parties < 1 || parties > LF_BARRIER_MOST)
        return LF_INVALID;
    int status = lf_segment_create(&b->h, name, &lf_barrier_kind, LF_BARRIER_BYTES, geometry);
    return status == LF_OK ? lf_segment_publish(&b->h, name) : status;
}
LF_INLINE int lf_barrier_attach(struct lf_barrier *b, const char *name) {
    return lf_segment_attach(&b->h, name, &lf_barrier_kind);
}
/* Through a file handed over by another process; takes it over. */
LF_INLINE int lf_barrier_attach_fd(struct lf_barrier *b, int fd) {
    return lf_segment_attach_fd(&b->h, fd, &lf_barrier_kind);
}
#endif

/* ---- the parts of wait ---- */

/* Takes a place. *round then is what the other parts need. The place; LF_BROKEN, LF_CLOSED. LF_BUSY: all places of the
 * round are taken, and its action runs: wait with lf_barrier_sleep, and arrive again. LF_CORRUPT: more have arrived than
 * there are parties. With `acts` 0, the last place completes the round at once. */
LF_INLINE int64_t lf_barrier_arrive(struct lf_barrier *b, int acts, uint64_t *round) {
    int status = lf_enter(&b->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    uint64_t word = lf_load_acquire(&b->body->word);
    for (;;) {
        uint64_t arrived = lf__barrier_arrived(word);
        *round = word;
        if (word & LF__BARRIER_BROKEN)
            return LF_BROKEN;
        if (LF_UNLIKELY(arrived >= b->parties))
            return arrived == b->parties ? LF_BUSY : LF_CORRUPT;
        int last = arrived + 1 == b->parties && !acts;
        /* [B1] release: what the caller wrote; acquire: what those before it wrote; pairs with itself and [B2] */
        if (!lf_cas_seq_cst(&b->body->word, &word, last ? lf__barrier_next(word) : word + 1))
            continue;
        if (last)
            lf_eventcount_notify_after_rmw(&b->body->changed, UINT32_MAX);
        return (int64_t)arrived;
    }
}

/* How the round ended in which the caller arrived: LF_OK, LF_BROKEN; LF_TIMEDOUT: it has not. */
LF_INLINE int lf__barrier_ended(const struct lf_barrier_body *body, uint64_t round) {
    uint64_t word = lf_load_acquire(&body->word); /* [B2] pairs with [B1]: what the others wrote is readable */
    uint64_t eras = (lf__barrier_era(word) - lf__barrier_era(round)) & 0xffff;
    if (eras == 0) {
        if (lf__barrier_round(word) != lf__barrier_round(round))
            return LF_OK;
        return word & LF__BARRIER_BROKEN ? (int)LF_BROKEN : (int)LF_TIMEDOUT;
    }
    uint64_t end = lf_load_relaxed(&body->ends[lf__barrier_era(round) % LF__BARRIER_ERAS]); /* [B4] by [B2] */
    return lf__barrier_era(end) == lf__barrier_era(round) && lf__barrier_round(end) != lf__barrier_round(round)
               ? (int)LF_OK
               : (int)LF_BROKEN;
}

/* Whether the action of this round runs. */
LF_INLINE int lf__barrier_acts(const struct lf_barrier *b, uint64_t round) {
    return lf_load_relaxed(&b->body->word) == ((round & ~LF__BARRIER_ARRIVED) | b->parties);
}

struct lf__barrier_call {
    struct lf_barrier *b;
    uint64_t round;
};
LF_INLINE int lf__barrier_attempt(void *operation) {
    const struct lf__barrier_call *call = (const struct lf__barrier_call *)operation;
    return lf__barrier_ended(call->b->body, call->round);
}
/* Waits for the end of the round: LF_OK, LF_BROKEN; LF_TIMEDOUT, LF_CLOSED, LF_LOST: call give_up. LF_INTERRUPTED: call
 * again, or give_up. While the action of the round runs, no time-out ends the wait. */
LF_INLINE int lf_barrier_sleep(struct lf_barrier *b, uint64_t round, uint64_t deadline) {
    int status = lf_enter(&b->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    struct lf__barrier_call call = {b, round};
    status = lf_block_on(&b->h, &b->body->changed, lf__barrier_attempt, &call, LF_TIMEDOUT, deadline);
    if (status == LF_TIMEDOUT && lf__barrier_acts(b, round)) {
        status = lf_block_on(&b->h, &b->body->changed, lf__barrier_attempt, &call, LF_TIMEDOUT,
                             lf_now() + LF__AWHILE_NS);
        status = status == LF_TIMEDOUT ? (int)LF_INTERRUPTED : status;
    }
    return status == LF_BROKEN && lf_is_closed(&b->h) ? (int)LF_CLOSED : status; /* broken by the close of its own */
}
/* For a waiter that gives up: breaks the round, unless it has ended. Returns how it ended. Works on a closed handle. */
LF_INLINE int lf_barrier_give_up(struct lf_barrier *b, uint64_t round) {
    if (b->h.segment == NULL)
        return LF_CLOSED;
    lf__barrier_break(b->body, round, 0);
    return lf__barrier_ended(b->body, round);
}
/* After the action, by the thread with the last place: the round is complete. LF_OK, or LF_BROKEN. */
LF_INLINE int lf_barrier_open(struct lf_barrier *b, uint64_t round) {
    int status = lf_enter(&b->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    uint64_t full = (round & ~LF__BARRIER_ARRIVED) | b->parties;
    if (!lf_cas_seq_cst(&b->body->word, &full, lf__barrier_next(round))) /* [B1] */
        return LF_BROKEN;
    lf_eventcount_notify_after_rmw(&b->body->changed, UINT32_MAX);
    return LF_OK;
}

/* ---- operations ---- */

/* The caller's place, once all have come; LF_BROKEN, LF_CLOSED, LF_LOST. Deadline in ns of lf_now(), LF_FOREVER, or 0 not
 * to wait. A time-out or a signal breaks the barrier: LF_BROKEN. */
LF_INLINE int64_t lf_barrier_wait(struct lf_barrier *b, uint64_t deadline) {
    uint64_t round = 0;
    int64_t place;
    while ((place = lf_barrier_arrive(b, 0, &round)) == LF_BUSY) { /* an action runs: the next round begins soon */
        int status = lf_barrier_sleep(b, round, LF_FOREVER);
        if (status != LF_OK && status != LF_BROKEN && status != LF_INTERRUPTED)
            return status;
    }
    if (place < 0)
        return place;
    int status;
    do
        status = (uint64_t)place + 1 == b->parties ? (int)LF_OK : lf_barrier_sleep(b, round, deadline);
    while (status == LF_INTERRUPTED);
    if (status != LF_OK && status != LF_BROKEN) {
        int ended = lf_barrier_give_up(b, round);
        status = ended == LF_OK || status == LF_TIMEDOUT ? ended : status;
    }
    return status == LF_OK ? place : status;
}

/* LF_OK or LF_CLOSED. Breaks the barrier. */
LF_INLINE int lf_barrier_abort(struct lf_barrier *b) {
    int status = lf_enter(&b->h);
    if (LF_LIKELY(status == LF_OK))
        lf__barrier_break(b->body, 0, 1);
    return status;
}

/* LF_OK or LF_CLOSED. The barrier is new, and earlier deaths are forgotten; waiters get LF_BROKEN. Does nothing to a
 * new one. */
LF_INLINE int lf_barrier_reset(struct lf_barrier *b) {
    int status = lf_enter(&b->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    lf_reap(&b->h); /* a death of before must not break the new era */
    uint64_t word = lf_load_acquire(&b->body->word), first = lf__barrier_era(word);
    while (lf__barrier_era(word) == first && (word & (LF__BARRIER_BROKEN | LF__BARRIER_ARRIVED)) != 0) {
        if (!(word & LF__BARRIER_BROKEN)) {
            if (lf_cas_seq_cst(&b->body->word, &word, word | LF__BARRIER_BROKEN))
                word |= LF__BARRIER_BROKEN;
            continue;
        }
        uint64_t *slot = &b->body->ends[first % LF__BARRIER_ERAS], end = lf_load_relaxed(slot);
        if (lf__barrier_era(end) != first || end == 0) /* [I1]; helpers write the same */
            lf_cas_relaxed(slot, &end, word);
        uint64_t next = (first + 1) << 48;
        if (lf_cas_seq_cst(&b->body->word, &word, next)) /* [B4] release: the end is readable */
            break;
    }
    lf_eventcount_notify_all(&b->body->changed);
    return LF_OK;
}

/* 0, 1 or LF_CLOSED. */
LF_INLINE int lf_barrier_broken(struct lf_barrier *b) {
    int status = lf_enter(&b->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    lf_reap_if_due(&b->h);
    return (lf_load_acquire(&b->body->word) & LF__BARRIER_BROKEN) != 0;
}
/* How many wait, or LF_CLOSED. */
LF_INLINE int64_t lf_barrier_waiting(struct lf_barrier *b) {
    int status = lf_enter(&b->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    uint64_t word = lf_load_acquire(&b->body->word);
    return word & LF__BARRIER_BROKEN ? 0 : (int64_t)lf__barrier_arrived(word);
}

LF_INLINE void lf_barrier_close(struct lf_barrier *b) {
    struct lf_eventcount *const counts[] = {&b->body->changed};
    lf_close(&b->h, counts, 1);
}

#endif
