/* event.h: a flag that threads of any processes set, clear and wait for.
 *
 * Usage
 *   #include <lockfree/event.h>
 *
 *   struct lf_event ready;
 *   int status = lf_event_create(&ready, "ready"); // others: lf_event_attach(&ready, "ready"); NULL: no name
 *   if (status != LF_OK)
 *       return status; // after LF_SYSTEM, ready.h.error is the errno
 *   lf_event_set(&ready);                                 // one process
 *   status = lf_event_wait(&ready, lf_now() + 2000000000u); // another one: 2 s from now; LF_FOREVER: no time-out
 *                                                         // LF_OK, LF_TIMEDOUT, LF_INTERRUPTED (a signal), LF_CLOSED, ...
 *   lf_segment_unlink(&ready.h, "ready"); // nobody can attach any more; participants go on
 *   lf_detach(&ready.h);                  // this participant leaves
 *
 * Contract
 *   A linearizable flag, clear at first. wait returns LF_OK if the flag was set at one instant of the call, even if it
 *   was cleared before the waiter could look. It returns LF_TIMEDOUT if the flag was clear at the last look, which
 *   comes after the deadline. set wakes everybody who waits. What a thread wrote before set can be read by those that
 *   find the flag set, and by clears. set, is_set, and a clear that clears, have one order over all events (sequential
 *   consistency).
 * Progress: set and is_set are wait-free; clear is lock-free; wait sleeps. What set adds for sleepers is lock-free.
 * Death: nothing to give back. A process that is killed between setting and waking leaves the flag set. A sleeper sees
 *   that after the slice in which it sleeps (blocking.h).
 *
 * Layout: one 64-bit word, odd while set, and an event count. set makes the word odd; clear adds 1.
 * Invariant: the word only grows. So a waiter that found it clear knows by any other value that it was set since.
 * Wrap: after 2^63 rounds of set and clear.
 * Linearization points: set: its fetch_or; clear: its compare-and-swap, or the load that finds the flag clear; is_set and
 *   the refusal of wait: the load. wait after a clear: the set that came before that. */
#ifndef LOCKFREE_EVENT_H
#define LOCKFREE_EVENT_H

#include "blocks/blocking.h"

#define LF_KIND_EVENT 20u

struct lf_event_body {
    LF_ALIGNED uint64_t word;                /* set and clear write; waiters read */
    LF_ALIGNED struct lf_eventcount changed; /* a waiter announces itself; set looks */
};
LF_STATIC_ASSERT(sizeof(struct lf_event_body) == 2 * LF_CACHE_LINE, "layout");
#define LF_EVENT_BYTES (LF_BODY_OFFSET + sizeof(struct lf_event_body))

struct lf_event {
    struct lf_handle h;
    struct lf_event_body *body;
};

LF_INLINE int lf__event_view(struct lf_handle *h) {
    if (h->bytes != LF_EVENT_BYTES)
        return lf_mismatch(h, "size in bytes for the geometry", h->bytes, LF_EVENT_BYTES);
    ((struct lf_event *)h)->body = (struct lf_event_body *)(void *)h->body;
    return LF_OK;
}
LF_INLINE int lf__event_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    (void)h, (void)gone, (void)cursor; /* a participant holds nothing */
    return 1;
}
static const struct lf_kind lf_event_kind = {LF_KIND_EVENT, lf__event_view, lf__event_recover, 0};

/* In zeroed memory of the caller's, LF_EVENT_BYTES long; others join with lf_segment_attach_local. */
LF_INLINE int lf_event_create_local(struct lf_event *e, void *memory) {
    const uint64_t geometry[LF_GEOMETRY] = {0};
    return lf_segment_create_local(&e->h, &lf_event_kind, memory, LF_EVENT_BYTES, geometry);
}

#ifndef LF_MODEL
LF_INLINE int lf_event_create(struct lf_event *e, const char *name) {
    const uint64_t geometry[LF_GEOMETRY] = {0};
    int status = lf_segment_create(&e->h, name, &lf_event_kind, LF_EVENT_BYTES, geometry);
    return status == LF_OK ? lf_segment_publish(&e->h, name) : status;
}
LF_INLINE int lf_event_attach(struct lf_event *e, const char *name) {
    return lf_segment_attach(&e->h, name, &lf_event_kind);
}
/* Through a file handed over by another process; takes it over. */
LF_INLINE int lf_event_attach_fd(struct lf_event *e, int fd) { return lf_segment_attach_fd(&e->h, fd, &lf_event_kind); }
#endif

/* 0, 1 or LF_CLOSED. */
LF_INLINE int lf_event_is_set(struct lf_event *e) {
    int status = lf_enter(&e->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    return (int)(lf_load_seq_cst(&e->body->word) & 1); /* [V2] pairs with [V1]: what the setter wrote is readable */
}

/* LF_OK or LF_CLOSED. A set flag is set once more: without that write, the next thread that clears it could miss what
 * the caller wrote before. */
LF_INLINE int lf_event_set(struct lf_event *e) {
    int status = lf_enter(&e->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    lf_fetch_or_seq_cst(&e->body->word, (uint64_t)1); /* [V1] pairs with [V2], [V3] */
    lf_eventcount_notify_after_rmw(&e->body->changed, UINT32_MAX);
    return LF_OK;
}

/* LF_OK or LF_CLOSED. */
LF_INLINE int lf_event_clear(struct lf_event *e) {
    int status = lf_enter(&e->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    uint64_t seen = lf_load_relaxed(&e->body->word);
    while ((seen & 1) && !lf_cas_seq_cst(&e->body->word, &seen, seen + 1)) /* [V3] pairs with [V1] */
        ;
    return LF_OK;
}

struct lf__event_call {
    struct lf_event *e;
    uint64_t first; /* what the call found */
};
LF_INLINE int lf__event_attempt(void *operation) {
    const struct lf__event_call *call = (const struct lf__event_call *)operation;
    uint64_t seen = lf_load_acquire(&call->e->body->word); /* [V2] */
    return (seen & 1) || seen != call->first ? LF_OK : LF_TIMEDOUT;
}

/* What the word is now, for lf_event_wait_since. */
LF_INLINE uint64_t lf_event_now(struct lf_event *e) {
    return lf_enter(&e->h) == LF_OK ? lf_load_seq_cst(&e->body->word) : 0;
}
/* The same as wait, for a wait that began when the word was `first`. Use it to call again after LF_INTERRUPTED, without
 * missing that the flag was set meanwhile. */
LF_INLINE int lf_event_wait_since(struct lf_event *e, uint64_t first, uint64_t deadline) {
    int status = lf_enter(&e->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    struct lf__event_call call = {e, first};
    return lf_block_on(&e->h, &e->body->changed, lf__event_attempt, &call, LF_TIMEDOUT, deadline);
}
/* Deadline in ns of lf_now(), LF_FOREVER, or 0 to look once: LF_OK, LF_TIMEDOUT, LF_CLOSED, LF_LOST, and LF_INTERRUPTED
 * after 100 ms or on a signal: call again with the same deadline. */
LF_INLINE int lf_event_wait(struct lf_event *e, uint64_t deadline) {
    return lf_event_wait_since(e, lf_event_now(e), deadline);
}

LF_INLINE void lf_event_close(struct lf_event *e) {
    struct lf_eventcount *const counts[] = {&e->body->changed};
    lf_close(&e->h, counts, 1);
}

#endif
