/* blocking.h: the loop in which every blocking operation waits.
 *
 * Contract
 *   lf_block_on calls `attempt` until it returns something else than `refused`, the deadline passes, the handle is
 *   closed, or the object has ended. It looks for a while (spinning.h), then sleeps on the event count. The last attempt
 *   comes after the deadline. So a refusal by time-out is as exact as one by a non-blocking call.
 *   A sleep is cut into slices of 1, 2, 4, 8, 16, 20, 20, ... ms. After a slice in which nothing came somebody looks for
 *   dead participants. So what a killed peer took with it (a wake, a lock, a record) delays a survivor by about as long
 *   as it has slept, and by 20 ms at most. A waiter for records learns how far apart they come: its first slice is as
 *   long as the last waits were, 8 ms at most. Among many participants the slices grow further, by 20 ms for each 64 of
 *   them, and among many sleepers of the segment by 20 ms for each 8 of them, so that a crowd costs no more than a few.
 *   One sleeper of the segment looks, however many sleep, and so that looking takes 0.5% of a CPU, or ends each 20 ms.
 *   Among more than 255 participants one look sees a part of them; then slices of 5 ms follow, and looks by each, until all
 *   are seen.
 *   After 100 ms, and on a signal, it returns LF_INTERRUPTED: the caller serves signals and calls again with the same
 *   deadline. LF_PEER_DIED: see peers.h. LF_LOST: a slice has passed and it is impossible to look for the dead, so nobody
 *   knows whether the wait would end.
 * Progress: sleeping. `attempt` itself must be lock-free. */
#ifndef LOCKFREE_BLOCKING_H
#define LOCKFREE_BLOCKING_H

#include "attach.h"

#ifndef LF__SLICE_NS
#define LF__SLICE_NS 20000000u
#endif
#ifndef LF__SLICE_AMID_NS
#define LF__SLICE_AMID_NS 5000000u
#endif
#define LF__FIRST_SLICE_NS 1000000u
#define LF__USUAL_MOST_NS 8000000u
#define LF__AWHILE_NS 100000000u /* after so long a call serves signals */
#define LF__CROWD 8              /* so many sleepers more make slices longer by a whole one */
#define LF__LOOK_SHARE 200       /* of looking for the dead: one part in so many of the time */
#define LF__FEW 255              /* participants that one look sees */

typedef int (*lf_attempt_fn)(void *operation);

/* The begin of an operation on a container: lf_enter, and a check that the object has not ended for its side. */
LF_INLINE int lf__enter_open(struct lf_handle *h, uint32_t ending) {
    int status = lf_enter(h);
    return LF_LIKELY(status == LF_OK) && lf_load_relaxed(&h->segment->ending) >= ending ? LF_CLOSED : status;
}
/* The same, and the participant has the role from now on. A thread with the role by other means plays it there
 * (role.h). */
LF_INLINE int lf_enter_to_put(struct lf_handle *h) {
    int status = lf__enter_open(h, LF__DRAINING);
    if (LF_LIKELY(status == LF_OK))
        lf__play(h, LF_PRODUCES);
    return status;
}
LF_INLINE int lf_enter_to_get(struct lf_handle *h) {
    int status = lf__enter_open(h, LF__ENDED);
    if (LF_LIKELY(status == LF_OK))
        lf__play(h, LF_CONSUMES);
    return status;
}

/* ---- slices ---- */

struct lf__slices {
    uint64_t next, most, slept;
    int resumed; /* the wait goes on after the caller has served signals */
};

#ifdef LF_MODEL
LF_INLINE struct lf__slices lf__slices_begin(const struct lf_handle *h, const void *where, uint64_t deadline) {
    struct lf__slices slices = {LF__SLICE_NS, LF__SLICE_NS, 0, 0};
    (void)h, (void)where, (void)deadline;
    return slices;
}
LF_INLINE void lf__slices_pause(const struct lf__slices *slices, const void *where, uint64_t deadline) {
    (void)slices, (void)where, (void)deadline;
}
LF_INLINE void lf__slices_as_usual(const struct lf_handle *h, struct lf__slices *slices) { (void)h, (void)slices; }
LF_INLINE uint64_t lf__crowd(const struct lf_handle *h, const struct lf__slices *slices) {
    return (void)h, (void)slices, 0;
}
LF_INLINE void lf__slices_learn(struct lf_handle *h, const struct lf__slices *slices) { (void)h, (void)slices; }
#else
/* A wait that a call gave up to serve signals goes on with the slice that it had come to. */
static __thread struct {
    const void *where;
    uint64_t deadline, next;
} lf__paused __attribute__((unused));

LF_INLINE struct lf__slices lf__slices_begin(const struct lf_handle *h, const void *where, uint64_t deadline) {
    struct lf__slices slices = {LF__FIRST_SLICE_NS, LF__SLICE_NS, 0, 0};
    slices.most *= 1 + lf_load_relaxed(&h->segment->highest) % LF_PARTICIPANTS / 64;
    slices.resumed = lf__paused.where == where && lf__paused.deadline == deadline;
    if (slices.resumed)
        slices.next = lf__paused.next;
    lf__paused.where = NULL;
    return slices;
}
LF_INLINE void lf__slices_pause(const struct lf__slices *slices, const void *where, uint64_t deadline) {
    lf__paused.where = where;
    lf__paused.deadline = deadline;
    lf__paused.next = slices->next;
}
/* Of waits for records: the slice to begin with. */
LF_INLINE void lf__slices_as_usual(const struct lf_handle *h, struct lf__slices *slices) {
    uint64_t usual = lf_load_relaxed(&h->usual);
    if (!slices->resumed && usual > slices->next)
        slices->next = usual;
}
/* Threads of the first 255 participants that sleep in a call, on whatever word; shorter slices do not depend on it. */
LF_INLINE uint64_t lf__crowd(const struct lf_handle *h, const struct lf__slices *slices) {
    uint64_t crowd = 0;
    uint32_t highest = slices->next < LF__SLICE_NS ? 0 : lf_load_relaxed(&h->segment->highest);
    for (uint32_t number = 1; number <= highest && number <= LF__FEW; number++) {
        const struct lf_participant *peer = &h->segment->participants[number];
        crowd += lf_load_relaxed(&peer->in_use) ? lf_load_relaxed(&peer->sleepers) : 0;
    }
    return crowd;
}
/* A wake came. After a first slice without success the next wait begins with a longer one; else a little shorter. */
LF_INLINE void lf__slices_learn(struct lf_handle *h, const struct lf__slices *slices) {
    uint64_t usual = lf_load_relaxed(&h->usual), learned = LF__USUAL_MOST_NS;
    if (slices->next == 2 * slices->slept) /* in the first slice */
        learned = usual - usual / 16;
    else if (slices->slept < learned)
        learned = slices->slept;
    if (learned != usual)
        lf_store_relaxed(&h->usual, (uint32_t)learned);
}
#endif

/* The next slice, cut off at the deadline (which has not passed). In a crowd of sleepers each sleeps longer. */
LF_INLINE uint64_t lf__slice(struct lf__slices *slices, uint64_t crowd, uint64_t now, uint64_t deadline) {
    uint64_t most = slices->most * (1 + crowd / LF__CROWD);
    uint64_t slice = slices->next < most ? slices->next : most;
    slices->next = 2 * slice;
    slices->slept += slice;
    return deadline != LF_FOREVER && deadline - now < slice ? deadline - now : slice;
}

/* After a slice in which nothing came: looks for the dead, unless somebody in this segment has done so lately. A thread
 * that sleeps for several segments looks as rarely as makes the same share for all of them together; its next look in one
 * is then further away than those who sleep for that one alone heed. */
LF_INLINE int lf__look_among(struct lf_handle *h, uint64_t segments) {
    h = lf__home(h);
#ifndef LF_MODEL /* whose clock stands still */
    uint64_t now = lf_now(), *next = &h->segment->next_look, due = lf_load_relaxed(next);
    uint64_t most = LF__SLICE_NS * segments;
    if (lf_load_relaxed(&h->segment->highest) <= LF__FEW) {
        if (due - now <= most || !lf_cas_relaxed(next, &due, now + LF__FIRST_SLICE_NS)) {
            lf_store_relaxed(&h->last_reap, lf_now_coarse()); /* nor do the attempts of this call look */
            return 0;
        }
        int looked = lf_reap_if_due(h);
        uint64_t rest = (lf_now() - now) * LF__LOOK_SHARE * segments;
        lf_store_relaxed(next, now + (rest < most ? rest : most));
        return looked;
    }
#endif
    return (void)segments, lf_reap_if_due(h);
}
LF_INLINE int lf__look_for_all(struct lf_handle *h) { return lf__look_among(h, 1); }

/* ---- waiting ---- */

LF_INLINE uint32_t lf__announce(struct lf_handle *h, struct lf_eventcount *ec) {
    if (!h->asymmetric)
        return lf_eventcount_prepare(ec);
    uint32_t ticket = lf_eventcount_announce(ec);
    lf_fence_heavy_in(h->segment); /* [E1] pairs with [E2]: the light half of a waker, or the fence of a close */
    return ticket;
}

LF_INLINE int lf_block_on(struct lf_handle *h, struct lf_eventcount *ec, lf_attempt_fn attempt, void *operation,
                          int refused, uint64_t deadline) {
    int status = attempt(operation);
    if (status != refused || deadline == 0)
        return status;
    struct lf__slices slices = lf__slices_begin(h, ec, deadline);
    if (refused == LF_EMPTY)
        lf__slices_as_usual(h, &slices);
    struct lf__spin spin = lf__spin_begin(h, slices.resumed ? 0 : UINT32_MAX, 8, deadline);
    while (lf__spin_on(h, &spin))
        if ((status = attempt(operation)) != refused) {
            lf__spin_saw(h, &spin);
            return status;
        }
    lf__spin_missed(h, &spin);
    int looked = 0;
    while (slices.slept < LF__AWHILE_NS) {
        if (LF_UNLIKELY(looked == LF_LOST))
            return LF_LOST;
        uint32_t ticket = lf__announce(h, ec);
        status = attempt(operation);
        if (status == refused) {
            int open = lf_enter(h);
            if (LF_UNLIKELY(open != LF_OK))
                status = open;
        }
        if (status != refused) {
            lf_eventcount_cancel(ec, ticket);
            if (slices.slept == 0 && spin.learns)
                lf__spin_found(h);
            return status;
        }
        uint64_t now = deadline != LF_FOREVER ? lf_now() : 0;
        if (deadline != LF_FOREVER && now >= deadline) {
            lf_eventcount_cancel(ec, ticket);
            lf_reap_if_due(h);
            return attempt(operation); /* this attempt comes after the deadline */
        }
        if (looked > 0) { /* what the dead held may not be given back completely yet: no sleep before that */
            lf_eventcount_cancel(ec, ticket);
            looked = lf_reap_if_due(h);
            continue;
        }
        if (lf_is_amid_a_round(h) && slices.next > LF__SLICE_AMID_NS)
            slices.next = LF__SLICE_AMID_NS;
        lf__fall_asleep(h, !slices.resumed && slices.slept == 0);
        int ended = lf_eventcount_wait(ec, ticket, lf__slice(&slices, lf__crowd(h, &slices), now, deadline));
        lf__woken(h, ended);
        if (ended == -EINTR)
            return LF_INTERRUPTED;
        if (ended == 0 && refused == LF_EMPTY)
            lf__slices_learn(h, &slices);
        if (ended == -EAGAIN && spin.learns)
            lf__spin_found(h);
        if (ended != -ETIMEDOUT && (status = attempt(operation)) != refused)
            return status; /* before the next announcement, which may cost a system call */
        looked = ended == -ETIMEDOUT ? lf__look_for_all(h) : 0;
#ifndef LF_MODEL /* where nobody asks to be told */
        if (lf_peers_are_gone(h, refused)) {
            status = attempt(operation);
            h->error = refused == LF_EMPTY ? LF_PRODUCES : LF_CONSUMES;
            return status == refused ? (int)LF_PEER_DIED : status;
        }
#endif
    }
    lf__slices_pause(&slices, ec, deadline);
    return LF_INTERRUPTED;
}

LF_INLINE void lf__notify_all_of(struct lf_eventcount *const *counts, int n) {
    for (int i = 0; i < n; i++)
        lf_eventcount_notify_all(counts[i]);
}

/* Ends this handle. Its sleepers return LF_CLOSED. Sleepers of others wake once, find nothing, and sleep again. */
LF_INLINE void lf_close(struct lf_handle *h, struct lf_eventcount *const *counts, int n) {
    lf_store_relaxed(&h->closed, 1u); /* ordered by [E2] */
    lf_store_relaxed(&h->epoch, LF__CLOSED_EPOCH);
    lf__notify_all_of(counts, n);
}

/* Ends the object for everybody. It cannot be undone. Draining: puts are refused; gets take what is inside, and then
 * are refused, too. Immediate: all are refused. Sleepers look again. */
LF_INLINE void lf_shutdown(struct lf_handle *h, int immediate, struct lf_eventcount *const *counts, int n) {
    if (LF_UNLIKELY(h->segment == NULL)) /* detached */
        return;
    uint32_t *ending = &h->segment->ending, was = lf_load_relaxed(ending), now = immediate ? LF__ENDED : LF__DRAINING;
    while (was < now && !lf_cas_seq_cst(ending, &was, now)) /* [D1] pairs with [D2], [D3] (the containers) */
        ;
    lf__notify_all_of(counts, n);
}

#endif
