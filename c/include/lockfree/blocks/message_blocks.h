/* message_blocks.h: building block: messages as chains of blocks, claimed and freed so that a death loses none.
 *
 * Contract, layout and invariants: see message_ring.h, whose part this is.
 *   lf__message_claim takes n blocks or none. lf_message_ring_write and lf_message_ring_read copy into and out of the
 *   blocks of a message in hand. lf__message_free gives them back. lf__message_recover does so for a dead participant.
 * Progress: lock-free; no step waits for another participant.
 * Death: [M1] to [M3]. */
#ifndef LOCKFREE_MESSAGE_BLOCKS_H
#define LOCKFREE_MESSAGE_BLOCKS_H

#include "blocking.h"
#include "index_recovery.h"

#define LF_MESSAGE_MAX_BLOCKS (UINT64_C(1) << 31)
#define LF_MESSAGE_MIN_BLOCK UINT64_C(32)
#define LF_MESSAGE_MAX_BLOCK (UINT64_C(1) << 30)

enum { LF__MESSAGES = 1 }; /* queue id, beside LF__FREE */
#define LF__MEMBER 255u /* in place of a queue's id in the custody word of a further block; the position is the first */

struct lf_message_body {
    LF_ALIGNED struct lf_eventcount not_empty; /* line 0: consumers announce, producers look */
    LF_ALIGNED struct lf_eventcount not_full;  /* line 1: producers announce, consumers look */
    LF_ALIGNED uint64_t done;                  /* line 2: messages that somebody has dealt with (message_tasks.h) */
    struct lf_eventcount all_done;             /* a join announces, the reader of a message looks */
};

struct lf_message_ring {
    struct lf_handle h;
    struct lf_message_body *body;
    struct lf_store store;
    struct lf_queue queues[2];
    unsigned char *bytes;
    uint64_t block_bytes;
    uint64_t room; /* for payload in a block */
    uint64_t max_message;
    uint64_t most; /* messages inside; 0: as many as have room */
};

/* Bytes of a segment with this geometry; LF_INVALID if out of bounds. geometry = {blocks, block_bytes, start, most}.
 * block_bytes is a multiple of 16. */
LF_INLINE int lf_message_ring_bytes(uint64_t blocks, uint64_t block_bytes, uint64_t *bytes) {
    if (blocks < 1 || blocks > LF_MESSAGE_MAX_BLOCKS || block_bytes < LF_MESSAGE_MIN_BLOCK ||
        block_bytes > LF_MESSAGE_MAX_BLOCK || block_bytes % 16 != 0)
        return LF_INVALID;
    *bytes = LF_BODY_OFFSET + sizeof(struct lf_message_body) + 2 * lf_queue_bytes(blocks);
    return lf_add_mul(bytes, blocks, block_bytes);
}

LF_INLINE struct lf_slot *lf_message_ring_block(const struct lf_message_ring *r, uint64_t index) {
    return (struct lf_slot *)(void *)(r->bytes + index * r->block_bytes);
}
LF_INLINE uint64_t lf__message_blocks(const struct lf_message_ring *r, uint64_t length) {
    return length <= r->room ? 1 : (length + r->room - 1) / r->room;
}
LF_INLINE uint64_t lf__member_of(uint64_t first) { return lf__held(LF__MEMBER, first, 0); }

/* ---- freeing ---- */

LF_INLINE void lf__message_freed(struct lf_message_ring *r) {
    lf_eventcount_notify_after_rmw(&r->body->not_full, UINT32_MAX); /* a waiter may need one block, or many */
    if (LF_UNLIKELY(lf_load_relaxed(&r->h.segment->ending) != LF__OPEN))
        lf_eventcount_notify_all(&r->body->not_empty); /* a getter that drains the ring may wait for these blocks */
}

/* Gives back the blocks of a message in hand. LF_OK or LF_CORRUPT. */
LF_INLINE int lf__message_free(struct lf_message_ring *r, uint64_t first) {
    struct lf_slot *head = lf_message_ring_block(r, first);
    int status = LF_OK;
    if (LF_UNLIKELY(head->unused != 0)) /* [M2]: from here on nobody delivers it again */
        lf_store_relaxed(&head->custody, lf__held(LF__MESSAGES, 0, r->h.participant));
    for (uint64_t n = 0; head->unused != 0 && status == LF_OK; n++) {
        uint64_t next = (uint64_t)head->unused - 1;
        if (next >= r->store.slots || n >= r->store.slots)
            return LF_CORRUPT;
        head->unused = lf_message_ring_block(r, next)->unused;
        status = lf_queue_publish(&r->queues[LF__FREE], next, r->h.participant); /* until then [M1] holds for it */
    }
    return status == LF_OK ? lf_queue_publish(&r->queues[LF__FREE], first, r->h.participant) : status;
}

/* ---- claiming ---- */

/* n blocks: the number of the first one, LF_FULL or LF_CORRUPT. What has no room is refused before it takes a block. To give
 * blocks back wakes all that wait for some, and so would wake a waiting put by its own look. */
LF_INLINE int64_t lf__message_claim(struct lf_message_ring *r, uint64_t n) {
    if (LF_UNLIKELY(n > 1) && !lf_queue_has(&r->queues[LF__FREE], n))
        return LF_FULL;
    int64_t first = lf_queue_take(&r->queues[LF__FREE], r->h.participant);
    if (LF_UNLIKELY(first < 0))
        return first == LF_EMPTY ? (int64_t)LF_FULL : first;
    struct lf_slot *last = lf_message_ring_block(r, (uint64_t)first);
    last->unused = 0;
    while (LF_UNLIKELY(--n > 0)) {
        int64_t next = lf_queue_take(&r->queues[LF__FREE], r->h.participant);
        if (next < 0) { /* all or none */
            int status = lf__message_free(r, (uint64_t)first);
            lf__message_freed(r);
            return next == LF_EMPTY ? (status == LF_OK ? (int64_t)LF_FULL : status) : next;
        }
        struct lf_slot *block = lf_message_ring_block(r, (uint64_t)next);
        block->unused = 0;
        lf_store_relaxed(&block->custody, lf__member_of((uint64_t)first)); /* [M1]; published with the first block */
        last->unused = (uint32_t)next + 1;
        last = block;
    }
    return first;
}

/* ---- the bytes of a message in hand ---- */

/* Copies to (`out` NULL) or from its blocks. LF_OK or LF_CORRUPT. */
LF_INLINE int lf__message_copy(const struct lf_message_ring *r, int64_t first, const unsigned char *in,
                               unsigned char *out, uint64_t length) {
    struct lf_slot *block = lf_message_ring_block(r, (uint64_t)first);
    for (uint64_t done = 0;;) {
        uint64_t part = length - done < r->room ? length - done : r->room;
        if (out != NULL)
            lf_copy(out + done, lf_slot_payload(block), part);
        else
            lf_copy(lf_slot_payload(block), in + done, part);
        done += part;
        if (LF_LIKELY(done == length))
            return LF_OK;
        if (LF_UNLIKELY(block->unused == 0 || block->unused > r->store.slots))
            return LF_CORRUPT;
        block = lf_message_ring_block(r, block->unused - 1);
    }
}
LF_INLINE int lf_message_ring_write(struct lf_message_ring *r, int64_t first, const void *message, uint64_t length) {
    return lf__message_copy(r, first, (const unsigned char *)message, NULL, length);
}
/* The same from several places, one after another. */
struct lf_piece {
    const void *bytes;
    uint64_t length;
};
LF_INLINE int lf_message_ring_write_pieces(const struct lf_message_ring *r, int64_t first,
                                           const struct lf_piece *pieces, uint64_t count) {
    struct lf_slot *block = lf_message_ring_block(r, (uint64_t)first);
    uint64_t used = 0;
    for (const struct lf_piece *piece = pieces; piece != pieces + count; piece++)
        for (uint64_t done = 0, part; done < piece->length; done += part, used += part) {
            if (used == r->room) {
                if (LF_UNLIKELY(block->unused == 0 || block->unused > r->store.slots))
                    return LF_CORRUPT;
                block = lf_message_ring_block(r, block->unused - 1);
                used = 0;
            }
            part = piece->length - done < r->room - used ? piece->length - done : r->room - used;
            lf_copy(lf_slot_payload(block) + used, (const unsigned char *)piece->bytes + done, part);
        }
    return LF_OK;
}
LF_INLINE int lf_message_ring_read(const struct lf_message_ring *r, int64_t first, void *out, uint64_t length) {
    return lf__message_copy(r, first, NULL, (unsigned char *)out, length);
}

/* ---- recovery ---- */

/* Whether one of them took it, and not as a lease. */
LF_INLINE int lf__is_for_good(uint64_t word, const struct lf_gone *gone) {
    uint32_t taker = lf__custody_taker(word);
    return (taker & ~LF_PARTICIPANT_MASK) == 0 && lf_is_gone(gone, taker);
}
/* [M3]: frees this block if it belongs to a message that `gone` had for good. */
LF_INLINE void lf__message_recover_member(struct lf_message_ring *r, uint64_t index, const struct lf_gone *gone) {
    uint64_t word = lf_load_relaxed(lf__custody(&r->store, index)), first = word & LF__CUSTODY_POSITION;
    if (!lf__is_held(word) || lf__custody_queue(word) != LF__MEMBER || first >= r->store.slots)
        return;
    uint64_t head = lf_load_relaxed(lf__custody(&r->store, first));
    if (!lf__is_held(head) || !lf__is_for_good(head, gone) || lf__custody_queue(head) == LF__MEMBER)
        return; /* another one's, or leased, or coming */
    uint64_t mine = lf__held(LF__FREE, 0, r->h.participant);
    if (lf_cas_relaxed(lf__custody(&r->store, index), &word, mine))
        lf_queue_publish(&r->queues[LF__FREE], index, r->h.participant);
}

LF_INLINE void lf__message_gave(struct lf_message_ring *r, int queue) {
    lf_eventcount_notify(queue == LF__FREE ? &r->body->not_full : &r->body->not_empty,
                         queue == LF__FREE ? UINT32_MAX : 1);
    if (lf_load_relaxed(&r->h.segment->ending) != LF__OPEN)
        lf_eventcount_notify_all(&r->body->not_empty);
}

/* In pieces: the cells of both queues, then all blocks as further ones, then all as first ones. */
LF_INLINE int lf__message_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    struct lf_message_ring *r = (struct lf_message_ring *)h;
    struct lf_gone who = lf_who_is_gone(h, gone);
    uint64_t cells = r->queues[0].mask + 1, blocks = r->store.slots, steps = 0, began = lf_now();
    for (; *cursor < 2 * cells + 2 * blocks; ++*cursor) {
        uint64_t at = *cursor;
        if (lf_piece_is_over(&steps, began))
            return 0;
        if (at < 2 * cells) {
            lf_queue_complete_custody_of(&r->queues[at / cells], at % cells, &who);
        } else if (at < 2 * cells + blocks) {
            lf__message_recover_member(r, at - 2 * cells, &who);
        } else {
            int to = lf_custody_recover(r->queues, 2, LF__FREE, at - 2 * cells - blocks, &who, h->participant);
            if (to >= 0)
                lf__message_gave(r, to);
        }
    }
    lf__message_gave(r, LF__FREE);
    return 1;
}

#endif
