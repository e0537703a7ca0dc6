/* message_ring.h: FIFO of messages of variable length, many producers, many consumers, one budget of bytes for all.
 *
 * Usage
 *   #include <lockfree/message_ring.h>
 *
 *   struct lf_message_ring ring;
 *   int status = lf_message_ring_create(&ring, "jobs", 1024, 256, 0, 0); // 1024 blocks of 256 bytes; NULL: no name
 *   if (status != LF_OK)                                 // others: lf_message_ring_attach(&ring, "jobs")
 *       return status;                                   // after LF_SYSTEM, ring.h.error is the errno
 *   status = lf_message_ring_try_put(&ring, "hello", 5); // LF_OK, LF_FULL, LF_CLOSED, LF_TOO_LONG
 *   char message[512];
 *   int64_t length;
 *   do
 *       length = lf_message_ring_get(&ring, message, sizeof message, lf_now() + 1000000000u); // waits for 1 s at most
 *   while (length == LF_INTERRUPTED);                    // a signal handler ran
 *   if (length < 0)
 *       status = (int)length;           // LF_EMPTY, or LF_CLOSED after shutdown and close
 *   lf_segment_unlink(&ring.h, "jobs"); // nobody can attach any more; participants go on
 *   lf_detach(&ring.h);                 // this participant leaves
 *
 * Contract
 *   Linearizable FIFO with exact EMPTY. A message has 0 bytes to as many as all blocks hold, and comes out whole, with its
 *   length. It takes as many blocks as it needs, at least one; each holds 16 bytes less than its size. LF_FULL: at one
 *   instant of the call fewer blocks were free than the message needs. Blocks in the hands of running operations are not
 *   free. Two puts of many blocks may refuse each other, though each alone would fit; a waiting put tries again.
 *   With `most` > 0 a put is also refused (LF_FULL) while `most` messages are inside. This bound is exact for puts; what
 *   commit and recovery publish is never refused.
 *   lf_message_ring_task_done and lf_message_ring_join count what has been dealt with: message_tasks.h.
 * Progress: try_put, try_get, peek/release and the batches are lock-free: claim and publication are single
 *   compare-and-swaps of a queue of indices, and nobody waits for a block that another one has. put and get sleep
 *   (blocking.h). A waiting put of many blocks may be overtaken by puts of few for as long as these come.
 * Death: nobody is blocked. The next recovery frees the blocks of messages that the dead participant was writing or had
 *   taken for good. It comes at the latest when somebody would wait for one. A message whose put was cut off may still
 *   arrive, whole. A leased message is published again, at the tail.
 * Layout: {not_empty, not_full, done, all_done} | ends and cells of the queue of free blocks | of the queue of messages | blocks.
 *   A block is {custody word, length of the message, number of its next block + 1, payload}. The first block of a message
 *   stands for it in the queue.
 * Invariants, beside those of index_queue.h
 *   [M1] The custody word of a further block names the first block of its message. The holder of the first has them
 *        all, and a message changes hands in one compare-and-swap.
 *   [M2] Further blocks are given back before the first one, which is in the same hands until then, and not leased.
 *   [M3] Recovery frees the further blocks of a first block that the dead one had for good, before that one.
 * Linearization points: as in mpmc_ring.h, of the first block. LF_FULL: the load in `free` that finds nothing, or less
 *   than the message needs, or that of the cell `most` before the next.
 * Source: the scheme of two index queues is that of SCQ (Nikolaev, DISC 2019). */
#ifndef LOCKFREE_MESSAGE_RING_H
#define LOCKFREE_MESSAGE_RING_H

#include "blocks/message_tasks.h"

#define LF_KIND_MESSAGE_RING 41u

LF_INLINE int lf__message_view(struct lf_handle *h) {
    struct lf_message_ring *r = (struct lf_message_ring *)h;
    const uint64_t *geometry = h->segment->identity.geometry;
    uint64_t bytes = 0, blocks = geometry[0], queue_bytes;
    if (lf_message_ring_bytes(blocks, geometry[1], &bytes) != LF_OK || bytes != h->bytes)
        return lf_mismatch(h, "size in bytes for the geometry", h->bytes, bytes);
    queue_bytes = lf_queue_bytes(blocks);
    r->block_bytes = geometry[1];
    r->most = geometry[3] < blocks ? geometry[3] : 0; /* each message has a block */
    r->room = r->block_bytes - sizeof(struct lf_slot);
    r->max_message = blocks <= LF_MAX_RECORD / r->room ? blocks * r->room : LF_MAX_RECORD;
    unsigned char *at = h->body + sizeof(struct lf_message_body);
    r->body = (struct lf_message_body *)(void *)h->body;
    r->bytes = at + 2 * queue_bytes;
    r->store.custody = r->bytes;
    r->store.stride = r->block_bytes;
    r->store.slots = blocks;
    lf_queue_view(&r->queues[LF__FREE], &r->store, LF__FREE, at);
    lf_queue_view(&r->queues[LF__MESSAGES], &r->store, LF__MESSAGES, at + queue_bytes);
    return LF_OK;
}

static const struct lf_kind lf_message_ring_kind = {LF_KIND_MESSAGE_RING, lf__message_view, lf__message_recover, 1};

/* Lays out a fresh body. `start`: the first position of both queues; tests begin near the wraps. */
LF_INLINE void lf__message_layout(struct lf_message_ring *r, uint64_t start) {
    lf_queue_init(&r->queues[LF__MESSAGES], start, 0, 1);
    lf_queue_init(&r->queues[LF__FREE], start, r->store.slots, 1);
    r->body->done = start;
}

/* In zeroed memory of the caller. Others in the same process join with lf_segment_attach_local. */
LF_INLINE int lf_message_ring_create_local(struct lf_message_ring *r, void *memory, uint64_t blocks,
                                           uint64_t block_bytes, uint64_t most, uint64_t start) {
    uint64_t bytes, geometry[LF_GEOMETRY] = {blocks, block_bytes, start, most, 0, 0};
    int status = lf_message_ring_bytes(blocks, block_bytes, &bytes);
    if (status == LF_OK)
        status = lf_segment_create_local(&r->h, &lf_message_ring_kind, memory, bytes, geometry);
    if (status == LF_OK)
        lf__message_layout(r, start);
    return status;
}

#ifndef LF_MODEL
/* A ring that nobody else can see yet: finish it, then lf_segment_publish. */
LF_INLINE int lf__message_ring_allocate(struct lf_message_ring *r, const char *name, uint64_t blocks,
                                        uint64_t block_bytes, uint64_t most, uint64_t start) {
    uint64_t bytes, geometry[LF_GEOMETRY] = {blocks, block_bytes, start, most, 0, 0};
    if (lf_message_ring_bytes(blocks, block_bytes, &bytes) != LF_OK)
        return LF_INVALID;
    int status = lf_segment_create(&r->h, name, &lf_message_ring_kind, bytes, geometry);
    if (status == LF_OK)
        lf__message_layout(r, start);
    return status;
}
/* name NULL: anonymous. `most`: messages inside at a time, or 0. `start`: the first position; pass 0 (tests begin near
 * the wraps). */
LF_INLINE int lf_message_ring_create(struct lf_message_ring *r, const char *name, uint64_t blocks, uint64_t block_bytes,
                                     uint64_t most, uint64_t start) {
    int status = lf__message_ring_allocate(r, name, blocks, block_bytes, most, start);
    return status == LF_OK ? lf_segment_publish(&r->h, name) : status;
}
LF_INLINE int lf_message_ring_attach(struct lf_message_ring *r, const char *name) {
    return lf_segment_attach(&r->h, name, &lf_message_ring_kind);
}
LF_INLINE int lf_message_ring_attach_fd(struct lf_message_ring *r, int fd) {
    return lf_segment_attach_fd(&r->h, fd, &lf_message_ring_kind);
}
#endif

/* ---- in place: the caller has the blocks of a message between two calls ---- */

/* Frees a message in hand, and wakes a thread that waits for blocks. */
LF_INLINE int lf_message_ring_release(struct lf_message_ring *r, int64_t first) {
    int status = lf__message_free(r, (uint64_t)first);
    lf__message_freed(r);
    return status;
}
/* Gives a reservation back unused. */
LF_INLINE int lf_message_ring_cancel(struct lf_message_ring *r, int64_t first) {
    return lf_message_ring_release(r, first);
}

/* `most` messages are inside. */
LF_INLINE int lf__message_is_full(const struct lf_message_ring *r) {
    const struct lf_queue *q = &r->queues[LF__MESSAGES];
    return lf__is_inside(q, lf_queue_published(q) - r->most);
}

/* Blocks for a message of `length` bytes: the number of the first one, LF_FULL, LF_CLOSED, LF_TOO_LONG or LF_CORRUPT.
 * Then write, and commit or cancel. A commit is not refused, even if the ring has been shut down since. */
LF_INLINE int64_t lf_message_ring_reserve(struct lf_message_ring *r, uint64_t length) {
    int status = lf_enter_to_put(&r->h);
    if (LF_UNLIKELY(status != LF_OK || length > r->max_message))
        return status != LF_OK ? status : LF_TOO_LONG;
    if (r->most != 0 && lf__message_is_full(r))
        return LF_FULL;
    uint64_t n = lf__message_blocks(r, length);
    int64_t first = lf__message_claim(r, n);
    if (LF_UNLIKELY(first == LF_FULL) && lf_reap_if_due(&r->h) > 0)
        first = lf__message_claim(r, n);
    /* [D2]: either the getter that drains the ring sees that a block is out, or this sees that the ring ends */
    if (LF_UNLIKELY(first >= 0 && lf_load_seq_cst(&r->h.segment->ending) != LF__OPEN)) {
        lf_message_ring_release(r, first);
        return LF_CLOSED;
    }
    if (first >= 0)
        lf_message_ring_block(r, (uint64_t)first)->length = (uint32_t)length;
    return first;
}
/* Publishes a reservation, or a message in hand once more, at the tail, whatever the bound. Its length may have become smaller: see
 * lf_message_ring_shorten. */
LF_INLINE int lf_message_ring_commit(struct lf_message_ring *r, int64_t first) {
    int status = lf_queue_publish(&r->queues[LF__MESSAGES], (uint64_t)first, r->h.participant);
    lf_eventcount_notify_after_rmw(&r->body->not_empty, 1);
    return status;
}
/* Publishes a message once more that was taken and cannot be dealt with here, at the tail. It stays one task. */
LF_INLINE int lf_message_ring_put_back(struct lf_message_ring *r, int64_t first) {
    int status = lf_message_ring_commit(r, first);
    lf__message_task_done(r); /* the commit has counted it once more */
    return status;
}
/* The same as commit for a put: LF_FULL gives the blocks back. */
LF_INLINE int lf__message_put_in(struct lf_message_ring *r, int64_t first) {
    int status = lf_queue_publish_within(&r->queues[LF__MESSAGES], (uint64_t)first, r->h.participant, r->most);
    if (LF_LIKELY(status == LF_OK))
        lf_eventcount_notify_after_rmw(&r->body->not_empty, 1);
    else if (status == LF_FULL && lf_message_ring_release(r, first) != LF_OK)
        return LF_CORRUPT;
    return status;
}
/* The first `length` bytes are the message. Blocks behind them stay with it. LF_TOO_LONG: it has fewer. */
LF_INLINE int lf_message_ring_shorten(struct lf_message_ring *r, int64_t first, uint64_t length) {
    struct lf_slot *block = lf_message_ring_block(r, (uint64_t)first);
    if (length > block->length)
        return LF_TOO_LONG;
    block->length = (uint32_t)length;
    return LF_OK;
}

/* Nothing was inside. While the ring is drained, a block that is out may still bring a message. */
LF_INLINE int64_t lf__message_empty(struct lf_message_ring *r, uint32_t taker) {
    if (LF_LIKELY(lf_load_seq_cst(&r->h.segment->ending) == LF__OPEN)) /* [D3] pairs with [D1], and [D2] through it */
        return LF_EMPTY;
    if (!lf_queue_is_whole(&r->queues[LF__FREE]))
        return LF_EMPTY;
    int64_t first = lf_queue_take(&r->queues[LF__MESSAGES], taker); /* put between the two looks, if there is one */
    return first == LF_EMPTY ? (int64_t)LF_CLOSED : first;
}

/* Takes the oldest message out of the ring, in its blocks: the number of the first one, or LF_EMPTY, LF_CLOSED or
 * LF_CORRUPT. With `lease` LF_LEASE (else 0) it is published again if we die. Then read, and release. */
LF_INLINE int64_t lf_message_ring_peek(struct lf_message_ring *r, uint32_t lease, uint64_t *length) {
    int status = lf_enter_to_get(&r->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    uint32_t taker = r->h.participant | lease;
    int64_t first = lf_queue_take(&r->queues[LF__MESSAGES], taker);
    if (LF_UNLIKELY(first == LF_EMPTY) && lf_reap_if_due(&r->h) > 0)
        first = lf_queue_take(&r->queues[LF__MESSAGES], taker);
    if (LF_UNLIKELY(first == LF_EMPTY))
        first = lf__message_empty(r, taker);
    if (first < 0)
        return first;
    *length = lf_message_ring_block(r, (uint64_t)first)->length;
    if (LF_UNLIKELY(*length > r->max_message)) {
        lf_message_ring_release(r, first);
        return LF_CORRUPT;
    }
    return first;
}

/* ---- copying ---- */

LF_INLINE int lf_message_ring_try_put(struct lf_message_ring *r, const void *message, uint64_t length) {
    int64_t first = lf_message_ring_reserve(r, length);
    if (LF_UNLIKELY(first < 0))
        return (int)first;
    int status = lf_message_ring_write(r, first, message, length);
    return LF_LIKELY(status == LF_OK) ? lf__message_put_in(r, first) : status;
}

/* Copies the message in hand out and frees it; it stays in hand, LF_TOO_LONG, if it is longer than `room`. */
LF_INLINE int64_t lf_message_ring_take(struct lf_message_ring *r, int64_t first, void *out, uint64_t length) {
    int status = lf_message_ring_read(r, first, out, length), freed = lf_message_ring_release(r, first);
    return LF_LIKELY(status == LF_OK && freed == LF_OK) ? (int64_t)length : status != LF_OK ? status : freed;
}

/* The length, LF_EMPTY, LF_CLOSED or LF_CORRUPT. LF_TOO_LONG: it was longer than `room`, and is inside again, at the
 * tail. If the length of messages is not known, use peek and take. */
LF_INLINE int64_t lf_message_ring_try_get(struct lf_message_ring *r, void *out, uint64_t room) {
    uint64_t length = 0;
    int64_t first = lf_message_ring_peek(r, 0, &length);
    if (LF_UNLIKELY(first < 0))
        return first;
    if (LF_LIKELY(length <= room))
        return lf_message_ring_take(r, first, out, length);
    int status = lf_message_ring_put_back(r, first);
    return status == LF_OK ? LF_TOO_LONG : status;
}

/* Puts messages, lengths[i] bytes each, packed, until one has no room. Returns how many, or a negative status if none.
 * Messages of one call keep their order; those of others may come between them. */
LF_INLINE int64_t lf_message_ring_put_many(struct lf_message_ring *r, const void *messages, const uint32_t *lengths,
                                           uint64_t count) {
    const unsigned char *from = (const unsigned char *)messages;
    uint64_t done = 0;
    int status = LF_OK;
    for (uint64_t i = 0; i < count; i++)
        if (lengths[i] > r->max_message)
            return LF_TOO_LONG;
    while (done < count && (status = lf_message_ring_try_put(r, from, lengths[done])) == LF_OK)
        from += lengths[done++];
    return done > 0 || count == 0 || status == LF_FULL ? (int64_t)done : status;
}
/* Takes up to `count` messages, packed into `out`; lengths[i] bytes each. Stops before one that has no room there. Returns
 * how many, or a negative status if none. */
LF_INLINE int64_t lf_message_ring_get_many(struct lf_message_ring *r, void *out, uint64_t room, uint32_t *lengths,
                                           uint64_t count) {
    unsigned char *to = (unsigned char *)out;
    uint64_t done = 0;
    int64_t length = LF_OK;
    while (done < count && room >= r->max_message && (length = lf_message_ring_try_get(r, to, room)) >= 0) {
        lengths[done++] = (uint32_t)length;
        to += length;
        room -= (uint64_t)length;
    }
    return done > 0 || count == 0 || length == LF_EMPTY ? (int64_t)done : length;
}

/* ---- waiting: deadline in ns of lf_now(), LF_FOREVER, or 0 to try once ---- */

struct lf__message_call {
    struct lf_message_ring *r;
    int64_t first;
    uint64_t length;
    uint32_t lease;
};
LF_INLINE int lf__message_attempt_reserve(void *operation) {
    struct lf__message_call *call = (struct lf__message_call *)operation;
    call->first = lf_message_ring_reserve(call->r, call->length);
    return call->first < 0 ? (int)call->first : LF_OK;
}
LF_INLINE int lf__message_attempt_peek(void *operation) {
    struct lf__message_call *call = (struct lf__message_call *)operation;
    call->first = lf_message_ring_peek(call->r, call->lease, &call->length);
    return call->first < 0 ? (int)call->first : LF_OK;
}
/* As reserve, but waits while there is no room. Also returns LF_INTERRUPTED. */
LF_INLINE int64_t lf_message_ring_reserve_wait(struct lf_message_ring *r, uint64_t length, uint64_t deadline) {
    struct lf__message_call call = {r, 0, length, 0};
    int status = lf_block_on(&r->h, &r->body->not_full, lf__message_attempt_reserve, &call, LF_FULL, deadline);
    return status == LF_OK ? call.first : status;
}
LF_INLINE int64_t lf_message_ring_peek_wait(struct lf_message_ring *r, uint32_t lease, uint64_t *length,
                                            uint64_t deadline) {
    struct lf__message_call call = {r, 0, 0, lease};
    int status = lf_block_on(&r->h, &r->body->not_empty, lf__message_attempt_peek, &call, LF_EMPTY, deadline);
    *length = call.length;
    return status == LF_OK ? call.first : status;
}
struct lf__message_putting {
    struct lf_message_ring *r;
    const struct lf_piece *pieces;
    uint64_t count, length;
};
LF_INLINE int lf__message_attempt_put(void *operation) {
    const struct lf__message_putting *put = (const struct lf__message_putting *)operation;
    int64_t first = lf_message_ring_reserve(put->r, put->length);
    if (LF_UNLIKELY(first < 0))
        return (int)first;
    int status = lf_message_ring_write_pieces(put->r, first, put->pieces, put->count);
    return LF_LIKELY(status == LF_OK) ? lf__message_put_in(put->r, first) : status;
}
/* Puts one message that is the pieces one after another; together they have at most LF_MAX_RECORD bytes. */
LF_INLINE int lf_message_ring_put_pieces(struct lf_message_ring *r, const struct lf_piece *pieces, uint64_t count,
                                         uint64_t deadline) {
    struct lf__message_putting put = {r, pieces, count, 0};
    for (uint64_t i = 0; i < count; i++)
        put.length += pieces[i].length;
    return lf_block_on(&r->h, &r->body->not_full, lf__message_attempt_put, &put, LF_FULL, deadline);
}
LF_INLINE int lf_message_ring_put(struct lf_message_ring *r, const void *message, uint64_t length, uint64_t deadline) {
    struct lf_piece piece = {message, length};
    return lf_message_ring_put_pieces(r, &piece, 1, deadline);
}
LF_INLINE int64_t lf_message_ring_get(struct lf_message_ring *r, void *out, uint64_t room, uint64_t deadline) {
    uint64_t length = 0;
    int64_t first = lf_message_ring_peek_wait(r, 0, &length, deadline);
    if (first < 0 || length <= room)
        return first < 0 ? first : lf_message_ring_take(r, first, out, length);
    int status = lf_message_ring_put_back(r, first);
    return status == LF_OK ? LF_TOO_LONG : status;
}

/* Messages inside, 0 after an immediate shutdown. Exact while nobody else runs. */
LF_INLINE uint64_t lf_message_ring_size(const struct lf_message_ring *r) {
    return lf_load_relaxed(&r->h.segment->ending) == LF__ENDED ? 0 : lf_queue_size(&r->queues[LF__MESSAGES]);
}
/* Blocks that are free. Exact while nobody else runs. */
LF_INLINE uint64_t lf_message_ring_free(const struct lf_message_ring *r) { return lf_queue_size(&r->queues[LF__FREE]); }

LF_INLINE void lf_message_ring_close(struct lf_message_ring *r) {
    struct lf_eventcount *const counts[] = {&r->body->not_empty, &r->body->not_full, &r->body->all_done};
    lf_close(&r->h, counts, 3);
}
/* Ends the ring for everybody. Puts are refused from now on; gets when nothing is inside, or at once if `immediate`. */
LF_INLINE void lf_message_ring_shutdown(struct lf_message_ring *r, int immediate) {
    struct lf_eventcount *const counts[] = {&r->body->not_empty, &r->body->not_full, &r->body->all_done};
    lf_shutdown(&r->h, immediate, counts, 3);
}

#endif
