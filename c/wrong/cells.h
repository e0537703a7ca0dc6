/* cells.h: the skeleton of the wrong rings: Vyukov's bounded queue, with the interface of mpmc_ring.h.
 * Each cell says whose turn it is; a put claims a position, then writes, then publishes. Not wrong in itself, but what
 * it promises is less: EMPTY means that the oldest position is not published, not that nothing is inside. */
#ifndef LOCKFREE_MPMC_RING_H
#define LOCKFREE_MPMC_RING_H

#include <lockfree/blocks/spare_slots.h>

#define LF_KIND_MPMC_RING 8u

struct lf_mpmc_body {
    LF_ALIGNED struct lf_eventcount not_empty;
    LF_ALIGNED struct lf_eventcount not_full;
    LF_ALIGNED uint64_t head;
    LF_ALIGNED uint64_t tail;
};

struct lf_mpmc_ring {
    struct lf_handle h;
    struct lf_mpmc_body *body;
    unsigned char *slots;
    uint64_t stride, capacity, record_size;
    struct lf_queue queues[2]; /* stats() names them; nothing here has any */
    struct lf_spare_view spares;
};
enum { LF__RECORDS = 1 };

/* Where a slot stands: 2p free for position p, 2p + 1 full at position p. */
LF_INLINE struct lf_slot *lf_mpmc_ring_slot(const struct lf_mpmc_ring *r, uint64_t index) {
    return (struct lf_slot *)(void *)(r->slots + index * r->stride);
}

LF_INLINE int lf__wrong_view(struct lf_handle *h) {
    struct lf_mpmc_ring *r = (struct lf_mpmc_ring *)h;
    r->capacity = h->segment->identity.geometry[0];
    r->record_size = h->segment->identity.geometry[1];
    r->stride = lf_slot_stride(r->record_size);
    r->body = (struct lf_mpmc_body *)(void *)h->body;
    r->slots = h->body + sizeof(struct lf_mpmc_body);
    return LF_OK;
}
LF_INLINE int lf__wrong_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    (void)h, (void)gone, (void)cursor;
    return 1;
}
static const struct lf_kind lf_mpmc_ring_kind = {LF_KIND_MPMC_RING, lf__wrong_view, lf__wrong_recover, 0};

LF_INLINE int lf__mpmc_ring_allocate(struct lf_mpmc_ring *r, const char *name, uint64_t capacity, uint64_t record_size,
                                     uint64_t start) {
    uint64_t geometry[LF_GEOMETRY] = {capacity, record_size, start, 0, 0, 0};
    uint64_t bytes = LF_BODY_OFFSET + sizeof(struct lf_mpmc_body) + capacity * lf_slot_stride(record_size);
    int status = lf_segment_create(&r->h, name, &lf_mpmc_ring_kind, bytes, geometry);
    for (uint64_t i = 0; status == LF_OK && i < capacity; i++)
        lf_mpmc_ring_slot(r, i)->custody = 2 * i;
    return status;
}
LF_INLINE int lf_mpmc_ring_attach(struct lf_mpmc_ring *r, const char *name) {
    return lf_segment_attach(&r->h, name, &lf_mpmc_ring_kind);
}
LF_INLINE int lf_mpmc_ring_attach_fd(struct lf_mpmc_ring *r, int fd) {
    return lf_segment_attach_fd(&r->h, fd, &lf_mpmc_ring_kind);
}

LF_INLINE int64_t lf_mpmc_ring_reserve(struct lf_mpmc_ring *r) {
    uint64_t tail = lf_load_relaxed(&r->body->tail);
    for (;;) {
        uint64_t turn = lf_load_acquire(&lf_mpmc_ring_slot(r, tail % r->capacity)->custody);
        if (turn == 2 * tail) {
            if (lf_cas_relaxed(&r->body->tail, &tail, tail + 1))
                return (int64_t)(tail % r->capacity);
        } else if (turn < 2 * tail) {
            return LF_FULL;
        } else {
            tail = lf_load_relaxed(&r->body->tail);
        }
    }
}
LF_INLINE int lf__wrong_publish(struct lf_mpmc_ring *r, int64_t index, uint64_t length) {
    struct lf_slot *slot = lf_mpmc_ring_slot(r, (uint64_t)index);
    slot->length = (uint32_t)length;
    lf_store_release(&slot->custody, slot->custody + 1);
    return LF_OK;
}
LF_INLINE int lf_mpmc_ring_commit(struct lf_mpmc_ring *r, int64_t index, uint64_t length) {
    lf__wrong_publish(r, index, length);
    lf_eventcount_notify(&r->body->not_empty, 1);
    return LF_OK;
}
/* A reserved place cannot be given back in this design: it becomes a record without a value. */
LF_INLINE int lf_mpmc_ring_cancel(struct lf_mpmc_ring *r, int64_t index) { return lf_mpmc_ring_commit(r, index, 0); }

/* LF_WRONG_DUPLICATES: the loser of the race for a position takes its record as well, if it is still there. */
LF_INLINE int64_t lf_mpmc_ring_peek(struct lf_mpmc_ring *r, uint32_t lease, uint64_t *length) {
    uint64_t head = lf_load_relaxed(&r->body->head);
    (void)lease;
    for (;;) {
        struct lf_slot *slot = lf_mpmc_ring_slot(r, head % r->capacity);
        uint64_t turn = lf_load_acquire(&slot->custody);
        if (turn == 2 * head + 1) {
#ifdef LF_WRONG_DUPLICATES
            uint64_t seen = head;
            lf_cas_relaxed(&r->body->head, &seen, head + 1);
#else
            if (!lf_cas_relaxed(&r->body->head, &head, head + 1))
                continue;
#endif
            *length = slot->length;
            if (*length == 0) { /* a cancelled place: on to the next */
                lf_store_release(&slot->custody, 2 * (head + r->capacity));
                head = lf_load_relaxed(&r->body->head);
                continue;
            }
            return (int64_t)(head % r->capacity);
        }
        if (turn < 2 * head + 1)
            return LF_EMPTY;
        head = lf_load_relaxed(&r->body->head);
    }
}
LF_INLINE int64_t lf__mpmc_take(struct lf_mpmc_ring *r, uint32_t lease, uint64_t most, uint64_t *count) {
    uint64_t length;
    (void)most;
    *count = 1;
    return lf_mpmc_ring_peek(r, lease, &length);
}
LF_INLINE int lf__mpmc_free(struct lf_mpmc_ring *r, int64_t index, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        struct lf_slot *slot = lf_mpmc_ring_slot(r, (uint64_t)index + i);
        uint64_t turn = slot->custody;
        if (turn & 1)
            lf_store_release(&slot->custody, turn - 1 + 2 * r->capacity);
    }
    return LF_OK;
}
LF_INLINE void lf__mpmc_freed(struct lf_mpmc_ring *r, uint32_t count) {
    lf_eventcount_notify(&r->body->not_full, count);
}
LF_INLINE int lf_mpmc_ring_release(struct lf_mpmc_ring *r, int64_t index) {
    int status = lf__mpmc_free(r, index, 1);
    lf__mpmc_freed(r, 1);
    return status;
}
LF_INLINE int lf_mpmc_ring_requeue(struct lf_mpmc_ring *r, int64_t index) {
    unsigned char record[256];
    struct lf_slot *slot = lf_mpmc_ring_slot(r, (uint64_t)index);
    uint64_t length = slot->length < sizeof record ? slot->length : sizeof record;
    memcpy(record, lf_slot_payload(slot), length);
    lf_mpmc_ring_release(r, index);
    for (int tries = 0; tries < 20000; tries++) {
        int64_t place = lf_mpmc_ring_reserve(r);
        if (place >= 0) {
            memcpy(lf_slot_payload(lf_mpmc_ring_slot(r, (uint64_t)place)), record, length);
            return lf_mpmc_ring_commit(r, place, length);
        }
        lf_nap(10000);
    }
    return LF_OK;
}

LF_INLINE int lf_mpmc_ring_try_put(struct lf_mpmc_ring *r, const void *record, uint64_t length) {
    if (length > r->record_size)
        return LF_TOO_LONG;
    int64_t index = lf_mpmc_ring_reserve(r);
    if (index < 0)
        return (int)index;
    memcpy(lf_slot_payload(lf_mpmc_ring_slot(r, (uint64_t)index)), record, length);
    return lf_mpmc_ring_commit(r, index, length);
}
LF_INLINE int64_t lf_mpmc_ring_try_get(struct lf_mpmc_ring *r, void *record) {
    uint64_t length = 0;
    int64_t index = lf_mpmc_ring_peek(r, 0, &length);
    if (index < 0)
        return index;
    memcpy(record, lf_slot_payload(lf_mpmc_ring_slot(r, (uint64_t)index)), length);
    lf_mpmc_ring_release(r, index);
    return (int64_t)length;
}
LF_INLINE int64_t lf_mpmc_ring_put_many(struct lf_mpmc_ring *r, const void *records, uint64_t pitch, uint64_t length,
                                        const uint32_t *lengths, uint64_t count) {
    const unsigned char *from = (const unsigned char *)records;
    uint64_t done = 0;
    for (; done < count; done++) {
        if (lengths != NULL)
            pitch = length = lengths[done];
        if (lf_mpmc_ring_try_put(r, from, length) != LF_OK)
            break;
        from += pitch;
    }
    return (int64_t)done;
}
LF_INLINE int64_t lf_mpmc_ring_get_many(struct lf_mpmc_ring *r, void *records, uint64_t pitch, uint32_t *lengths,
                                        uint64_t count) {
    unsigned char *to = (unsigned char *)records;
    uint64_t done = 0;
    for (int64_t length; done < count && (length = lf_mpmc_ring_try_get(r, to)) >= 0; done++, to += pitch) {
        memset(to + length, 0, pitch - (uint64_t)length);
        if (lengths != NULL)
            lengths[done] = (uint32_t)length;
    }
    return (int64_t)done;
}

struct lf__mpmc_call {
    struct lf_mpmc_ring *r;
    int64_t index;
    uint64_t length;
};
LF_INLINE int lf__mpmc_attempt_reserve(void *operation) {
    struct lf__mpmc_call *call = (struct lf__mpmc_call *)operation;
    call->index = lf_mpmc_ring_reserve(call->r);
    return call->index < 0 ? (int)call->index : LF_OK;
}
LF_INLINE int lf__mpmc_attempt_peek(void *operation) {
    struct lf__mpmc_call *call = (struct lf__mpmc_call *)operation;
    call->index = lf_mpmc_ring_peek(call->r, 0, &call->length);
    return call->index < 0 ? (int)call->index : LF_OK;
}
LF_INLINE int64_t lf_mpmc_ring_reserve_wait(struct lf_mpmc_ring *r, uint64_t deadline) {
    struct lf__mpmc_call call = {r, 0, 0};
    int status = lf_block_on(&r->h, &r->body->not_full, lf__mpmc_attempt_reserve, &call, LF_FULL, deadline);
    return status == LF_OK ? call.index : status;
}
LF_INLINE int64_t lf_mpmc_ring_peek_wait(struct lf_mpmc_ring *r, uint32_t lease, uint64_t *length, uint64_t deadline) {
    struct lf__mpmc_call call = {r, 0, 0};
    (void)lease;
    int status = lf_block_on(&r->h, &r->body->not_empty, lf__mpmc_attempt_peek, &call, LF_EMPTY, deadline);
    *length = call.length;
    return status == LF_OK ? call.index : status;
}
LF_INLINE int lf_mpmc_ring_put(struct lf_mpmc_ring *r, const void *record, uint64_t length, uint64_t deadline) {
    int64_t index = lf_mpmc_ring_reserve_wait(r, deadline);
    if (index < 0)
        return (int)index;
    memcpy(lf_slot_payload(lf_mpmc_ring_slot(r, (uint64_t)index)), record, length);
    return lf_mpmc_ring_commit(r, index, length);
}
LF_INLINE int64_t lf_mpmc_ring_get(struct lf_mpmc_ring *r, void *record, uint64_t deadline) {
    uint64_t length = 0;
    int64_t index = lf_mpmc_ring_peek_wait(r, 0, &length, deadline);
    if (index < 0)
        return index;
    memcpy(record, lf_slot_payload(lf_mpmc_ring_slot(r, (uint64_t)index)), length);
    lf_mpmc_ring_release(r, index);
    return (int64_t)length;
}

LF_INLINE uint64_t lf_mpmc_ring_size(const struct lf_mpmc_ring *r) {
    uint64_t head = lf_load_relaxed(&r->body->head), tail = lf_load_relaxed(&r->body->tail);
    return tail > head ? tail - head : 0;
}
LF_INLINE void lf_mpmc_ring_close(struct lf_mpmc_ring *r) {
    struct lf_eventcount *const counts[] = {&r->body->not_empty, &r->body->not_full};
    lf_close(&r->h, counts, 2);
}
LF_INLINE void lf_mpmc_ring_shutdown(struct lf_mpmc_ring *r, int immediate) {
    struct lf_eventcount *const counts[] = {&r->body->not_empty, &r->body->not_full};
    lf_shutdown(&r->h, immediate, counts, 2);
}

#endif
