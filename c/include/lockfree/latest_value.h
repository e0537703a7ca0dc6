/* latest_value.h: the newest value of something, which one writer sets and any number of readers read.
 *
 * Usage
 *   #include <lockfree/latest_value.h>
 *
 *   struct lf_latest_value pose;
 *   int status = lf_latest_value_create(&pose, "pose", 48, 4); // values of up to 48 bytes, 4 copies; NULL: no name
 *   if (status != LF_OK)                                       // others: lf_latest_value_attach(&pose, "pose")
 *       return status;                                         // after LF_SYSTEM, pose.h.error is the errno
 *   int64_t version = lf_latest_value_set(&pose, "here", 4);   // the writer: 1, 2, 3, ...
 *   if (version < 0)                                           // LF_ROLE_TAKEN, LF_CLOSED, ...
 *       return (int)version;
 *   char value[48];                                            // as many bytes as record_size
 *   uint64_t seen = 0, deadline = lf_now() + 1000000000u;      // 1 s from now
 *   do                                                         // a reader
 *       status = lf_latest_value_wait(&pose, seen, deadline);  // until there is a newer one: LF_OK, LF_TIMEDOUT, ...
 *   while (status == LF_INTERRUPTED);                          // a signal handler ran, or some time has passed
 *   int64_t length;
 *   do
 *       length = lf_latest_value_get(&pose, value, &seen); // LF_EMPTY: nothing was ever set
 *   while (length == LF_INTERRUPTED);                      // the writer was faster each time
 *   lf_segment_unlink(&pose.h, "pose"); // nobody can attach any more; participants go on
 *   lf_detach(&pose.h);                 // this participant leaves
 *
 * Contract
 *   A linearizable register. A value has 0..record_size bytes. get copies the newest one out, whole and with its exact
 *   length; its version says how many were set up to it. The first thread that sets becomes the writer. Other threads
 *   get LF_ROLE_TAKEN until it gives its role back, detaches, ends (as a thread of the caller's process), or its process
 *   dies. wait returns LF_OK when the newest version is above `newer_than`, LF_TIMEDOUT if it was not at the last look,
 *   which comes after the deadline. Values in between may never be seen by a reader.
 *   Order: if a call happens before another one (C11's happens-before), it comes first. set has no fence, so a look at a
 *   clock does not order it towards other threads.
 * Progress: set is wait-free: it never waits for a reader, however many there are, and waking them is wait-free, too. To
 *   become the writer may need a few short sleeps, while the kernel still removes the last one. get is lock-free: it
 *   begins again only if copies - 1 values were set while it copied. After LF__LATEST_TRIES such copies it returns
 *   LF_INTERRUPTED, and the caller decides. version is wait-free. wait sleeps (blocking.h).
 * Death: the role is free again. A writer killed in the middle of a set leaves the value before it: what it has written
 *   is in a copy that nobody is told of, and the next writer writes there again.
 *
 * Layout: {version} | {writer} | {event count} | copies, each {length | value}. Version v is in copy v mod copies.
 * Invariant: while the version is v, only the copy of v + 1 is written. So a reader that took version v has a whole value
 *   if the version is below v + copies - 1 after its copying.
 * Data races: there are none, in C11's sense. The copies are read and written by relaxed atomics of 8 bytes; one fence on
 *   each side orders them with the version.
 * Wrap: the version is a position; at a set in each nanosecond it reaches 2^63 after 292 years.
 * Linearization points: set: the store of the version. get, version and wait: their first load of it.
 * Source: sequence locks with two and more copies (the "latch" of Linux 4.2), with the fences of Boehm, "Can seqlocks get
 *   along with programming language memory models?", MSPC 2012. */
#ifndef LOCKFREE_LATEST_VALUE_H
#define LOCKFREE_LATEST_VALUE_H

#include "blocks/blocking.h"
#include "blocks/role.h"

#define LF_KIND_LATEST_VALUE 42u
#define LF_LATEST_MAX_RECORD (UINT64_C(1) << 31)
#define LF_LATEST_MIN_COPIES UINT64_C(2)
#define LF_LATEST_MAX_COPIES UINT64_C(64)
#define LF__LATEST_TRIES 64

struct lf_latest_body {
    LF_ALIGNED uint64_t version;           /* the writer writes, all read */
    LF_ALIGNED uint64_t writer;            /* the holder of the role (role.h) */
    LF_ALIGNED struct lf_eventcount newer; /* a waiter announces; the writer looks */
};
LF_STATIC_ASSERT(sizeof(struct lf_latest_body) == 3 * LF_CACHE_LINE, "layout");

struct lf_latest_value {
    struct lf_handle h;
    struct lf_latest_body *body;
    unsigned char *copies;
    uint64_t record_size, n_copies, stride;
    uint32_t holder_pid, holder_thread; /* after LF_ROLE_TAKEN: its holder; 0: nobody any more */
};

LF_INLINE uint64_t lf__latest_stride(uint64_t record_size) {
    return lf_round_up(sizeof(uint64_t) + record_size, LF_CACHE_LINE);
}
/* Bytes of a segment with this geometry; LF_INVALID if out of bounds. geometry = {record_size, copies}. */
LF_INLINE int lf_latest_value_bytes(uint64_t record_size, uint64_t copies, uint64_t *bytes) {
    if (record_size > LF_LATEST_MAX_RECORD || copies < LF_LATEST_MIN_COPIES || copies > LF_LATEST_MAX_COPIES)
        return LF_INVALID;
    *bytes = LF_BODY_OFFSET + sizeof(struct lf_latest_body);
    return lf_add_mul(bytes, copies, lf__latest_stride(record_size));
}

LF_INLINE int lf__latest_value_view(struct lf_handle *h) {
    struct lf_latest_value *v = (struct lf_latest_value *)h;
    const uint64_t *geometry = h->segment->identity.geometry;
    uint64_t bytes = 0;
    v->record_size = geometry[0];
    v->n_copies = geometry[1];
    if (lf_latest_value_bytes(v->record_size, v->n_copies, &bytes) != LF_OK || bytes != h->bytes)
        return lf_mismatch(h, "size in bytes for the geometry", h->bytes, bytes);
    v->stride = lf__latest_stride(v->record_size);
    v->body = (struct lf_latest_body *)(void *)h->body;
    v->copies = h->body + sizeof(struct lf_latest_body);
    h->asymmetric = 1;
    return LF_OK;
}
LF_INLINE int lf__latest_value_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    (void)cursor;
    lf_role_recover(&((struct lf_latest_value *)h)->body->writer, gone);
    return 1;
}
static const struct lf_kind lf_latest_value_kind = {LF_KIND_LATEST_VALUE, lf__latest_value_view,
                                                    lf__latest_value_recover, 0};

/* In zeroed memory of the caller. Others in the same process join with lf_segment_attach_local. */
LF_INLINE int lf_latest_value_create_local(struct lf_latest_value *v, void *memory, uint64_t record_size,
                                           uint64_t copies) {
    uint64_t bytes, geometry[LF_GEOMETRY] = {record_size, copies, 0, 0, 0, 0};
    int status = lf_latest_value_bytes(record_size, copies, &bytes);
    if (status == LF_OK)
        status = lf_segment_create_local(&v->h, &lf_latest_value_kind, memory, bytes, geometry);
    if (status == LF_OK)
        lf__join_fences(v->h.segment, 1);
    return status;
}

#ifndef LF_MODEL
/* One that nobody else can see yet: write its note, then lf_segment_publish. */
LF_INLINE int lf__latest_value_allocate(struct lf_latest_value *v, const char *name, uint64_t record_size,
                                        uint64_t copies) {
    uint64_t bytes, geometry[LF_GEOMETRY] = {record_size, copies, 0, 0, 0, 0};
    if (lf_latest_value_bytes(record_size, copies, &bytes) != LF_OK)
        return LF_INVALID;
    return lf_segment_create(&v->h, name, &lf_latest_value_kind, bytes, geometry);
}
/* name NULL: anonymous. */
LF_INLINE int lf_latest_value_create(struct lf_latest_value *v, const char *name, uint64_t record_size,
                                     uint64_t copies) {
    int status = lf__latest_value_allocate(v, name, record_size, copies);
    return status == LF_OK ? lf_segment_publish(&v->h, name) : status;
}
LF_INLINE int lf_latest_value_attach(struct lf_latest_value *v, const char *name) {
    return lf_segment_attach(&v->h, name, &lf_latest_value_kind);
}
/* Through a file handed over by another process; takes it over. */
LF_INLINE int lf_latest_value_attach_fd(struct lf_latest_value *v, int fd) {
    return lf_segment_attach_fd(&v->h, fd, &lf_latest_value_kind);
}
#endif

/* ---- the writer ---- */

/* Gives the calling thread's role of the writer back: LF_NOT_OWNER if it does not have it. */
LF_INLINE int lf_latest_value_release_role(struct lf_latest_value *v) {
    int status = lf_enter(&v->h);
    if (status == LF_OK && !lf_role_is_mine(&v->h, &v->body->writer))
        status = LF_NOT_OWNER;
    if (status == LF_OK)
        lf_role_give_back(&v->body->writer);
    return status;
}

/* {length | value} of a version. */
LF_INLINE uint64_t *lf__latest_copy(const struct lf_latest_value *v, uint64_t version) {
    return (uint64_t *)(void *)(v->copies + version % v->n_copies * v->stride);
}
LF_INLINE void lf__latest_store(uint64_t *to, const void *value, uint64_t length) {
    const unsigned char *from = (const unsigned char *)value;
    uint64_t word = 0;
    lf_store_relaxed(to++, length);
    for (; length >= sizeof word; length -= sizeof word, from += sizeof word) {
        memcpy(&word, from, sizeof word);
        lf_store_relaxed(to++, word);
    }
    if (length != 0) {
        word = 0;
        memcpy(&word, from, length);
        lf_store_relaxed(to, word);
    }
}

/* Makes the calling thread the writer: LF_OK or LF_ROLE_TAKEN. */
static __attribute__((noinline, unused)) int lf__latest_become_writer(struct lf_latest_value *v) {
    int status = lf_role_take(&v->h, &v->body->writer);
    if (status == LF_ROLE_TAKEN) {
        uint64_t holder = lf_load_relaxed(&v->body->writer), participant = holder >> 32;
        int known = participant != 0 && participant < LF_PARTICIPANTS;
        v->holder_pid = known ? lf_load_relaxed(&v->h.segment->participants[participant].pid) : 0;
        v->holder_thread = (uint32_t)holder;
    }
    return status;
}

/* Sets the value, and wakes everybody who waits for it. Its version, or LF_TOO_LONG, LF_ROLE_TAKEN, LF_CLOSED. */
LF_INLINE int64_t lf_latest_value_set(struct lf_latest_value *v, const void *value, uint64_t length) {
    int status = lf_enter_to_put(&v->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    if (LF_UNLIKELY(length > v->record_size))
        return LF_TOO_LONG;
    if (LF_UNLIKELY(!lf_role_is_mine(&v->h, &v->body->writer))) {
        status = lf__latest_become_writer(v);
        if (status != LF_OK)
            return status;
    }
    uint64_t version = lf_load_relaxed(&v->body->version) + 1; /* only the writer writes it */
    lf_fence_release(); /* [K1] pairs with [K2]: a reader of a word of this value sees the version before it */
    lf__latest_store(lf__latest_copy(v, version), value, length);
    lf_store_release(&v->body->version, version); /* [K3] pairs with [K4]: the value is readable */
    lf_fence_light_in(v->h.segment);              /* [E2] pairs with [E1] in lf_block_on */
    lf_eventcount_wake_all(&v->body->newer);
    return (int64_t)(version & INT64_MAX);
}

/* ---- readers ---- */

/* The newest version; 0: nothing was ever set. LF_CLOSED. */
LF_INLINE int64_t lf_latest_value_version(struct lf_latest_value *v) {
    int status = lf_enter_to_get(&v->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    return (int64_t)(lf_load_acquire(&v->body->version) & INT64_MAX); /* [K4] */
}

LF_INLINE void lf__latest_load(void *value, const uint64_t *from, uint64_t length) {
    unsigned char *to = (unsigned char *)value;
    uint64_t word;
    for (; length >= sizeof word; length -= sizeof word, to += sizeof word) {
        word = lf_load_relaxed(from++);
        memcpy(to, &word, sizeof word);
    }
    if (length != 0) {
        word = lf_load_relaxed(from);
        memcpy(to, &word, length);
    }
}

/* Copies the newest value into `value`, which has room for record_size bytes: its length. LF_EMPTY: nothing was ever set.
 * LF_INTERRUPTED: the writer has overtaken every try; call again. LF_CLOSED, LF_CORRUPT. `value` may be written to, then,
 * too. */
LF_INLINE int64_t lf_latest_value_get(struct lf_latest_value *v, void *value, uint64_t *version) {
    int status = lf_enter_to_get(&v->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    for (int tries = 0; tries < LF__LATEST_TRIES; tries++) {
        uint64_t found = lf_load_acquire(&v->body->version); /* [K4] pairs with [K3] */
        if (found == 0)
            return LF_EMPTY;
        const uint64_t *copy = lf__latest_copy(v, found);
        uint64_t length = lf_load_relaxed(copy);
        if (LF_LIKELY(length <= v->record_size))
            lf__latest_load(value, copy + 1, length);
        lf_fence_acquire(); /* [K2] pairs with [K1] */
        if (LF_UNLIKELY(lf_load_relaxed(&v->body->version) - found >= v->n_copies - 1))
            continue;
        *version = found;
        return LF_LIKELY(length <= v->record_size) ? (int64_t)length : (int64_t)LF_CORRUPT;
    }
    return LF_INTERRUPTED;
}

struct lf__latest_call {
    const struct lf_latest_value *v;
    uint64_t newer_than;
};
LF_INLINE int lf__latest_attempt(void *operation) {
    const struct lf__latest_call *call = (const struct lf__latest_call *)operation;
    return lf_load_acquire(&call->v->body->version) > call->newer_than ? LF_OK : LF_EMPTY; /* [K4] */
}
/* Deadline in ns of lf_now(), LF_FOREVER, or 0 to look once: LF_OK, LF_TIMEDOUT, LF_CLOSED, LF_LOST, LF_PEER_DIED
 * (peers.h), and LF_INTERRUPTED after 100 ms or on a signal: call again with the same deadline. */
LF_INLINE int lf_latest_value_wait(struct lf_latest_value *v, uint64_t newer_than, uint64_t deadline) {
    int status = lf_enter_to_get(&v->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    struct lf__latest_call call = {v, newer_than};
    status = lf_block_on(&v->h, &v->body->newer, lf__latest_attempt, &call, LF_EMPTY, deadline);
    return status == LF_EMPTY ? (int)LF_TIMEDOUT : status;
}

LF_INLINE void lf_latest_value_close(struct lf_latest_value *v) {
    struct lf_eventcount *const counts[] = {&v->body->newer};
    lf_close(&v->h, counts, 1);
}

#endif
