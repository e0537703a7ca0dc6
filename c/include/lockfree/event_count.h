/* event_count.h: waiting for a condition over shared words, without a lock and without a lost wake.
 *
 * Usage
 *   #include <lockfree/event_count.h>
 *
 *   struct lf_event_count changed;
 *   uint64_t work = 0; // a word that all these processes have mapped
 *   int64_t status = lf_event_count_create(&changed, "work"); // others: lf_event_count_attach; NULL: no name
 *   if (status != LF_OK)
 *       return (int)status; // after LF_SYSTEM, changed.h.error is the errno
 *   lf_fetch_add_release(&work, (uint64_t)1); // the thread that changes the word: first the change,
 *   lf_event_count_notify(&changed, 1);       // then the wake; also from a signal handler
 *   int64_t ticket = lf_event_count_prepare(&changed); // a thread that waits for the word to change
 *   if (lf_load_acquire(&work) != 0)
 *       lf_event_count_retract(&changed, ticket);
 *   else
 *       do
 *           status = lf_event_count_wait(&changed, ticket, LF_FOREVER); // or lf_event_count_wait_until
 *       while (status == LF_INTERRUPTED);    // a signal, or some time has passed
 *   lf_segment_unlink(&changed.h, "work");   // nobody can attach any more; participants go on
 *   lf_detach(&changed.h);                   // this participant leaves
 *
 * Contract
 *   A waiter that finds its condition false sleeps until somebody notifies. A notify after a change of the condition is
 *   not lost: either the waiter's look at the condition sees the change, or the notify sees the waiter. notify(n) wakes
 *   at least the n that have slept longest, or all if there are fewer. A wake is a hint: the condition may be false
 *   again. By hand: prepare gives a ticket; look at the condition; then either wait with the ticket, or retract it.
 *   wait returns LF_OK if somebody has notified since prepare.
 *   cancel ends all waits of this handle, from any thread (LF_CANCELLED). Other handles go on; their prepared waits may
 *   end with LF_OK.
 *   The words of the condition are the caller's. They are read and written with atomic operations, in any order.
 * Progress: prepare, retract, notify and cancel are lock-free, and can be called from a signal handler. In a forked
 *   child only if the handle was used there before. wait and wait_until look (spinning.h), then sleep.
 * Death: nothing to give back. A killed waiter leaves its announcement behind, which costs the next notify one system
 *   call. If somebody is killed between the change and its notify, wait_until looks again after the slice in which it
 *   sleeps; wait does not.
 *
 * Layout: an event count (blocks/wait.h).
 * Invariants: those of the event count. A ticket is {cancels of this handle : 31 | epoch : 32}.
 * Wrap: a waiter misses a wake that is followed by exactly 2^32 - 1 others before it falls asleep.
 * Linearization points: notify: the look at the waiters; prepare: its announcement.
 * Source: event counts, Reed and Kanodia 1979. */
#ifndef LOCKFREE_EVENT_COUNT_H
#define LOCKFREE_EVENT_COUNT_H

#include "blocks/blocking.h"

#define LF_KIND_EVENT_COUNT 21u

struct lf_event_count_body {
    LF_ALIGNED struct lf_eventcount changed; /* a waiter announces itself; a notify looks */
};
LF_STATIC_ASSERT(sizeof(struct lf_event_count_body) == LF_CACHE_LINE, "layout");
#define LF_EVENT_COUNT_BYTES (LF_BODY_OFFSET + sizeof(struct lf_event_count_body))

struct lf_event_count {
    struct lf_handle h;
    struct lf_event_count_body *body;
    uint32_t cancels; /* of waits of this handle */
};

LF_INLINE int lf__event_count_view(struct lf_handle *h) {
    if (h->bytes != LF_EVENT_COUNT_BYTES)
        return lf_mismatch(h, "size in bytes for the geometry", h->bytes, LF_EVENT_COUNT_BYTES);
    ((struct lf_event_count *)h)->body = (struct lf_event_count_body *)(void *)h->body;
    ((struct lf_event_count *)h)->cancels = 0;
    return LF_OK;
}
LF_INLINE int lf__event_count_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    (void)h, (void)gone, (void)cursor; /* a participant holds nothing */
    return 1;
}
static const struct lf_kind lf_event_count_kind = {LF_KIND_EVENT_COUNT, lf__event_count_view, lf__event_count_recover,
                                                   0};

/* In zeroed memory of the caller's, LF_EVENT_COUNT_BYTES long; others join with lf_segment_attach_local. */
LF_INLINE int lf_event_count_create_local(struct lf_event_count *e, void *memory) {
    const uint64_t geometry[LF_GEOMETRY] = {0};
    return lf_segment_create_local(&e->h, &lf_event_count_kind, memory, LF_EVENT_COUNT_BYTES, geometry);
}

#ifndef LF_MODEL
LF_INLINE int lf_event_count_create(struct lf_event_count *e, const char *name) {
    const uint64_t geometry[LF_GEOMETRY] = {0};
    int status = lf_segment_create(&e->h, name, &lf_event_count_kind, LF_EVENT_COUNT_BYTES, geometry);
    return status == LF_OK ? lf_segment_publish(&e->h, name) : status;
}
LF_INLINE int lf_event_count_attach(struct lf_event_count *e, const char *name) {
    return lf_segment_attach(&e->h, name, &lf_event_count_kind);
}
/* Through a file handed over by another process; takes it over. */
LF_INLINE int lf_event_count_attach_fd(struct lf_event_count *e, int fd) {
    return lf_segment_attach_fd(&e->h, fd, &lf_event_count_kind);
}
#endif

/* Announces a waiter. The ticket, or LF_CLOSED. The caller then looks at its condition, and calls wait or retract. */
LF_INLINE int64_t lf_event_count_prepare(struct lf_event_count *e) {
    int status = lf_enter(&e->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    uint64_t cancels = lf_load_relaxed(&e->cancels) & INT32_MAX;
    return (int64_t)(cancels << 32 | lf_eventcount_prepare(&e->body->changed));
}
/* The condition is true, or the caller gives up. */
LF_INLINE void lf_event_count_retract(struct lf_event_count *e, int64_t ticket) {
    if (lf_enter(&e->h) == LF_OK)
        lf_eventcount_cancel(&e->body->changed, (uint32_t)ticket);
}

/* LF_OK or LF_CLOSED. Wakes n waiters, or all if there are fewer. */
LF_INLINE int lf_event_count_notify(struct lf_event_count *e, uint32_t n) {
    int status = lf_enter(&e->h);
    if (LF_LIKELY(status == LF_OK))
        lf_eventcount_notify(&e->body->changed, n);
    return status;
}

/* LF_OK or LF_CLOSED. Every wait of this handle that has begun ends with LF_CANCELLED. */
LF_INLINE int lf_event_count_cancel(struct lf_event_count *e) {
    int status = lf_enter(&e->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    lf_fetch_add_relaxed(&e->cancels, 1u); /* before the look at the waiters [E2] */
    lf_eventcount_notify_all(&e->body->changed);
    return LF_OK;
}
LF_INLINE int lf__event_count_is_cancelled(const struct lf_event_count *e, uint32_t cancels) {
    return (lf_load_relaxed(&e->cancels) & INT32_MAX) != (cancels & INT32_MAX);
}

/* What a wait with this ticket would answer now: LF_OK, LF_CANCELLED or LF_CLOSED; LF_TIMEDOUT: it would sleep. */
LF_INLINE int lf__event_count_state(struct lf_event_count *e, int64_t ticket) {
    /* acquire: what was written before the notify is readable, a close or cancel too; pairs with the fence [E2] */
    uint32_t epoch = (uint32_t)lf_load_acquire(&e->body->changed.word);
    int status = lf_enter(&e->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    if (lf__event_count_is_cancelled(e, (uint32_t)((uint64_t)ticket >> 32)))
        return LF_CANCELLED;
    return epoch != (uint32_t)ticket ? LF_OK : LF_TIMEDOUT;
}

/* Looks, then sleeps, until somebody notifies. Deadline in ns of lf_now(), LF_FOREVER, or 0 not to sleep. LF_OK, LF_TIMEDOUT,
 * LF_CANCELLED, LF_CLOSED; LF_LOST (blocking.h). After them the ticket is used up. LF_INTERRUPTED after 100 ms or on a
 * signal: call again with the same ticket and deadline, or retract it. */
LF_INLINE int lf_event_count_wait(struct lf_event_count *e, int64_t ticket, uint64_t deadline) {
    struct lf_eventcount *ec = &e->body->changed;
    int status = lf_enter(&e->h), looked = 0;
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    struct lf__slices slices = lf__slices_begin(&e->h, ec, deadline);
    struct lf__spin spin = lf__spin_begin(&e->h, slices.resumed || deadline == 0 ? 0 : UINT32_MAX, 8, deadline);
    do
        status = lf__event_count_state(e, ticket);
    while (status == LF_TIMEDOUT && lf__spin_on(&e->h, &spin));
    if (status == LF_OK)
        lf__spin_saw(&e->h, &spin);
    else
        lf__spin_missed(&e->h, &spin);
    for (;;) {
        uint64_t now = deadline != LF_FOREVER ? lf_now() : 0;
        status = lf__event_count_state(e, ticket);
        if (status == LF_TIMEDOUT && looked == LF_LOST)
            status = LF_LOST;
        else if (status == LF_TIMEDOUT && (deadline == LF_FOREVER || now < deadline)) {
            if (slices.slept >= LF__AWHILE_NS) {
                lf__slices_pause(&slices, ec, deadline);
                return LF_INTERRUPTED;
            }
            lf__fall_asleep(&e->h, !slices.resumed && slices.slept == 0);
            uint64_t slice = lf__slice(&slices, lf__crowd(&e->h, &slices), now, deadline);
            int ended = lf_futex_wait(lf__epoch(ec), (uint32_t)ticket, slice);
            lf__woken(&e->h, ended);
            if (ended == -EINTR)
                return LF_INTERRUPTED;
            looked = ended == -ETIMEDOUT ? lf__look_for_all(&e->h) : 0;
            continue;
        }
        if (status != LF_CLOSED) /* does nothing if a waker has used it up */
            lf_eventcount_cancel(ec, (uint32_t)ticket);
        return status;
    }
}

struct lf__event_count_call {
    struct lf_event_count *e;
    int (*condition)(void *argument);
    void *argument;
    uint32_t cancels;
};
LF_INLINE int lf__event_count_attempt(void *operation) {
    const struct lf__event_count_call *call = (const struct lf__event_count_call *)operation;
    if (call->condition(call->argument))
        return LF_OK;
    return lf__event_count_is_cancelled(call->e, call->cancels) ? LF_CANCELLED : LF_TIMEDOUT;
}

/* Sleeps until condition(argument) is not 0. It is called before every sleep and after it, at the latest after a slice,
 * and once more after the deadline. It must not wait for anything. Answers as wait; the caller that goes on after
 * LF_INTERRUPTED misses a cancel in between. */
LF_INLINE int lf_event_count_wait_until(struct lf_event_count *e, int (*condition)(void *argument), void *argument,
                                        uint64_t deadline) {
    int status = lf_enter(&e->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    struct lf__event_count_call call = {e, condition, argument, lf_load_relaxed(&e->cancels)};
    return lf_block_on(&e->h, &e->body->changed, lf__event_count_attempt, &call, LF_TIMEDOUT, deadline);
}

LF_INLINE void lf_event_count_close(struct lf_event_count *e) {
    struct lf_eventcount *const counts[] = {&e->body->changed};
    lf_close(&e->h, counts, 1);
}

#endif
