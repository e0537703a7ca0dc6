/* semaphore.h: counting semaphore; the permits of a dead process come back.
 *
 * Usage
 *   #include <lockfree/semaphore.h>
 *
 *   struct lf_semaphore pool;
 *   int status = lf_semaphore_create(&pool, "gpus", 4, 4, 0); // value 4, max 4; others: lf_semaphore_attach
 *   if (status != LF_OK)
 *       return status; // after LF_SYSTEM, pool.h.error is the errno
 *   do
 *       status = lf_semaphore_acquire(&pool, 2, LF_FOREVER); // both permits or none; or with a deadline
 *   while (status == LF_INTERRUPTED);                        // a signal handler ran
 *   if (status == LF_OK)
 *       lf_semaphore_release(&pool, 2);
 *   lf_segment_unlink(&pool.h, "gpus"); // nobody can attach any more; participants go on
 *   lf_detach(&pool.h);                 // this participant leaves, and its permits come back
 *
 * Contract
 *   A linearizable counter, never below 0 nor above max. acquire(n) takes all n permits or none. release(n) above max
 *   is refused (LF_OVERFLOW) and changes nothing. Refusals are exact: at one instant of the call (with a time-out:
 *   after the deadline) fewer than n permits were there. LF_BUSY: each of the LF_SEATS seats is in an operation, has
 *   permits of another participant, or is kept by a living thread. At most 3/4 of them are kept. So at most LF_SEATS
 *   threads can hold permits at a time, and LF_SEATS / 4 in any case. A semaphore takes one page of memory, and 63 KiB more
 *   when more than 16 threads use it. Where there is no memory left for that, LF_BUSY comes when the first 22 seats are taken.
 *   In a space it has a seat for each of the space's threads, and a third more.
 * Fairness: waiting acquirers pass a turnstile, a lock, one by one. Only its holder waits for permits; the others wait
 *   for the turnstile. While somebody holds it, no other waiting acquire takes permits. So a call for many permits is
 *   not starved by calls for few. try_acquire, and the last look of a call that times out, see the value alone. They
 *   depend on nobody, and may take permits that the turnstile's holder waits for.
 * Progress: try_acquire, release and value are lock-free; acquire sleeps.
 * Death: the permits of a participant that died or left come back exactly, at whatever instruction it died, at the
 *   latest when somebody would wait for them. This needs that every participant releases what it acquired itself. A
 *   participant that releases permits of others has a debt. Debts reduce what comes back from others, so that never one
 *   permit too many comes back. Recovery never raises the value above its initial one: nothing comes back from a
 *   semaphore that is used as a signal (initially 0).
 *
 * Layout, invariants and wrap: seats.h. value word | turnstile | available, debt, room | first seats || further seats
 * Linearization points: the compare-and-swap of the word; a refusal: the load of the word that it rests on.
 * Source: helping to record who did what, after detectable objects (Attiya, Ben-Baruch, Hendler, PODC 2018). */
#ifndef LOCKFREE_SEMAPHORE_H
#define LOCKFREE_SEMAPHORE_H

#include "blocks/seat_recovery.h"

#define LF_KIND_SEMAPHORE 7u
#define LF__SEMAPHORE_BYTES_OF(seats)                                                                                  \
    (LF_BODY_OFFSET + sizeof(struct lf_semaphore_body) + ((seats) - LF__FIRST_SEATS) * sizeof(struct lf_seat))
#ifdef LF_MODEL
#define LF_SEMAPHORE_BYTES LF__SEMAPHORE_BYTES_OF(LF_SEATS)
#else /* the body stands in the first page */
#define LF_SEMAPHORE_BYTES (LF__SEMAPHORE_BYTES_OF(LF_SEATS) - sizeof(struct lf_semaphore_body))
#endif
/* In a space for so many threads, as if it were a segment. */
LF_INLINE uint64_t lf__sem_bytes_for(uint64_t threads) {
    uint64_t seats = LF__SEATS_FOR(threads);
    seats = seats > LF_SEATS ? LF_SEATS : seats;
    return LF__SEMAPHORE_BYTES_OF(threads <= LF__FIRST_KEPT ? LF__FIRST_SEATS : seats);
}

LF_INLINE int lf__sem_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    struct lf_semaphore *s = (struct lf_semaphore *)h;
    (void)cursor;
    uint32_t head = lf__sem_head_of(s, gone);
    if (head < LF_SEATS) {
        uint32_t room = lf__sem_room(s);
        if (!(lf_load_relaxed(&lf__sem_seat_at(s, head)->claim) & LF__SEAT_SETTLED))
            lf__sem_give_back(s, head, gone);
        for (uint32_t i = head; i < room; i++) /* else this debt would count when others are recovered */
            lf__sem_clear(lf__sem_seat_at(s, i), gone, 1);
        for (uint32_t i = room; i-- > head;) /* the settled one last: until then the rest of this is repeated */
            lf__sem_clear(lf__sem_seat_at(s, i), gone, 0);
    }
    lf_owner_lock_recover_dead(&s->body->turnstile, gone);
    lf_eventcount_notify(&s->body->available, 1);
    return 1;
}

/* ---- creating and attaching ---- */

LF_INLINE int lf__sem_is_valid(uint64_t value, uint64_t max) {
    return max >= 1 && max <= LF_SEMAPHORE_MAX && value <= max;
}
LF_INLINE int lf__sem_view(struct lf_handle *h) {
    struct lf_semaphore *s = (struct lf_semaphore *)h;
    const uint64_t *geometry = h->geometry;
    s->initial = geometry[0];
    s->max = geometry[1];
    s->most = LF_SEATS;
    if (h->home != NULL) /* the space says how many bytes it has */
        s->most = LF__FIRST_SEATS +
                  (uint32_t)((h->bytes - LF__SEMAPHORE_BYTES_OF(LF__FIRST_SEATS)) / sizeof(struct lf_seat));
    else if (h->bytes != LF_SEMAPHORE_BYTES)
        return lf_mismatch(h, "size in bytes for the geometry", h->bytes, LF_SEMAPHORE_BYTES);
    if (!lf__sem_is_valid(s->initial, s->max))
        return lf_mismatch(h, "largest value", s->max, LF_SEMAPHORE_MAX);
    s->body = (struct lf_semaphore_body *)(void *)h->body;
    s->further = (struct lf_seat *)(void *)(h->body + sizeof(struct lf_semaphore_body));
#ifndef LF_MODEL
    if (h->home == NULL) {
        s->body = (struct lf_semaphore_body *)(void *)h->segment->small_body;
        s->further = (struct lf_seat *)(void *)((unsigned char *)h->segment + LF_BODY_OFFSET);
    }
#endif
    return LF_OK;
}

static const struct lf_kind lf_semaphore_kind = {LF_KIND_SEMAPHORE, lf__sem_view, lf__sem_recover, 0};

/* `start`: the number of operations with which every seat begins; pass 0 (tests begin near the wraps). */
LF_INLINE void lf__sem_layout(struct lf_semaphore *s, uint32_t start) {
    for (uint32_t i = 0; start != 0 && i < LF__FIRST_SEATS; i++)
        s->body->seats[i].account = s->body->seats[i].intents[start & 1] = start;
    s->body->word = lf__sem_word(s->initial, 0, start);
    s->body->room = s->h.home != NULL ? s->most : LF__FIRST_SEATS;
}

/* In zeroed memory of the caller, LF_SEMAPHORE_BYTES long. Others join with lf_segment_attach_local. */
LF_INLINE int lf_semaphore_create_local(struct lf_semaphore *s, void *memory, uint64_t value, uint64_t max,
                                        uint32_t start) {
    const uint64_t geometry[LF_GEOMETRY] = {value, max, start, 0, 0, 0};
    if (!lf__sem_is_valid(value, max))
        return LF_INVALID;
    int status = lf_segment_create_local(&s->h, &lf_semaphore_kind, memory, LF_SEMAPHORE_BYTES, geometry);
    if (status == LF_OK)
        lf__sem_layout(s, start);
    return status;
}

#ifndef LF_MODEL
LF_INLINE int lf_semaphore_create(struct lf_semaphore *s, const char *name, uint64_t value, uint64_t max,
                                  uint32_t start) {
    const uint64_t geometry[LF_GEOMETRY] = {value, max, start, 0, 0, 0};
    if (!lf__sem_is_valid(value, max))
        return LF_INVALID;
    int status = lf_segment_create_sparse(&s->h, name, &lf_semaphore_kind, LF_SEMAPHORE_BYTES, LF_BODY_OFFSET,
                                          geometry);
    if (status != LF_OK)
        return status;
    lf__sem_layout(s, start);
    return lf_segment_publish(&s->h, name);
}
LF_INLINE int lf_semaphore_attach(struct lf_semaphore *s, const char *name) {
    return lf_segment_attach(&s->h, name, &lf_semaphore_kind);
}
/* Through a descriptor from another process. Takes the descriptor over. */
LF_INLINE int lf_semaphore_attach_fd(struct lf_semaphore *s, int fd) {
    return lf_segment_attach_fd(&s->h, fd, &lf_semaphore_kind);
}
#endif

/* ---- operations ---- */

/* With a seat of its own, which the thread then keeps if it can: its first operation, or one of a signal handler. */
static __attribute__((noinline, unused)) int lf__sem_operate_again(struct lf_semaphore *s, int64_t delta, int inside) {
    int64_t seat = lf__sem_sit_down(s);
    if (seat < 0)
        return (int)seat;
    int status = lf__sem_change(s, (uint32_t)seat, delta, (int64_t)s->max);
    if (inside)
        lf__sem_stand_up(s, seat);
    else
        lf__sem_keep(s, seat);
    return status;
}

static __attribute__((noinline, unused)) int lf__sem_operate_slowly(struct lf_semaphore *s, int64_t delta) {
    int inside;
    int64_t seat = lf__sem_kept(s, &inside);
    if (LF_UNLIKELY(seat < 0)) {
        int64_t value = lf__sem_value(lf__sem_now(s->body)) + delta; /* refusals need no seat */
        if (value < 0 || value > (int64_t)s->max)
            return value < 0 ? LF_TIMEDOUT : LF_OVERFLOW;
        return lf__sem_operate_again(s, delta, inside);
    }
    int status = lf__sem_change(s, (uint32_t)seat, delta, (int64_t)s->max);
    lf__sem_pause(lf__sem_seat_at(s, (uint32_t)seat));
    return status;
}

#ifndef LF_MODEL
static __attribute__((noinline, unused)) int lf__sem_operate_on(struct lf_semaphore *s, uint32_t seat, int64_t delta,
                                                                uint64_t next, int status) {
    status = lf__sem_change_on(s, seat, delta, (int64_t)s->max, next, status);
    lf__sem_pause(lf__sem_seat_at(s, seat));
    return status;
}
#endif
/* The caller has entered. */
LF_INLINE int lf__sem_operate(struct lf_semaphore *s, int64_t delta) {
#ifndef LF_MODEL /* the usual case, in fewer steps: the thread finds the seat that it keeps where it found it last */
    uint32_t number = lf_load_relaxed(&lf__sem_found.number); /* once: a signal handler may write another one */
    struct lf_seat *seat = lf__sem_seat_at(s, number);
    if (LF_LIKELY(lf__sem_found.body == s->body && number < s->most) &&
        LF_LIKELY(lf__sem_found.epoch == lf_load_relaxed(&s->h.epoch)) &&
        LF_LIKELY(lf__sem_resume(s, seat, lf__sem_found.name) > 0)) {
        uint64_t next = 0;
        int status = lf__sem_change_once(s, seat, number, delta, (int64_t)s->max, &next);
        if (LF_UNLIKELY(status <= LF__OTHERS))
            return lf__sem_operate_on(s, number, delta, next, status);
        lf__sem_pause(seat);
        return status;
    }
#endif
    return lf__sem_operate_slowly(s, delta);
}
LF_INLINE int lf__sem_try(struct lf_semaphore *s, uint64_t n) {
    int status = lf__sem_operate(s, -(int64_t)n);
    if (LF_UNLIKELY(status == LF_TIMEDOUT) && lf_reap_if_due(&s->h) > 0)
        status = lf__sem_operate(s, -(int64_t)n);
    return status;
}

/* LF_OK, LF_TIMEDOUT (refused), LF_BUSY, LF_CLOSED, LF_INVALID (n outside 1..max). */
LF_INLINE int lf_semaphore_try_acquire(struct lf_semaphore *s, uint64_t n) {
    int status = lf_enter(&s->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    if (LF_UNLIKELY(n < 1 || n > s->max))
        return LF_INVALID;
    return lf__sem_try(s, n);
}

/* LF_OK, LF_OVERFLOW, LF_BUSY, LF_CLOSED, LF_INVALID. */
LF_INLINE int lf_semaphore_release(struct lf_semaphore *s, uint64_t n) {
    int status = lf_enter(&s->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    if (LF_UNLIKELY(n < 1 || n > s->max))
        return LF_INVALID;
    status = lf__sem_operate(s, (int64_t)n);
    if (status == LF_OK)
        lf_eventcount_notify_after_rmw(&s->body->available, UINT32_MAX); /* the turnstile's holder; watchers */
    return status;
}

struct lf__sem_call {
    struct lf_semaphore *s;
    uint64_t n;
};
LF_INLINE int lf__sem_attempt(void *operation) {
    struct lf__sem_call *call = (struct lf__sem_call *)operation;
    return lf_semaphore_try_acquire(call->s, call->n);
}

/* Leaves the turnstile. For a caller that got LF_INTERRUPTED from acquire and does not call it again. */
LF_INLINE void lf_semaphore_give_up(struct lf_semaphore *s) {
    if (lf_enter(&s->h) == LF_OK)
        lf_owner_lock_release(&s->h, &s->body->turnstile); /* does nothing if another thread holds it */
}

/* The first attempt of an acquire that may wait. LF_TIMEDOUT also if it would overtake the turnstile's holder. */
LF_INLINE int lf_semaphore_acquire_at_once(struct lf_semaphore *s, uint64_t n) {
    int status = lf_enter(&s->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    if (LF_UNLIKELY(n < 1 || n > s->max))
        return LF_INVALID;
    return lf_load_relaxed(&s->body->turnstile) != 0 ? LF_TIMEDOUT : lf__sem_try(s, n);
}

/* The waiting part of acquire, after a first refusal. */
static __attribute__((noinline, unused)) int lf__sem_wait(struct lf_semaphore *s, uint64_t n, uint64_t deadline) {
    uint64_t *turnstile = &s->body->turnstile;
    if (!lf_owner_lock_is_mine(&s->h, turnstile)) {
        int status = lf_owner_lock_acquire_awhile(&s->h, turnstile, LF__SPIN_PAUSES, deadline);
        if (status == LF_OWNER_DIED)
            lf__lock_recover(&s->h, turnstile); /* the turnstile guards no data that would need repair */
        else if (status != LF_OK)
            return status == LF_TIMEDOUT ? lf_semaphore_try_acquire(s, n) : status;
    }
    struct lf__sem_call call = {s, n};
    int status = lf_block_on(&s->h, &s->body->available, lf__sem_attempt, &call, LF_TIMEDOUT, deadline);
    if (status != LF_INTERRUPTED)
        lf__lock_release(&s->h, turnstile);
    return status;
}

/* Deadline in ns of lf_now(), LF_FOREVER, or 0 to try once. Also LF_INTERRUPTED: call again from the same thread with
 * the same deadline (it may have kept its place in the turnstile), or give up. */
LF_INLINE int lf_semaphore_acquire(struct lf_semaphore *s, uint64_t n, uint64_t deadline) {
    if (deadline == 0)
        return lf_semaphore_try_acquire(s, n);
    int status = lf_semaphore_acquire_at_once(s, n);
    return LF_LIKELY(status != LF_TIMEDOUT) ? status : lf__sem_wait(s, n, deadline);
}

/* The permits that were there at one instant of the call, or LF_CLOSED. */
LF_INLINE int64_t lf_semaphore_value(struct lf_semaphore *s) {
    int status = lf_enter(&s->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    return lf__sem_value(lf__sem_now(s->body));
}

LF_INLINE void lf_semaphore_close(struct lf_semaphore *s) {
    struct lf_eventcount *const counts[] = {&s->body->available};
    lf_close(&s->h, counts, 1);
    lf_owner_lock_wake_all(&s->body->turnstile);
}

#endif
