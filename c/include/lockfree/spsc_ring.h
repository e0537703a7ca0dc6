/* spsc_ring.h: bounded FIFO ring of byte records, one producer, one consumer.
 *
 * Usage
 *   #include <lockfree/spsc_ring.h>
 *
 *   struct lf_spsc_ring ring;
 *   int status = lf_spsc_ring_create(&ring, "jobs", 64, 32, 0); // 64 records of up to 32 bytes; NULL: no name
 *   if (status != LF_OK)                                        // others: lf_spsc_ring_attach(&ring, "jobs")
 *       return status;                                          // after LF_SYSTEM, ring.h.error is the errno
 *   status = lf_spsc_ring_try_put(&ring, "hello", 5);           // LF_OK, LF_FULL, LF_ROLE_TAKEN, LF_CLOSED
 *   char record[32];                                            // as many bytes as record_size
 *   int64_t length;
 *   do
 *       length = lf_spsc_ring_get(&ring, record, lf_now() + 1000000000u); // waits for 1 s at most
 *   while (length == LF_INTERRUPTED);                                     // a signal handler ran
 *   if (length < 0)
 *       status = (int)length;           // LF_TIMEDOUT, or LF_CLOSED after shutdown and close
 *   lf_segment_unlink(&ring.h, "jobs"); // nobody can attach any more; participants go on
 *   lf_detach(&ring.h);                 // this participant leaves
 *
 * Contract
 *   Linearizable FIFO with exact EMPTY and exact FULL. A record has 0..record_size bytes and comes out with its exact
 *   length. The first thread that puts becomes the producer, the first that gets becomes the consumer. One thread may
 *   be both. Other threads get LF_ROLE_TAKEN until the holder gives its role back, detaches, ends (as a thread of the
 *   caller's process), or its process dies.
 *   Order: if a call happens before another one (C11's happens-before), it comes first, over all rings of a program. A
 *   call that succeeds has no fence, so a look at a clock does not order it towards other threads.
 * Progress: wait-free: no step depends on the other side. put and get sleep (blocking.h). Taking a role, once for each
 *   holder, may need a few short sleeps, while the kernel still removes the last holder.
 * Death: the role is free again. A half-written record was never visible. A record whose get was cut off is inside.
 * Layout, invariants and fences: spsc_slots.h. {not_empty, not_full} | producer | consumer | slots.
 * Linearization points: put: the store of the slot's word; EMPTY: its second load. get: the store of the consumer's
 *   position; FULL: its second load. While draining, get: the exchange of the slot's word.
 * Wrap: slots hold the low half of the position and are overwritten each `capacity` < 2^32 positions: no two meanings.
 * Source: see spsc_slots.h. */
#ifndef LOCKFREE_SPSC_RING_H
#define LOCKFREE_SPSC_RING_H

#include "blocks/spsc_batches.h"

#define LF_KIND_SPSC_RING 9u
#define LF_SPSC_MAX_CAPACITY (UINT64_C(1) << 31)
#define LF_SPSC_MAX_RECORD (UINT64_C(1) << 31)

/* Bytes of a segment with this geometry; LF_INVALID if out of bounds. geometry = {capacity, record_size, start}. */
LF_INLINE int lf_spsc_ring_bytes(uint64_t capacity, uint64_t record_size, uint64_t *bytes) {
    if (capacity < 1 || capacity > LF_SPSC_MAX_CAPACITY || record_size > LF_SPSC_MAX_RECORD)
        return LF_INVALID;
    *bytes = LF_BODY_OFFSET + sizeof(struct lf_spsc_body);
    if (record_size > LF__SPSC_TOGETHER)
        *bytes += lf__spsc_payloads(capacity, record_size);
    return lf_add_mul(bytes, capacity, lf__spsc_stride(record_size));
}

LF_INLINE int lf__spsc_view(struct lf_handle *h) {
    struct lf_spsc_ring *r = (struct lf_spsc_ring *)h;
    const uint64_t *geometry = h->segment->identity.geometry;
    uint64_t bytes = 0;
    r->capacity = geometry[0];
    r->record_size = geometry[1];
    r->start = geometry[2];
    if (lf_spsc_ring_bytes(r->capacity, r->record_size, &bytes) != LF_OK || bytes != h->bytes)
        return lf_mismatch(h, "size in bytes for the geometry", h->bytes, bytes);
    r->body = (struct lf_spsc_body *)(void *)h->body;
    r->words = h->body + sizeof(struct lf_spsc_body);
    r->word_stride = lf__spsc_word_stride(r->record_size);
    r->slots = r->words + lf__spsc_payloads(r->capacity, r->record_size);
    r->stride = lf__spsc_stride(r->record_size);
    h->asymmetric = 1;
    return LF_OK;
}

LF_INLINE int lf__spsc_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    struct lf_spsc_ring *r = (struct lf_spsc_ring *)h;
    (void)cursor;
    for (int role = 0; role < 2; role++)
        lf_role_recover(&r->body->sides[role].holder, gone);
    return 1;
}

static const struct lf_kind lf_spsc_ring_kind = {LF_KIND_SPSC_RING, lf__spsc_view, lf__spsc_recover, 0};

/* Lays out a fresh body. `start`: the first position; tests begin near the wraps. */
LF_INLINE void lf__spsc_layout(struct lf_spsc_ring *r) {
    for (uint64_t i = 0; i < r->capacity; i++)
        *lf__spsc_word(r, i) = lf__spsc_free(r->start + i - r->capacity);
    r->body->sides[LF_PRODUCER].position = r->start;
    r->body->sides[LF_PRODUCER].limit = r->start;
    r->body->sides[LF_CONSUMER].position = r->start;
}

/* In zeroed memory of the caller. Others in the same process join with lf_segment_attach_local. */
LF_INLINE int lf_spsc_ring_create_local(struct lf_spsc_ring *r, void *memory, uint64_t capacity, uint64_t record_size,
                                        uint64_t start) {
    uint64_t bytes, geometry[LF_GEOMETRY] = {capacity, record_size, start, 0, 0, 0};
    int status = lf_spsc_ring_bytes(capacity, record_size, &bytes);
    if (status == LF_OK)
        status = lf_segment_create_local(&r->h, &lf_spsc_ring_kind, memory, bytes, geometry);
    if (status == LF_OK) {
        lf__join_fences(r->h.segment, 1);
        lf__spsc_layout(r);
    }
    return status;
}

#ifndef LF_MODEL
/* A ring that nobody else can see yet: finish it, then lf_segment_publish. */
LF_INLINE int lf__spsc_ring_allocate(struct lf_spsc_ring *r, const char *name, uint64_t capacity, uint64_t record_size,
                                     uint64_t start) {
    uint64_t bytes, geometry[LF_GEOMETRY] = {capacity, record_size, start, 0, 0, 0};
    if (lf_spsc_ring_bytes(capacity, record_size, &bytes) != LF_OK)
        return LF_INVALID;
    int status = lf_segment_create(&r->h, name, &lf_spsc_ring_kind, bytes, geometry);
    if (status == LF_OK)
        lf__spsc_layout(r);
    return status;
}
/* name NULL: anonymous. `start`: the first position; pass 0 (tests begin near the wraps). */
LF_INLINE int lf_spsc_ring_create(struct lf_spsc_ring *r, const char *name, uint64_t capacity, uint64_t record_size,
                                  uint64_t start) {
    int status = lf__spsc_ring_allocate(r, name, capacity, record_size, start);
    return status == LF_OK ? lf_segment_publish(&r->h, name) : status;
}
LF_INLINE int lf_spsc_ring_attach(struct lf_spsc_ring *r, const char *name) {
    return lf_segment_attach(&r->h, name, &lf_spsc_ring_kind);
}
LF_INLINE int lf_spsc_ring_attach_fd(struct lf_spsc_ring *r, int fd) {
    return lf_segment_attach_fd(&r->h, fd, &lf_spsc_ring_kind);
}
#endif

/* ---- roles ---- */

/* Gives the calling thread's role back: LF_NOT_OWNER if it has none. */
LF_INLINE int lf_spsc_ring_release_role(struct lf_spsc_ring *r, enum lf_spsc_role role) {
    int status = lf__enter_open(&r->h, LF__ENDED);
    if (status != LF_OK)
        return status;
    if (!lf__spsc_is_mine(r, role))
        return LF_NOT_OWNER;
    lf_role_give_back(&r->body->sides[role].holder);
    return LF_OK;
}

/* ---- zero copy: the slot of the next record, in place ---- */

/* The slot for the next record: a ticket, LF_FULL, LF_ROLE_TAKEN or LF_CORRUPT. Then commit or cancel. A put before
 * that uses the same slot. */
LF_INLINE int64_t lf_spsc_ring_reserve(struct lf_spsc_ring *r) {
    int status = lf__spsc_enter(r, LF_PRODUCER);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    const struct lf_spsc_side *side = &r->body->sides[LF_PRODUCER];
    uint64_t cursor = lf_load_relaxed(&side->cursor), position = lf_load_relaxed(&side->position);
    if (LF_UNLIKELY(cursor >= r->capacity))
        return LF_CORRUPT;
    status = lf__spsc_room(r, position);
    return LF_LIKELY(status == LF_OK) ? lf__spsc_ticket(cursor, position) : status;
}

/* Publishes the record in the slot of a ticket that reserve gave in this call. */
LF_INLINE int lf__spsc_put_reserved(struct lf_spsc_ring *r, int64_t ticket, uint64_t length) {
    uint64_t cursor = (uint32_t)ticket, position = lf_load_relaxed(&r->body->sides[LF_PRODUCER].position);
    lf__spsc_publish(r, cursor, position, length);
    lf__spsc_put_until(r, lf__spsc_next(r, cursor), position + 1);
    return LF_LIKELY(lf__spsc_published(r, 1) == 1) ? LF_OK : LF_CLOSED;
}

/* LF_BUSY: the calling thread has no such reservation, or has put a record meanwhile. */
LF_INLINE int lf_spsc_ring_commit(struct lf_spsc_ring *r, int64_t ticket, uint64_t length) {
    if (length > r->record_size)
        return LF_TOO_LONG;
    int64_t own = lf__spsc_is_mine(r, LF_PRODUCER) ? lf_spsc_ring_reserve(r) : (int64_t)LF_BUSY;
    if (own != ticket)
        return own == LF_CLOSED || lf_enter(&r->h) == LF_CLOSED ? LF_CLOSED : LF_BUSY;
    return lf__spsc_put_reserved(r, ticket, length);
}
/* Gives the reservation back. Nothing was visible yet. */
LF_INLINE int lf_spsc_ring_cancel(struct lf_spsc_ring *r, int64_t ticket) {
    int status = lf_enter(&r->h);
    return status != LF_OK ? status : ticket < 0 ? LF_BUSY : LF_OK;
}

/* The oldest record, in its slot and still inside: a ticket and its length, or LF_EMPTY, LF_ROLE_TAKEN or LF_CORRUPT.
 * release takes it out; without release it stays. */
LF_INLINE int64_t lf_spsc_ring_peek(struct lf_spsc_ring *r, uint64_t *length) {
    int status = lf__spsc_enter(r, LF_CONSUMER);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    const struct lf_spsc_side *side = &r->body->sides[LF_CONSUMER];
    uint64_t cursor = lf_load_relaxed(&side->cursor), position = lf_load_relaxed(&side->position);
    int64_t found = lf__spsc_look(r, cursor, position);
    if (LF_UNLIKELY(found < 0))
        return found;
    *length = (uint64_t)found;
    return lf__spsc_ticket(cursor, position);
}

/* Takes the record of a ticket that peek gave in this call. */
LF_INLINE int lf__spsc_take_peeked(struct lf_spsc_ring *r, int64_t ticket) {
    int status = lf__spsc_take(r, (uint32_t)ticket, lf_load_relaxed(&r->body->sides[LF_CONSUMER].position));
    if (LF_LIKELY(status == LF_OK))
        lf__spsc_taken(r);
    return status;
}

/* LF_BUSY: the calling thread has not peeked at it, or has taken it meanwhile. */
LF_INLINE int lf_spsc_ring_release(struct lf_spsc_ring *r, int64_t ticket) {
    uint64_t length;
    int64_t own = lf__spsc_is_mine(r, LF_CONSUMER) ? lf_spsc_ring_peek(r, &length) : (int64_t)LF_BUSY;
    if (own != ticket)
        return own == LF_CLOSED || lf_enter(&r->h) == LF_CLOSED ? LF_CLOSED : LF_BUSY;
    return lf__spsc_take_peeked(r, ticket);
}

/* ---- copying, one record ---- */

LF_INLINE int lf__spsc_put_at(struct lf_spsc_ring *r, int64_t ticket, const void *record, uint64_t length) {
    if (LF_UNLIKELY(ticket < 0))
        return (int)ticket;
    lf_copy(lf_spsc_ring_payload(r, ticket), record, length);
    return lf__spsc_put_reserved(r, ticket, length);
}
LF_INLINE int64_t lf__spsc_get_at(struct lf_spsc_ring *r, int64_t ticket, void *record, uint64_t length) {
    if (LF_UNLIKELY(ticket < 0))
        return ticket;
    lf_copy(record, lf_spsc_ring_payload(r, ticket), length);
    int status = lf__spsc_take_peeked(r, ticket);
    return LF_LIKELY(status == LF_OK) ? (int64_t)length : status;
}

static __attribute__((noinline, unused)) int lf__spsc_put_slowly(struct lf_spsc_ring *r, const void *record,
                                                                 uint64_t length) {
    return lf__spsc_put_at(r, lf_spsc_ring_reserve(r), record, length);
}
LF_INLINE int lf_spsc_ring_try_put(struct lf_spsc_ring *r, const void *record, uint64_t length) {
    if (LF_UNLIKELY(length > r->record_size))
        return LF_TOO_LONG;
    int status = lf__spsc_put_at_hand(r, record, length);
    return LF_LIKELY(status != LF__NOT_AT_HAND) ? status : lf__spsc_put_slowly(r, record, length);
}

static __attribute__((noinline, unused)) int64_t lf__spsc_get_slowly(struct lf_spsc_ring *r, void *record) {
    uint64_t length = 0;
    int64_t ticket = lf_spsc_ring_peek(r, &length);
    return lf__spsc_get_at(r, ticket, record, length);
}
/* `record` has room for record_size bytes. Returns the length >= 0, LF_EMPTY, LF_ROLE_TAKEN or LF_CORRUPT. */
LF_INLINE int64_t lf_spsc_ring_try_get(struct lf_spsc_ring *r, void *record) {
    int64_t length = lf__spsc_get_at_hand(r, record);
    return LF_LIKELY(length >= 0) ? length : lf__spsc_get_slowly(r, record);
}

/* ---- batches: role, end and cursor are looked at once. Records are published in runs (lf__spsc_run). Records that are
 * taken are freed LF__SPSC_FREED at a time, and before a refusal ---- */

#define LF__SPSC_FREED 64

/* Puts records until the ring is full. Returns how many went in, or a negative status if none did. Either every record
 * has `length` bytes and they are `pitch` apart, or `lengths` is given and they are packed, lengths[i] bytes each. */
LF_INLINE int64_t lf_spsc_ring_put_many(struct lf_spsc_ring *r, const void *records, uint64_t pitch, uint64_t length,
                                        const uint32_t *lengths, uint64_t count) {
    struct lf_batch batch = {(const unsigned char *)records, pitch, length, lengths};
    int status = lf_batch_check(&batch, count, r->record_size);
    if (LF_LIKELY(status == LF_OK) && count > 0)
        status = lf__spsc_enter(r, LF_PRODUCER);
    if (status != LF_OK || count == 0)
        return status;
    const struct lf_spsc_side *side = &r->body->sides[LF_PRODUCER];
    uint64_t cursor = lf_load_relaxed(&side->cursor), first = lf_load_relaxed(&side->position), position = first;
    if (LF_UNLIKELY(cursor >= r->capacity))
        return LF_CORRUPT;
    const uint64_t most = lf__spsc_run(r);
    struct lf__spsc_walk walk = lf__spsc_walk_from(r, cursor);
    while (position - first < count && (status = lf__spsc_room(r, position)) == LF_OK) {
        uint64_t room = lf_load_relaxed(&side->limit) - position, left = count - (position - first);
        for (uint64_t until = position + (room < left ? room : left); position != until;) {
            uint64_t run = until - position < most ? until - position : most;
            lf__spsc_put_run(r, &walk, &batch, position, run);
            position += run;
        }
    }
    if (position == first)
        return status == LF_FULL ? 0 : status;
    lf__spsc_put_until(r, walk.cursor, position);
    uint64_t done = lf__spsc_published(r, position - first);
    return LF_LIKELY(done > 0) ? (int64_t)done : (int64_t)LF_CLOSED;
}

/* Takes up to `count` records into rows of `pitch` >= record_size bytes, padded with zeros. `lengths` (or NULL) gets
 * the length of each. Returns how many, or a negative status if none. */
LF_INLINE int64_t lf_spsc_ring_get_many(struct lf_spsc_ring *r, void *records, uint64_t pitch, uint32_t *lengths,
                                        uint64_t count) {
    unsigned char *to = (unsigned char *)records;
    if (pitch < r->record_size)
        return LF_INVALID;
    int64_t length = count > 0 ? lf__spsc_enter(r, LF_CONSUMER) : LF_OK;
    if (length != LF_OK || count == 0)
        return length;
    const struct lf_spsc_side *side = &r->body->sides[LF_CONSUMER];
    uint64_t cursor = lf_load_relaxed(&side->cursor), first = lf_load_relaxed(&side->position), position = first;
    uint64_t freed = first, run = lf_load_relaxed(&r->body->drained) ? 1 : LF__SPSC_FREED; /* see lf__spsc_take */
    if (LF_UNLIKELY(cursor >= r->capacity))
        return LF_CORRUPT;
    const uint64_t record_size = r->record_size;
    struct lf__spsc_walk walk = lf__spsc_walk_from(r, cursor);
    while (position - first < count) {
        uint64_t word = lf_load_acquire(lf__spsc_walk_word(&walk)); /* [S5] pairs with [S4] */
        length = (int64_t)(uint32_t)word - 1;
        if (LF_UNLIKELY(!lf__spsc_is_at(word, position) || (uint64_t)length > record_size)) {
            if (position != freed)
                lf__spsc_take_until(r, walk.cursor, freed = position);
            if ((length = lf__spsc_look(r, walk.cursor, position)) < 0)
                break;
            if (lf_load_relaxed(&r->body->drained)) /* by this look */
                run = 1;
        }
        lf_copy_row(walk.payload, to, (uint64_t)length, pitch);
        to += pitch;
        if (lengths != NULL)
            lengths[position - first] = (uint32_t)length;
        if (run == 1 && (length = lf__spsc_take(r, walk.cursor, position)) != LF_OK)
            break;
        lf__spsc_walk_on(r, &walk);
        position++;
        if (position - freed >= run)
            lf__spsc_take_until(r, walk.cursor, freed = position);
    }
    if (position != freed)
        lf__spsc_take_until(r, walk.cursor, position);
    if (position == first)
        return length == LF_EMPTY ? 0 : length;
    lf__spsc_taken(r);
    return (int64_t)(position - first);
}

/* ---- waiting: deadline in ns of lf_now(), LF_FOREVER, or 0 to try once ---- */

struct lf__spsc_call {
    struct lf_spsc_ring *r;
    int64_t ticket;
    uint64_t length;
};
LF_INLINE int lf__spsc_attempt_reserve(void *operation) {
    struct lf__spsc_call *call = (struct lf__spsc_call *)operation;
    return (call->ticket = lf_spsc_ring_reserve(call->r)) < 0 ? (int)call->ticket : LF_OK;
}
LF_INLINE int lf__spsc_attempt_peek(void *operation) {
    struct lf__spsc_call *call = (struct lf__spsc_call *)operation;
    return (call->ticket = lf_spsc_ring_peek(call->r, &call->length)) < 0 ? (int)call->ticket : LF_OK;
}

/* As reserve, but waits while the ring is full. Also returns LF_INTERRUPTED and LF_CLOSED. */
LF_INLINE int64_t lf_spsc_ring_reserve_wait(struct lf_spsc_ring *r, uint64_t deadline) {
    struct lf__spsc_call call = {r, 0, 0};
    int status = lf_block_on(&r->h, &r->body->not_full, lf__spsc_attempt_reserve, &call, LF_FULL, deadline);
    return status == LF_OK ? call.ticket : status;
}
LF_INLINE int64_t lf_spsc_ring_peek_wait(struct lf_spsc_ring *r, uint64_t *length, uint64_t deadline) {
    struct lf__spsc_call call = {r, 0, 0};
    int status = lf_block_on(&r->h, &r->body->not_empty, lf__spsc_attempt_peek, &call, LF_EMPTY, deadline);
    *length = call.length;
    return status == LF_OK ? call.ticket : status;
}
LF_INLINE int lf_spsc_ring_put(struct lf_spsc_ring *r, const void *record, uint64_t length, uint64_t deadline) {
    if (length > r->record_size)
        return LF_TOO_LONG;
    return lf__spsc_put_at(r, lf_spsc_ring_reserve_wait(r, deadline), record, length);
}
LF_INLINE int64_t lf_spsc_ring_get(struct lf_spsc_ring *r, void *record, uint64_t deadline) {
    uint64_t length = 0;
    int64_t ticket = lf_spsc_ring_peek_wait(r, &length, deadline);
    return lf__spsc_get_at(r, ticket, record, length);
}

/* Records inside, 0 to capacity. Exact while nobody else runs, unless a holder was killed and nobody has taken over its
 * role yet. */
LF_INLINE uint64_t lf_spsc_ring_size(const struct lf_spsc_ring *r) {
    uint64_t head = lf_load_relaxed(&r->body->sides[LF_CONSUMER].position);
    uint64_t size = lf_load_relaxed(&r->body->sides[LF_PRODUCER].position) - head;
    return size > (uint64_t)INT64_MAX ? 0 : size > r->capacity ? r->capacity : size;
}

LF_INLINE void lf_spsc_ring_close(struct lf_spsc_ring *r) {
    struct lf_eventcount *const counts[] = {&r->body->not_empty, &r->body->not_full};
    lf_close(&r->h, counts, 2);
}
/* Ends the ring for everybody. Puts are refused from now on; gets when nothing is inside, or at once if `immediate`. */
LF_INLINE void lf_spsc_ring_shutdown(struct lf_spsc_ring *r, int immediate) {
    struct lf_eventcount *const counts[] = {&r->body->not_empty, &r->body->not_full};
    lf_shutdown(&r->h, immediate, counts, 2);
}

#endif
