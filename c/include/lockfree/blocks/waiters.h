/* waiters.h: building block of the condition: the waiters, each with a place of its own, oldest first.
 *
 * Contract
 *   lf_waiters_begin takes a place. lf_waiters_notify marks the n that have waited longest, and wakes them.
 *   lf_waiters_end gives the place back and says whether it was marked. So a mark is never lost: a waiter that times
 *   out and was marked meanwhile counts as notified; a waiter that is marked and dies, or gives up, passes its mark on
 *   to another.
 * Progress: begin, end, pass_on and notify are lock-free; sleep sleeps.
 * Death: recovery frees the places of the dead, and passes their marks on. If the recoverer dies in the middle, a mark
 *   may be passed on twice: one wake too many, never one too few.
 *
 * Layout: each place is 64 bytes: a state {ticket : 50 | NOTIFIED | WAITING | participant : 12} and an event count.
 * Order: callers hold the lock of their condition when they begin, notify and end; it orders what they write. A mark is
 *   sequentially consistent, as it is also the fence before the look at the sleeper.
 * Invariant: a place belongs to the participant in its state; 0: it is free. Only its thread frees it, or a recovery.
 * Wrap: tickets count modulo 2^50. After a wrap the order is not that of arrival; nothing is lost. */
#ifndef LOCKFREE_WAITERS_H
#define LOCKFREE_WAITERS_H

#include "blocking.h"

#ifndef LF_WAITERS
#define LF_WAITERS 1024u /* part of the layout; only checks of every step take fewer */
#endif
#define LF__WAITER_PARTICIPANT ((uint64_t)LF_PARTICIPANT_MASK)
#define LF__WAITER_WAITING (LF__WAITER_PARTICIPANT + 1)
#define LF__WAITER_NOTIFIED (LF__WAITER_WAITING << 1)
#define LF__WAITER_TICKET_SHIFT 14

struct lf_waiter {
    uint64_t state;
    struct lf_eventcount woken; /* its thread announces; a notify looks */
    uint64_t unused[6];
};
struct lf_waiters {
    LF_ALIGNED uint64_t tickets; /* given so far */
    uint32_t used;               /* places from here on were never taken */
    LF_ALIGNED struct lf_waiter places[LF_WAITERS];
};
LF_STATIC_ASSERT(sizeof(struct lf_waiter) == 64, "layout");
LF_STATIC_ASSERT(sizeof(struct lf_waiters) == LF_CACHE_LINE + 64 * LF_WAITERS, "layout");

/* All of these take how many places there are: LF_WAITERS, or fewer in a space. */
LF_INLINE uint32_t lf__waiters_used(const struct lf_waiters *w, uint32_t places) {
    uint32_t used = lf_load_relaxed(&w->used);
    return used < places ? used : places;
}

/* The number of a place, or LF_BUSY if all are taken. */
LF_INLINE int64_t lf_waiters_begin(const struct lf_handle *h, struct lf_waiters *w, uint32_t places) {
    uint64_t ticket = lf_fetch_add_relaxed(&w->tickets, (uint64_t)1);
    uint64_t mine = ticket << LF__WAITER_TICKET_SHIFT | LF__WAITER_WAITING | h->participant;
    for (uint32_t i = 0; i < places; i++) {
        uint64_t seen = lf_load_relaxed(&w->places[i].state);
        uint32_t used = lf_load_relaxed(&w->used);
        while (used <= i &&
               !lf_cas_relaxed(&w->used, &used, i + 1)) /* before the place is taken: else recovery misses it */
            ;
        if (seen == 0 && lf_cas_relaxed(&w->places[i].state, &seen, mine))
            return i;
    }
    return LF_BUSY;
}

/* Marks the waiter that has waited longest: whether there was one. */
LF_INLINE int lf__waiters_mark_one(struct lf_waiters *w, uint32_t places) {
    for (;;) {
        struct lf_waiter *oldest = NULL;
        uint64_t state = 0;
        uint32_t used = lf__waiters_used(w, places);
        for (uint32_t i = 0; i < used; i++) {
            uint64_t seen = lf_load_relaxed(&w->places[i].state);
            if ((seen & (LF__WAITER_WAITING | LF__WAITER_NOTIFIED)) == LF__WAITER_WAITING &&
                (oldest == NULL || seen < state)) {
                oldest = &w->places[i];
                state = seen;
            }
        }
        if (oldest == NULL)
            return 0;
        if (lf_cas_seq_cst(&oldest->state, &state, state | LF__WAITER_NOTIFIED)) {
            lf_eventcount_notify_after_rmw(&oldest->woken, UINT32_MAX);
            return 1;
        }
    }
}
/* How many were marked, at most n. A waiter that begins afterwards is not marked, as there are at most n turns. */
LF_INLINE uint32_t lf_waiters_notify(struct lf_waiters *w, uint32_t places, uint32_t n) {
    uint32_t marked = 0;
    if (n > places)
        n = places;
    while (marked < n && lf__waiters_mark_one(w, places))
        marked++;
    return marked;
}

struct lf__waiters_call {
    struct lf_waiter *place;
};
LF_INLINE int lf__waiters_attempt(void *operation) {
    const struct lf__waiters_call *call = (const struct lf__waiters_call *)operation;
    return lf_load_relaxed(&call->place->state) & LF__WAITER_NOTIFIED ? LF_OK : LF_TIMEDOUT;
}
/* Until the place is marked: LF_OK, LF_TIMEDOUT, LF_CLOSED, LF_LOST; LF_INTERRUPTED: call again. */
LF_INLINE int lf_waiters_sleep(struct lf_handle *h, struct lf_waiters *w, int64_t place, uint64_t deadline) {
    struct lf__waiters_call call = {&w->places[place]};
    return lf_block_on(h, &call.place->woken, lf__waiters_attempt, &call, LF_TIMEDOUT, deadline);
}

/* Gives the place back: whether it was marked. */
LF_INLINE int lf_waiters_end(struct lf_waiters *w, int64_t place) {
    return (lf_exchange_relaxed(&w->places[place].state, (uint64_t)0) & LF__WAITER_NOTIFIED) != 0;
}
/* Frees a place. Its mark, if it has one, is passed on before that: a death in between passes it on twice. */
LF_INLINE void lf__waiters_free(struct lf_waiters *w, uint32_t places, uint32_t place, uint64_t state) {
    while (!lf_cas_relaxed(&w->places[place].state, &state, state | LF__WAITER_NOTIFIED)) /* it is chosen no more */
        ;
    if (state & LF__WAITER_NOTIFIED)
        lf__waiters_mark_one(w, places);
    lf_store_relaxed(&w->places[place].state, (uint64_t)0);
}
/* The same as end for a waiter that gives up: if it was marked, another one is. */
LF_INLINE void lf_waiters_pass_on(struct lf_waiters *w, uint32_t places, int64_t place) {
    lf__waiters_free(w, places, (uint32_t)place, lf_load_relaxed(&w->places[place].state));
}

/* For the kind's recover. */
LF_INLINE void lf_waiters_recover_dead(struct lf_waiters *w, uint32_t places, uint32_t gone) {
    uint32_t used = lf__waiters_used(w, places);
    for (uint32_t i = 0; i < used; i++) {
        uint64_t state = lf_load_relaxed(&w->places[i].state); /* the lock of the dead one's byte orders what it did */
        if ((state & LF__WAITER_PARTICIPANT) == gone)
            lf__waiters_free(w, places, i, state);
    }
}

/* After `closed` was set: makes the sleepers of this handle look again. */
LF_INLINE void lf_waiters_wake_all(const struct lf_handle *h, struct lf_waiters *w, uint32_t places) {
    for (uint32_t i = 0, used = lf__waiters_used(w, places); i < used; i++)
        if ((lf_load_relaxed(&w->places[i].state) & LF__WAITER_PARTICIPANT) == h->participant)
            lf_eventcount_notify_all(&w->places[i].woken);
}
/* How many wait and are not marked. */
LF_INLINE uint32_t lf_waiters_count(const struct lf_waiters *w, uint32_t places) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < lf__waiters_used(w, places); i++)
        count += (lf_load_relaxed(&w->places[i].state) & (LF__WAITER_WAITING | LF__WAITER_NOTIFIED)) ==
                 LF__WAITER_WAITING;
    return count;
}

#endif
