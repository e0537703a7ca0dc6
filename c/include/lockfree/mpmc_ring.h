/* mpmc_ring.h: bounded FIFO ring of byte records, many producers, many consumers.
 *
 * Usage
 *   #include <lockfree/mpmc_ring.h>
 *
 *   struct lf_mpmc_ring ring;
 *   int status = lf_mpmc_ring_create(&ring, "jobs", 64, 32, 0); // 64 records of up to 32 bytes; NULL: no name
 *   if (status != LF_OK)                                        // others: lf_mpmc_ring_attach(&ring, "jobs")
 *       return status;                                          // after LF_SYSTEM, ring.h.error is the errno
 *   status = lf_mpmc_ring_try_put(&ring, "hello", 5);           // LF_OK, LF_FULL, LF_CLOSED
 *   char record[32];                                            // as many bytes as record_size
 *   int64_t length;
 *   do
 *       length = lf_mpmc_ring_get(&ring, record, lf_now() + 1000000000u); // waits for 1 s at most
 *   while (length == LF_INTERRUPTED);                                     // a signal handler ran
 *   if (length < 0)
 *       status = (int)length;           // LF_TIMEDOUT, or LF_CLOSED after shutdown and close
 *   lf_segment_unlink(&ring.h, "jobs"); // nobody can attach any more; participants go on
 *   lf_detach(&ring.h);                 // this participant leaves
 *
 * Contract
 *   Linearizable FIFO with exact EMPTY. FULL means: at one instant of the call, the records inside plus those in the
 *   hands of running operations (being written, copied out, reserved, peeked or leased) were >= capacity.
 *   A record has 0..record_size bytes and comes out with its exact length.
 * Progress: try_*, reserve/commit, peek/release and the batches are lock-free; put and get sleep (blocking.h).
 * Death: nobody is blocked. The next recovery frees the slots of records that the dead participant was writing or had
 *   taken for good. It comes at the latest when somebody would wait for a slot. A record whose put was cut off may
 *   still arrive. A leased record is published again, at the tail.
 * Layout: {not_empty, not_full, spares} | ends and cells of the queue of free slots | of the queue of records | slots.
 *   A slot is {custody word, length, payload}. A record of up to 64 bytes does not straddle cache lines (64 bytes).
 * Invariants and linearization points: index_queue.h. put: the publication into `records`; get: the take from it;
 *   EMPTY: the load there that finds nothing; FULL: the load in `free` that finds nothing, with no spare left (spare_slots.h).
 * Source: the scheme of two index queues is that of SCQ (Nikolaev, DISC 2019). */
#ifndef LOCKFREE_MPMC_RING_H
#define LOCKFREE_MPMC_RING_H

#include "blocks/index_recovery.h"
#include "blocks/mpmc_slots.h"
#include "blocks/record_batch.h"

#define LF_KIND_MPMC_RING 8u

/* Bytes of a segment with this geometry; LF_INVALID if out of bounds. geometry = {capacity, record_size, start}. */
LF_INLINE int lf_mpmc_ring_bytes(uint64_t capacity, uint64_t record_size, uint64_t *bytes) {
    if (capacity < 1 || capacity > LF_MPMC_MAX_CAPACITY || record_size > LF_MAX_RECORD)
        return LF_INVALID;
    *bytes = LF_BODY_OFFSET + sizeof(struct lf_mpmc_body) + 2 * lf_cells_bytes(lf__mpmc_cells(capacity)) +
             lf_slot_lead(record_size);
    return lf_add_mul(bytes, capacity, lf_slot_stride(record_size));
}

LF_INLINE int lf__mpmc_view(struct lf_handle *h) {
    struct lf_mpmc_ring *r = (struct lf_mpmc_ring *)h;
    const uint64_t *geometry = h->segment->identity.geometry;
    uint64_t bytes = 0;
    r->capacity = geometry[0];
    r->record_size = geometry[1];
    if (lf_mpmc_ring_bytes(r->capacity, r->record_size, &bytes) != LF_OK || bytes != h->bytes)
        return lf_mismatch(h, "size in bytes for the geometry", h->bytes, bytes);
    unsigned char *at = h->body + sizeof(struct lf_mpmc_body);
    uint64_t cells = lf__mpmc_cells(r->capacity), queue_bytes = lf_cells_bytes(cells);
    r->body = (struct lf_mpmc_body *)(void *)h->body;
    r->slots = at + 2 * queue_bytes + lf_slot_lead(r->record_size);
    r->store.custody = r->slots;
    r->store.stride = lf_slot_stride(r->record_size);
    r->store.slots = r->capacity;
    lf_queue_view_cells(&r->queues[LF__FREE], &r->store, LF__FREE, at, cells);
    lf_queue_view_cells(&r->queues[LF__RECORDS], &r->store, LF__RECORDS, at + queue_bytes, cells);
    if (r->store.stride > LF_RUN_STRIDE)
        r->queues[LF__FREE].run = r->queues[LF__RECORDS].run = 1;
    lf_spares_view(&r->spares, &r->body->spares, &r->queues[LF__FREE], &r->body->not_full);
    h->light = 1;
    return LF_OK;
}

LF_INLINE void lf__mpmc_gave(void *context, int queue) {
    struct lf_mpmc_ring *r = (struct lf_mpmc_ring *)context;
    lf_eventcount_notify(queue == LF__FREE ? &r->body->not_full : &r->body->not_empty, 1);
    if (lf_load_relaxed(&r->h.segment->ending) != LF__OPEN)
        lf_eventcount_notify_all(&r->body->not_empty); /* a consumer that drains it may wait for this slot */
}
LF_INLINE int lf__mpmc_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    struct lf_mpmc_ring *r = (struct lf_mpmc_ring *)h;
    struct lf_gone who = lf_who_is_gone(h, gone);
    if (*cursor == 0)
        lf_spares_recover(&r->spares, &who, h->participant, lf__mpmc_gave, r);
    return lf_store_recover(r->queues, 2, LF__FREE, &who, h->participant, cursor, lf__mpmc_gave, r);
}

static const struct lf_kind lf_mpmc_ring_kind = {LF_KIND_MPMC_RING, lf__mpmc_view, lf__mpmc_recover, 1};

/* Lays out a fresh body. `start`: the first position of both queues; tests begin near the wraps. */
LF_INLINE void lf__mpmc_layout(struct lf_mpmc_ring *r, uint64_t start) {
    lf_queue_init(&r->queues[LF__RECORDS], start, 0, 1);
    lf_queue_init(&r->queues[LF__FREE], start, r->capacity, r->queues[LF__FREE].run);
}

/* In zeroed memory of the caller. Others in the same process join with lf_segment_attach_local. */
LF_INLINE int lf_mpmc_ring_create_local(struct lf_mpmc_ring *r, void *memory, uint64_t capacity, uint64_t record_size,
                                        uint64_t start) {
    uint64_t bytes, geometry[LF_GEOMETRY] = {capacity, record_size, start, 0, 0, 0};
    int status = lf_mpmc_ring_bytes(capacity, record_size, &bytes);
    if (status == LF_OK)
        status = lf_segment_create_local(&r->h, &lf_mpmc_ring_kind, memory, bytes, geometry);
    if (status == LF_OK) {
        lf__join_fences(r->h.segment, 1);
        lf__mpmc_layout(r, start);
    }
    return status;
}

#ifndef LF_MODEL
/* A ring that nobody else can see yet: finish it, then lf_segment_publish. */
LF_INLINE int lf__mpmc_ring_allocate(struct lf_mpmc_ring *r, const char *name, uint64_t capacity, uint64_t record_size,
                                     uint64_t start) {
    uint64_t bytes, geometry[LF_GEOMETRY] = {capacity, record_size, start, 0, 0, 0};
    if (lf_mpmc_ring_bytes(capacity, record_size, &bytes) != LF_OK)
        return LF_INVALID;
    int status = lf_segment_create(&r->h, name, &lf_mpmc_ring_kind, bytes, geometry);
    if (status == LF_OK)
        lf__mpmc_layout(r, start);
    return status;
}
/* name NULL: anonymous. `start`: the first position; pass 0 (tests begin near the wraps). */
LF_INLINE int lf_mpmc_ring_create(struct lf_mpmc_ring *r, const char *name, uint64_t capacity, uint64_t record_size,
                                  uint64_t start) {
    int status = lf__mpmc_ring_allocate(r, name, capacity, record_size, start);
    return status == LF_OK ? lf_segment_publish(&r->h, name) : status;
}
LF_INLINE int lf_mpmc_ring_attach(struct lf_mpmc_ring *r, const char *name) {
    return lf_segment_attach(&r->h, name, &lf_mpmc_ring_kind);
}
LF_INLINE int lf_mpmc_ring_attach_fd(struct lf_mpmc_ring *r, int fd) {
    return lf_segment_attach_fd(&r->h, fd, &lf_mpmc_ring_kind);
}
#endif

/* ---- zero copy: the caller has a slot between two calls ---- */

/* Gives back the slot of a record that was peeked at. A getter that drains the ring may be waiting for it. */
LF_INLINE int lf_mpmc_ring_release(struct lf_mpmc_ring *r, int64_t index) {
    enum lf_spare_kept kept = lf_spare_keep(&r->spares, &r->h, (uint64_t)index);
    if (LF_LIKELY(kept == LF__KEPT))
        return LF_OK;
    int status = kept == LF__TAKEN ? (int)LF_OK : lf__mpmc_free(r, index, 1);
    lf__mpmc_freed(r, 1);
    return status;
}
/* Gives a reservation back unused. */
LF_INLINE int lf_mpmc_ring_cancel(struct lf_mpmc_ring *r, int64_t index) { return lf_mpmc_ring_release(r, index); }

/* A free slot to write into: its number >= 0, LF_FULL, LF_CLOSED or LF_CORRUPT. Then commit or cancel; a commit is not
 * refused, even if the ring has been shut down since. */
LF_INLINE int64_t lf_mpmc_ring_reserve(struct lf_mpmc_ring *r) {
    uint64_t count;
    return lf__mpmc_claim(r, 1, &count);
}
LF_INLINE int lf_mpmc_ring_commit(struct lf_mpmc_ring *r, int64_t index, uint64_t length) {
    lf_mpmc_ring_slot(r, (uint64_t)index)->length = (uint32_t)length;
    int status = lf__mpmc_publish(r, index, 1);
    lf_eventcount_notify_after_rmw(&r->body->not_empty, 1);
    return status;
}
/* Puts a record in hand back, at the tail. */
LF_INLINE int lf_mpmc_ring_requeue(struct lf_mpmc_ring *r, int64_t index) {
    int status = lf__mpmc_publish(r, index, 1);
    lf_eventcount_notify_after_rmw(&r->body->not_empty, 1);
    return status;
}
/* Takes the oldest record out of the ring, in its slot. With `lease` LF_LEASE (else 0) it is published again if we die.
 * Returns its slot number >= 0, or LF_EMPTY, LF_CLOSED or LF_CORRUPT. Then release. */
LF_INLINE int64_t lf_mpmc_ring_peek(struct lf_mpmc_ring *r, uint32_t lease, uint64_t *length) {
    uint64_t count = 0;
    int64_t index = lf__mpmc_take(r, lease, 1, &count);
    if (index >= 0) {
        *length = lf_mpmc_ring_slot(r, (uint64_t)index)->length;
        if (LF_UNLIKELY(*length > r->record_size)) {
            lf_mpmc_ring_release(r, index);
            return LF_CORRUPT;
        }
    }
    return index;
}

/* ---- copying, one record ---- */

LF_INLINE int lf_mpmc_ring_try_put(struct lf_mpmc_ring *r, const void *record, uint64_t length) {
    if (LF_UNLIKELY(length > r->record_size))
        return LF_TOO_LONG;
    int64_t index = lf_mpmc_ring_reserve(r);
    if (index < 0)
        return (int)index;
    lf_copy(lf_slot_payload(lf_mpmc_ring_slot(r, (uint64_t)index)), record, length);
    return lf_mpmc_ring_commit(r, index, length);
}

/* `record` has room for record_size bytes. Returns the length >= 0, LF_EMPTY, LF_CLOSED or LF_CORRUPT. */
LF_INLINE int64_t lf_mpmc_ring_try_get(struct lf_mpmc_ring *r, void *record) {
    uint64_t length = 0;
    int64_t index = lf_mpmc_ring_peek(r, 0, &length);
    if (index < 0)
        return index;
    lf_copy(record, lf_slot_payload(lf_mpmc_ring_slot(r, (uint64_t)index)), length);
    int status = lf_mpmc_ring_release(r, index);
    return status == LF_OK ? (int64_t)length : status;
}

/* ---- batches: the records of one call keep their order; records of others may come between them ---- */

/* Writes the next records into the slots and publishes them. */
LF_INLINE int lf__mpmc_put_run(struct lf_mpmc_ring *r, const struct lf__mpmc_run *run, struct lf_batch *batch) {
    for (uint64_t i = 0; i < run->count; i++) {
        struct lf_slot *slot = lf_mpmc_ring_slot(r, run->first + i);
        slot->length = (uint32_t)lf_batch_copy(batch, i, lf_slot_payload(slot));
    }
    lf_batch_pass(batch, run->count);
    return lf__mpmc_publish(r, (int64_t)run->first, run->count);
}

/* Puts records until the ring is full. Returns how many went in, or a negative status if none did. Either every record
 * has `length` bytes and they are `pitch` apart, or `lengths` is given and they are packed, lengths[i] bytes each. */
LF_INLINE int64_t lf_mpmc_ring_put_many(struct lf_mpmc_ring *r, const void *records, uint64_t pitch, uint64_t length,
                                        const uint32_t *lengths, uint64_t count) {
    struct lf_batch batch = {(const unsigned char *)records, pitch, length, lengths};
    struct lf__mpmc_run run = {0, 0};
    uint64_t done = 0, more = 0;
    int64_t index = lf_batch_check(&batch, count, r->record_size);
    if (LF_UNLIKELY(index != LF_OK))
        return index;
    while (done + run.count < count) {
        index = lf__mpmc_claim(r, count - done - run.count, &more);
        if (index < 0 && run.count == 0)
            break;
        /* What went in is published before the next record is refused, so that FULL comes behind it. */
        if (index < 0 || !lf__mpmc_run_takes(r, &run, (uint64_t)index, more)) {
            if (LF_UNLIKELY(lf__mpmc_put_run(r, &run, &batch) != LF_OK))
                return LF_CORRUPT;
            done += run.count;
            run.count = 0;
        }
        if (LF_LIKELY(index >= 0))
            lf__mpmc_run_grows(&run, (uint64_t)index, more);
    }
    if (run.count > 0 && LF_UNLIKELY(lf__mpmc_put_run(r, &run, &batch) != LF_OK))
        return LF_CORRUPT;
    done += run.count;
    if (done > 0)
        lf_eventcount_notify_after_rmw(&r->body->not_empty, (uint32_t)done);
    return done > 0 || count == 0 || index == LF_FULL ? (int64_t)done : index;
}

/* Takes up to `count` records into rows of `pitch` >= record_size bytes, padded with zeros. `lengths` (or NULL) gets
 * the length of each. Returns how many, or a negative status if none. */
LF_INLINE int64_t lf_mpmc_ring_get_many(struct lf_mpmc_ring *r, void *records, uint64_t pitch, uint32_t *lengths,
                                        uint64_t count) {
    unsigned char *to = (unsigned char *)records;
    struct lf__mpmc_run run = {0, 0};
    uint64_t done = 0, more = 0;
    int64_t index = 0;
    if (pitch < r->record_size)
        return LF_INVALID;
    while (done < count && (index = lf__mpmc_take(r, 0, count - done, &more)) >= 0) {
        for (uint64_t i = 0; i < more; i++, done++, to += pitch) {
            struct lf_slot *slot = lf_mpmc_ring_slot(r, (uint64_t)index + i);
            uint64_t length = slot->length;
            if (LF_UNLIKELY(length > r->record_size))
                return LF_CORRUPT;
            lf_copy_row(lf_slot_payload(slot), to, length, pitch);
            if (lengths != NULL)
                lengths[done] = (uint32_t)length;
        }
        if (!lf__mpmc_run_takes(r, &run, (uint64_t)index, more)) {
            if (LF_UNLIKELY(lf__mpmc_free(r, (int64_t)run.first, run.count) != LF_OK))
                return LF_CORRUPT;
            run.count = 0;
        }
        lf__mpmc_run_grows(&run, (uint64_t)index, more);
    }
    if (run.count > 0 && LF_UNLIKELY(lf__mpmc_free(r, (int64_t)run.first, run.count) != LF_OK))
        return LF_CORRUPT;
    if (done > 0)
        lf__mpmc_freed(r, (uint32_t)done);
    return done > 0 || count == 0 || index == LF_EMPTY ? (int64_t)done : index;
}

/* ---- waiting: deadline in ns of lf_now(), LF_FOREVER, or 0 to try once ---- */

struct lf__mpmc_call {
    struct lf_mpmc_ring *r;
    int64_t index;
    uint64_t length;
    uint32_t lease;
};
LF_INLINE int lf__mpmc_attempt_reserve(void *operation) {
    struct lf__mpmc_call *call = (struct lf__mpmc_call *)operation;
    call->index = lf_mpmc_ring_reserve(call->r);
    return call->index < 0 ? (int)call->index : LF_OK;
}
LF_INLINE int lf__mpmc_attempt_peek(void *operation) {
    struct lf__mpmc_call *call = (struct lf__mpmc_call *)operation;
    call->index = lf_mpmc_ring_peek(call->r, call->lease, &call->length);
    return call->index < 0 ? (int)call->index : LF_OK;
}

/* As reserve, but waits while the ring is full. Also returns LF_INTERRUPTED and LF_CLOSED. */
LF_INLINE int64_t lf_mpmc_ring_reserve_wait(struct lf_mpmc_ring *r, uint64_t deadline) {
    struct lf__mpmc_call call = {r, 0, 0, 0};
    int status = lf_block_on(&r->h, &r->body->not_full, lf__mpmc_attempt_reserve, &call, LF_FULL, deadline);
    return status == LF_OK ? call.index : status;
}
LF_INLINE int64_t lf_mpmc_ring_peek_wait(struct lf_mpmc_ring *r, uint32_t lease, uint64_t *length, uint64_t deadline) {
    struct lf__mpmc_call call = {r, 0, 0, lease};
    int status = lf_block_on(&r->h, &r->body->not_empty, lf__mpmc_attempt_peek, &call, LF_EMPTY, deadline);
    *length = call.length;
    return status == LF_OK ? call.index : status;
}
LF_INLINE int lf_mpmc_ring_put(struct lf_mpmc_ring *r, const void *record, uint64_t length, uint64_t deadline) {
    if (length > r->record_size)
        return LF_TOO_LONG;
    int64_t index = lf_mpmc_ring_reserve_wait(r, deadline);
    if (index < 0)
        return (int)index;
    lf_copy(lf_slot_payload(lf_mpmc_ring_slot(r, (uint64_t)index)), record, length);
    return lf_mpmc_ring_commit(r, index, length);
}
LF_INLINE int64_t lf_mpmc_ring_get(struct lf_mpmc_ring *r, void *record, uint64_t deadline) {
    uint64_t length = 0;
    int64_t index = lf_mpmc_ring_peek_wait(r, 0, &length, deadline);
    if (index < 0)
        return index;
    lf_copy(record, lf_slot_payload(lf_mpmc_ring_slot(r, (uint64_t)index)), length);
    int status = lf_mpmc_ring_release(r, index);
    return status == LF_OK ? (int64_t)length : status;
}

/* Slots that a put can take. Exact while nobody else runs. */
LF_INLINE uint64_t lf_mpmc_ring_free_slots(const struct lf_mpmc_ring *r) {
    return lf_queue_size(&r->queues[LF__FREE]) + lf_spares_size(&r->spares);
}
/* Records inside, 0 to capacity. Exact while nobody else runs. */
LF_INLINE uint64_t lf_mpmc_ring_size(const struct lf_mpmc_ring *r) { return lf_queue_size(&r->queues[LF__RECORDS]); }

LF_INLINE void lf_mpmc_ring_close(struct lf_mpmc_ring *r) {
    struct lf_eventcount *const counts[] = {&r->body->not_empty, &r->body->not_full};
    lf_close(&r->h, counts, 2);
}
/* Ends the ring for everybody. Puts are refused from now on; gets when nothing is inside, or at once if `immediate`. */
LF_INLINE void lf_mpmc_ring_shutdown(struct lf_mpmc_ring *r, int immediate) {
    struct lf_eventcount *const counts[] = {&r->body->not_empty, &r->body->not_full};
    lf_shutdown(&r->h, immediate, counts, 2);
}

#endif
