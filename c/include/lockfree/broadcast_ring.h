/* broadcast_ring.h: one writer, many readers: each reader gets every message, in order. Messages of variable length.
 *
 * Usage
 *   #include <lockfree/broadcast_ring.h>
 *
 *   struct lf_broadcast_ring ring;
 *   int status = lf_broadcast_ring_create(&ring, "steps", 1 << 20, 8, LF_SLOW_WAIT, 0); // 1 MiB, up to 8 readers
 *   if (status != LF_OK)                                         // others: lf_broadcast_ring_attach(&ring, "steps")
 *       return status;                                           // after LF_SYSTEM, ring.h.error is the errno
 *   int64_t k = lf_broadcast_ring_join(&ring, LF_ANY_READER);    // a reader: from here on it gets every message
 *   status = lf_broadcast_ring_put(&ring, "go", 2, LF_BROADCAST_TO_ALL, LF_FOREVER); // the writer: LF_OK, ...
 *   char message[512];
 *   int64_t length;
 *   do
 *       length = lf_broadcast_ring_get(&ring, (uint32_t)k, message, sizeof message, lf_now() + 1000000000u);
 *   while (length == LF_INTERRUPTED);    // a signal handler ran
 *   lf_segment_unlink(&ring.h, "steps"); // nobody can attach any more; participants go on
 *   lf_detach(&ring.h);                  // this participant leaves
 *
 * Contract
 *   Every reader gets every message that was put after it joined and that is addressed to it (bit k of `to`), once, whole
 *   and in the order of the puts. The first thread that puts is the writer; other threads get LF_ROLE_TAKEN until it
 *   gives its role back, detaches, ends (as a thread of the caller's process), or its process dies. The same holds for
 *   each of the reader's places. A place that nobody has joined holds nothing back.
 *   Length: up to max_message, half of the bytes less 16. Longer ones are refused (LF_TOO_LONG).
 *   LF_SLOW_WAIT, LF_SLOW_RAISE: nothing is lost. LF_FULL: at one instant of the call, a reader had so much to read that
 *   the message (and a pad before it, when it does not fit before the end) had no room. EMPTY is exact.
 *   LF_SLOW_OVERWRITE: put never waits. A reader that is overtaken goes on with the oldest message that is left, and
 *   `missed` counts those between, for any reader. LF_SLOW_DROP: it gets LF_DROPPED from then on, until it joins
 *   again. In these two modes messages are copied out; there is no reading or writing in place.
 *   Shutdown: a put that answers LF_OK reaches every reader. One that runs beside a shutdown may answer LF_CLOSED although
 *   some readers got the message.
 * Progress: a put that finds room and a get that finds a message are wait-free and have no locked instruction, as long as
 *   nobody sleeps. To walk over messages for others is lock-free; so is get where the writer overtakes. In the last two
 *   modes put is wait-free always. put (in the first two) and get sleep (blocking.h). Waking is lock-free. Joining is a
 *   system call (asymmetric.h), and may need some short sleeps while the kernel removes the last holder.
 * Death: a half-written message was never visible, and the role of the writer is free. A dead reader's place is free and
 *   holds nothing back; the next recovery sees to it, at the latest when the writer would wait.
 * Layout, invariants, wrap: broadcast_log.h.
 * Linearization points: put: the store of the tail; LF_FULL: the later look at the readers. get: the store of the
 *   reader's position; EMPTY: the second load of the tail. */
#ifndef LOCKFREE_BROADCAST_RING_H
#define LOCKFREE_BROADCAST_RING_H

#include "blocks/broadcast_readers.h"

#define LF_KIND_BROADCAST_RING 40u
#define LF_BROADCAST_MIN_BYTES UINT64_C(64)
#define LF_BROADCAST_MAX_BYTES (UINT64_C(1) << 40)
#define LF_BROADCAST_MAX_MESSAGE (UINT64_C(1) << 31)
#define LF_ANY_READER UINT32_MAX

/* Bytes of a segment with this geometry; LF_INVALID if out of bounds. geometry = {size, readers, slow, start}. `size` is a
 * multiple of 16. */
LF_INLINE int lf_broadcast_ring_bytes(uint64_t size, uint64_t readers, uint64_t slow, uint64_t start, uint64_t *bytes) {
    if (size < LF_BROADCAST_MIN_BYTES || size > LF_BROADCAST_MAX_BYTES || size % LF__LOG_UNIT != 0 ||
        start % LF__LOG_UNIT != 0 || readers < 1 || readers > LF_BROADCAST_READERS || slow > LF_SLOW_OVERWRITE)
        return LF_INVALID;
    *bytes = LF_BODY_OFFSET + offsetof(struct lf_broadcast_body, readers) + sizeof(struct lf_log_reader) * readers +
             size;
    return LF_OK;
}

/* The longest message: with a pad before it and the head behind it, it fits into a ring that all have read. */
LF_INLINE uint64_t lf_broadcast_ring_longest(uint64_t size) {
    uint64_t most = size / 2 / LF__LOG_UNIT * LF__LOG_UNIT - sizeof(struct lf_message);
    return most < LF_BROADCAST_MAX_MESSAGE ? most : LF_BROADCAST_MAX_MESSAGE;
}

LF_INLINE int lf__broadcast_view(struct lf_handle *h) {
    struct lf_broadcast_ring *r = (struct lf_broadcast_ring *)h;
    const uint64_t *geometry = h->segment->identity.geometry;
    uint64_t bytes = 0;
    if (lf_broadcast_ring_bytes(geometry[0], geometry[1], geometry[2], geometry[3], &bytes) != LF_OK ||
        bytes != h->bytes)
        return lf_mismatch(h, "size in bytes for the geometry", h->bytes, bytes);
    r->size = geometry[0];
    r->n_readers = (uint32_t)geometry[1];
    r->slow = (uint32_t)geometry[2];
    r->start = geometry[3];
    r->max_message = lf_broadcast_ring_longest(r->size);
    r->body = (struct lf_broadcast_body *)(void *)h->body;
    r->bytes = h->body + offsetof(struct lf_broadcast_body, readers) + sizeof(struct lf_log_reader) * r->n_readers;
    h->asymmetric = 1;
    return LF_OK;
}

LF_INLINE int lf__broadcast_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    struct lf_broadcast_ring *r = (struct lf_broadcast_ring *)h;
    (void)cursor;
    lf_role_recover(&r->body->writer.holder, gone);
    for (uint32_t k = 0; k < r->n_readers; k++) {
        struct lf_log_reader *reader = &r->body->readers[k];
        if (lf_load_relaxed(&reader->holder) >> 32 != gone)
            continue;
        lf__log_leave(reader);
        lf_role_recover(&reader->holder, gone);
        lf_eventcount_notify(&r->body->not_full, 1);
        lf_eventcount_notify_all(&r->body->joined);
    }
    return 1;
}

static const struct lf_kind lf_broadcast_ring_kind = {LF_KIND_BROADCAST_RING, lf__broadcast_view, lf__broadcast_recover,
                                                      0};

/* `start`: the first position; tests begin near the wrap. */
LF_INLINE void lf__broadcast_layout(struct lf_broadcast_ring *r) {
    struct lf_log_writer *w = &r->body->writer;
    w->tail = w->limit = w->wanted = w->oldest = r->start;
}

/* In zeroed memory of the caller. Others in the same process join with lf_segment_attach_local. */
LF_INLINE int lf_broadcast_ring_create_local(struct lf_broadcast_ring *r, void *memory, uint64_t size, uint64_t readers,
                                             uint64_t slow, uint64_t start) {
    uint64_t bytes, geometry[LF_GEOMETRY] = {size, readers, slow, start, 0, 0};
    int status = lf_broadcast_ring_bytes(size, readers, slow, start, &bytes);
    if (status == LF_OK)
        status = lf_segment_create_local(&r->h, &lf_broadcast_ring_kind, memory, bytes, geometry);
    if (status == LF_OK) {
        lf__join_fences(r->h.segment, 1);
        lf__broadcast_layout(r);
    }
    return status;
}

#ifndef LF_MODEL
/* name NULL: anonymous. `start`: the first position; pass 0 (tests begin near the wrap). */
LF_INLINE int lf_broadcast_ring_create(struct lf_broadcast_ring *r, const char *name, uint64_t size, uint64_t readers,
                                       uint64_t slow, uint64_t start) {
    uint64_t bytes, geometry[LF_GEOMETRY] = {size, readers, slow, start, 0, 0};
    if (lf_broadcast_ring_bytes(size, readers, slow, start, &bytes) != LF_OK)
        return LF_INVALID;
    int status = lf_segment_create(&r->h, name, &lf_broadcast_ring_kind, bytes, geometry);
    if (status != LF_OK)
        return status;
    lf__broadcast_layout(r);
    return lf_segment_publish(&r->h, name);
}
LF_INLINE int lf_broadcast_ring_attach(struct lf_broadcast_ring *r, const char *name) {
    return lf_segment_attach(&r->h, name, &lf_broadcast_ring_kind);
}
LF_INLINE int lf_broadcast_ring_attach_fd(struct lf_broadcast_ring *r, int fd) {
    return lf_segment_attach_fd(&r->h, fd, &lf_broadcast_ring_kind);
}
#endif

/* ---- roles ---- */

/* Gives the calling thread's role of the writer back: LF_NOT_OWNER if it does not have it. */
LF_INLINE int lf_broadcast_ring_release_role(struct lf_broadcast_ring *r) {
    int status = lf_enter(&r->h);
    if (status == LF_OK && !lf__broadcast_is_mine(r, &r->body->writer.holder))
        status = LF_NOT_OWNER;
    if (status == LF_OK)
        lf_role_give_back(&r->body->writer.holder);
    return status;
}

/* Makes the calling thread a reader, from the next message on: its number, LF_ROLE_TAKEN (that place is somebody's, or all
 * are), LF_INVALID. A thread that has the place joins again, and skips what it has not read. */
LF_INLINE int64_t lf_broadcast_ring_join(struct lf_broadcast_ring *r, uint32_t number) {
    int status = lf_enter_to_get(&r->h);
    if (status == LF_OK && number != LF_ANY_READER && number >= r->n_readers)
        status = LF_INVALID;
    if (status != LF_OK)
        return status;
    int64_t k = number == LF_ANY_READER ? lf__log_take_any_place(r) : lf__log_take_place(r, number);
    if (k < 0)
        return k;
    if ((status = lf__log_join(r, (uint32_t)k)) != LF_OK)
        lf__broadcast_give_place_back(r, (uint32_t)k);
    lf_eventcount_notify_all(&r->body->joined);
    lf_eventcount_notify(&r->body->not_full, 1); /* joined again: it holds less back */
    return status == LF_OK ? k : status;
}
/* Gives the place back: LF_NOT_OWNER if the calling thread does not have it. */
LF_INLINE int lf_broadcast_ring_leave(struct lf_broadcast_ring *r, uint32_t k) {
    int status = lf__broadcast_enter_place(r, k);
    if (status != LF_OK && status != LF_DROPPED)
        return status;
    lf__broadcast_give_place_back(r, k);
    lf_eventcount_notify(&r->body->not_full, 1);
    return LF_OK;
}

/* ---- the writer ---- */

/* After messages were published: wakes the readers. LF_CLOSED: the ring was shut down beside it. */
LF_INLINE int lf__broadcast_published(struct lf_broadcast_ring *r) {
    lf_fence_light_in(r->h.segment); /* [E2] pairs with [E1] in lf_block_on; [D1] pairs with [D2] */
    uint64_t word = lf_load_relaxed(&r->body->not_empty.word);
    if (LF_UNLIKELY(word >> 32 != 0))
        lf__eventcount_wake(&r->body->not_empty, word, UINT32_MAX);
    return LF_LIKELY(lf_load_relaxed(&r->h.segment->ending) == LF__OPEN) ? LF_OK : LF_CLOSED;
}

/* A place to write a message of up to `length` bytes into: its offset in ring.bytes, LF_FULL, LF_ROLE_TAKEN, LF_CLOSED,
 * LF_TOO_LONG or, in a lossy ring, LF_INVALID. Then commit. Without it nothing happens. */
LF_INLINE int64_t lf_broadcast_ring_reserve(struct lf_broadcast_ring *r, uint64_t length) {
    int status = lf__log_is_lossy(r) ? LF_INVALID : lf__broadcast_enter(r);
    if (LF_UNLIKELY(status != LF_OK || length > r->max_message))
        return status != LF_OK ? status : LF_TOO_LONG;
    struct lf_log_writer *w = &r->body->writer;
    uint64_t tail = lf_load_relaxed(&w->tail), at = lf_load_relaxed(&w->at);
    status = lf__log_place(r, &tail, &at, length);
    return LF_LIKELY(status == LF_OK) ? (int64_t)(at + sizeof(struct lf_message)) : status;
}
/* Publishes the first `length` bytes of what reserve(reserved) gave. LF_BUSY: this thread has no such reservation. */
LF_INLINE int lf_broadcast_ring_commit(struct lf_broadcast_ring *r, int64_t place, uint64_t reserved, uint64_t length,
                                       uint64_t to) {
    if (length > reserved)
        return LF_TOO_LONG;
    int64_t own = lf__broadcast_is_mine(r, &r->body->writer.holder) ? lf_broadcast_ring_reserve(r, reserved)
                                                                    : (int64_t)LF_BUSY;
    if (own != place)
        return own == LF_CLOSED ? LF_CLOSED : LF_BUSY;
    struct lf_log_writer *w = &r->body->writer;
    uint64_t tail = lf_load_relaxed(&w->tail), at = (uint64_t)place - sizeof(struct lf_message);
    tail += at < lf_load_relaxed(&w->at) ? r->size - lf_load_relaxed(&w->at) : 0; /* the pad */
    lf__log_close(r, &tail, &at, length, to);
    lf__log_publish(r, tail, at);
    return lf__broadcast_published(r);
}

#define LF__BROADCAST_RUN 16 /* messages of a batch that become visible at once */

/* Puts messages, lengths[i] bytes each, packed, until there is no room. Returns how many, or a negative status if none. A
 * batch is no unit: readers see its messages by and by. */
LF_INLINE int64_t lf_broadcast_ring_put_many(struct lf_broadcast_ring *r, const void *messages, const uint32_t *lengths,
                                             uint64_t count, uint64_t to) {
    const unsigned char *from = (const unsigned char *)messages;
    for (uint64_t i = 0; i < count; i++)
        if (LF_UNLIKELY(lengths[i] > r->max_message))
            return LF_TOO_LONG;
    int status = lf__broadcast_enter(r);
    if (LF_UNLIKELY(status != LF_OK || count == 0))
        return status;
    struct lf_log_writer *w = &r->body->writer;
    uint64_t tail = lf_load_relaxed(&w->tail), at = lf_load_relaxed(&w->at), done = 0;
    uint64_t run = lf__log_is_lossy(r) ? 1 : LF__BROADCAST_RUN; /* only what is published may be given up */
    while (done < count && (status = lf__log_place(r, &tail, &at, lengths[done])) == LF_OK) {
        if (lf__log_is_lossy(r))
            lf__log_copy_in(lf__log_payload(r, at), from, lengths[done]);
        else
            lf_copy(lf__log_payload(r, at), from, lengths[done]);
        from += lengths[done];
        lf__log_close(r, &tail, &at, lengths[done], to);
        if (++done % run == 0 || done == count)
            lf__log_publish(r, tail, at);
    }
    if (done == 0)
        return status;
    if (done < count)
        lf__log_publish(r, tail, at);
    status = lf__broadcast_published(r);
    return LF_LIKELY(status == LF_OK) ? (int64_t)done : status;
}

/* LF_OK, LF_FULL, LF_ROLE_TAKEN, LF_CLOSED, LF_TOO_LONG. After LF_FULL, r->late is the reader that is furthest behind. */
LF_INLINE int lf_broadcast_ring_try_put(struct lf_broadcast_ring *r, const void *message, uint64_t length,
                                        uint64_t to) {
    if (LF_UNLIKELY(length > r->max_message))
        return LF_TOO_LONG;
    uint32_t one = (uint32_t)length;
    int64_t status = lf_broadcast_ring_put_many(r, message, &one, 1, to);
    if (LF_UNLIKELY(status == LF_FULL) && lf_reap_if_due(&r->h) > 0) /* the dead hold nobody back */
        status = lf_broadcast_ring_put_many(r, message, &one, 1, to);
    return status > 0 ? LF_OK : (int)status;
}

/* ---- readers ---- */

/* The next message for reader k, still inside: where its payload is in ring.bytes, and its length; LF_EMPTY, LF_CLOSED,
 * LF_DROPPED, LF_NOT_OWNER or LF_CORRUPT. Not lossy: it may be read in place until it is taken. */
LF_INLINE int64_t lf_broadcast_ring_peek(struct lf_broadcast_ring *r, uint32_t k, uint64_t *length) {
    int status = lf__broadcast_enter_place(r, k);
    if (LF_LIKELY(status == LF_OK))
        status = lf__log_walk(r, k, length);
    return LF_LIKELY(status == LF_OK) ? (int64_t)(lf_load_relaxed(&r->body->readers[k].at) + sizeof(struct lf_message))
                                      : status;
}

/* Takes the message that peek gave, copied to `out` if that is not NULL. LF_BUSY: peek again, for it is not there: the
 * calling thread has taken it, or it was overtaken. */
LF_INLINE int lf_broadcast_ring_take(struct lf_broadcast_ring *r, uint32_t k, int64_t place, void *out,
                                     uint64_t length) {
    uint64_t found = 0;
    int64_t own = lf_broadcast_ring_peek(r, k, &found);
    if (LF_UNLIKELY(own != place || found != length))
        return own == LF_CLOSED || own == LF_DROPPED || own == LF_NOT_OWNER ? (int)own : LF_BUSY;
    return lf__log_pass(r, k, out, length);
}

/* The length, or LF_EMPTY, LF_CLOSED, LF_DROPPED, LF_NOT_OWNER, LF_CORRUPT. LF_TOO_LONG: it is longer than `room`, and
 * stays inside. */
LF_INLINE int64_t lf_broadcast_ring_try_get(struct lf_broadcast_ring *r, uint32_t k, void *out, uint64_t room) {
    uint64_t length = 0;
    int status = lf__broadcast_enter_place(r, k);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    do {
        status = lf__log_walk(r, k, &length);
        if (LF_LIKELY(status == LF_OK))
            status = length <= room ? lf__log_pass(r, k, out, length) : LF_TOO_LONG;
    } while (LF_UNLIKELY(status == LF_BUSY));
    return LF_LIKELY(status == LF_OK) ? (int64_t)length : status;
}

/* Up to `count` messages, packed into `out`. Returns how many, 0 if there is none, or a negative status if none came. */
LF_INLINE int64_t lf_broadcast_ring_get_many(struct lf_broadcast_ring *r, uint32_t k, void *out, uint64_t room,
                                             uint32_t *lengths, uint64_t count) {
    unsigned char *to = (unsigned char *)out;
    uint64_t done = 0;
    int64_t length = LF_OK;
    while (done < count && (length = lf_broadcast_ring_try_get(r, k, to, room)) >= 0) {
        lengths[done++] = (uint32_t)length;
        to += length;
        room -= (uint64_t)length;
    }
    return done > 0 || length == LF_EMPTY || count == 0 ? (int64_t)done : length;
}

/* ---- waiting: deadline in ns of lf_now(), LF_FOREVER, or 0 to try once. Also LF_INTERRUPTED ---- */
struct lf__broadcast_call {
    struct lf_broadcast_ring *r;
    const void *message;
    uint64_t length, to;
    int64_t place;
    uint32_t reader;
    void *out;
};
LF_INLINE int lf__broadcast_attempt_put(void *operation) {
    struct lf__broadcast_call *c = (struct lf__broadcast_call *)operation;
    return lf_broadcast_ring_try_put(c->r, c->message, c->length, c->to);
}
LF_INLINE int lf__broadcast_attempt_reserve(void *operation) {
    struct lf__broadcast_call *c = (struct lf__broadcast_call *)operation;
    return (c->place = lf_broadcast_ring_reserve(c->r, c->length)) < 0 ? (int)c->place : LF_OK;
}
LF_INLINE int lf__broadcast_attempt_peek(void *operation) {
    struct lf__broadcast_call *c = (struct lf__broadcast_call *)operation;
    return (c->place = lf_broadcast_ring_peek(c->r, c->reader, &c->length)) < 0 ? (int)c->place : LF_OK;
}
LF_INLINE int lf__broadcast_attempt_joined(void *operation) {
    const struct lf__broadcast_call *c = (const struct lf__broadcast_call *)operation;
    int status = lf__enter_open(&c->r->h, LF__DRAINING); /* no put can follow a shutdown */
    return status != LF_OK ? status : (c->to & ~lf__log_joined(c->r)) == 0 ? LF_OK : LF_TIMEDOUT;
}

/* With LF_SLOW_RAISE it does not wait. */
LF_INLINE int lf_broadcast_ring_put(struct lf_broadcast_ring *r, const void *message, uint64_t length, uint64_t to,
                                    uint64_t deadline) {
    struct lf__broadcast_call call = {r, message, length, to, 0, 0, NULL};
    return lf_block_on(&r->h, &r->body->not_full, lf__broadcast_attempt_put, &call, LF_FULL,
                       r->slow == LF_SLOW_RAISE ? 0 : deadline);
}
LF_INLINE int64_t lf_broadcast_ring_reserve_wait(struct lf_broadcast_ring *r, uint64_t length, uint64_t deadline) {
    struct lf__broadcast_call call = {r, NULL, length, 0, 0, 0, NULL};
    int status = lf_block_on(&r->h, &r->body->not_full, lf__broadcast_attempt_reserve, &call, LF_FULL,
                             r->slow == LF_SLOW_RAISE ? 0 : deadline);
    return status == LF_OK ? call.place : status;
}
LF_INLINE int64_t lf_broadcast_ring_peek_wait(struct lf_broadcast_ring *r, uint32_t k, uint64_t *length,
                                              uint64_t deadline) {
    struct lf__broadcast_call call = {r, NULL, 0, 0, 0, k, NULL};
    int status = lf_block_on(&r->h, &r->body->not_empty, lf__broadcast_attempt_peek, &call, LF_EMPTY, deadline);
    *length = call.length;
    return status == LF_OK ? call.place : status;
}
LF_INLINE int lf__broadcast_attempt_get(void *operation) {
    struct lf__broadcast_call *c = (struct lf__broadcast_call *)operation;
    return (c->place = lf_broadcast_ring_try_get(c->r, c->reader, c->out, c->length)) < 0 ? (int)c->place : LF_OK;
}
LF_INLINE int64_t lf_broadcast_ring_get(struct lf_broadcast_ring *r, uint32_t k, void *out, uint64_t room,
                                        uint64_t deadline) {
    struct lf__broadcast_call call = {r, NULL, room, 0, 0, k, out};
    int status = lf_block_on(&r->h, &r->body->not_empty, lf__broadcast_attempt_get, &call, LF_EMPTY, deadline);
    return status == LF_OK ? call.place : status;
}
/* Waits until all readers of the set have joined: LF_OK, LF_TIMEDOUT, LF_CLOSED. */
LF_INLINE int lf_broadcast_ring_wait_readers(struct lf_broadcast_ring *r, uint64_t set, uint64_t deadline) {
    struct lf__broadcast_call call = {r, NULL, 0, set, 0, 0, NULL};
    int status = lf_enter(&r->h);
    return status != LF_OK
               ? status
               : lf_block_on(&r->h, &r->body->joined, lf__broadcast_attempt_joined, &call, LF_TIMEDOUT, deadline);
}

LF_INLINE void lf_broadcast_ring_close(struct lf_broadcast_ring *r) {
    struct lf_eventcount *const counts[] = {&r->body->not_empty, &r->body->not_full, &r->body->joined};
    lf_close(&r->h, counts, 3);
}
/* Ends the ring for everybody. Puts are refused from now on; gets when nothing is inside, or at once if `immediate`. */
LF_INLINE void lf_broadcast_ring_shutdown(struct lf_broadcast_ring *r, int immediate) {
    struct lf_eventcount *const counts[] = {&r->body->not_empty, &r->body->not_full, &r->body->joined};
    lf_shutdown(&r->h, immediate, counts, 3);
}

#endif
