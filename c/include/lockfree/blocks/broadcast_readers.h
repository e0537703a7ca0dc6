/* broadcast_readers.h: building block: the readers of a broadcast ring: joining, walking over the messages, waking the writer.
 *
 * See broadcast_log.h, whose contract and layout this file belongs to. */
#ifndef LOCKFREE_BROADCAST_READERS_H
#define LOCKFREE_BROADCAST_READERS_H

#include "broadcast_log.h"

/* ---- places ---- */

LF_INLINE int lf__broadcast_enter_place(struct lf_broadcast_ring *r, uint32_t k) {
    int status = lf_enter_to_get(&r->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    if (LF_UNLIKELY(k >= r->n_readers || !lf__broadcast_is_mine(r, &r->body->readers[k].holder)))
        return LF_NOT_OWNER;
    return LF_UNLIKELY(lf_load_relaxed(&r->body->readers[k].dropped)) ? LF_DROPPED : LF_OK;
}

/* Makes the calling thread the holder of place k: k, or LF_ROLE_TAKEN. */
LF_INLINE int64_t lf__log_take_place(struct lf_broadcast_ring *r, uint32_t k) {
    uint64_t *holder = &r->body->readers[k].holder;
    if (lf__broadcast_is_mine(r, holder) || lf_role_take_as(&r->h, holder, lf__broadcast_me(r)) == LF_OK)
        return k;
    return lf__broadcast_refuse(r, holder);
}
/* The same for a place that it does not hold yet: at first those that are free for certain. */
LF_INLINE int64_t lf__log_take_any_place(struct lf_broadcast_ring *r) {
    for (int look = 0; look < 2; look++)
        for (uint32_t k = 0; k < r->n_readers; k++) {
            const uint64_t *holder = &r->body->readers[k].holder;
            if (lf__broadcast_is_mine(r, holder) || (look == 0 && lf_load_relaxed(holder) != 0))
                continue;
            if (lf__log_take_place(r, k) >= 0)
                return k;
        }
    return LF_ROLE_TAKEN;
}

#define LF__LOG_LOOKS 1000 /* for a whole ring to be overwritten between two loads, again and again */

/* Makes the place of reader k a joined one, at the tail. The caller holds its role. LF_OK or LF_CORRUPT. */
LF_INLINE int lf__log_join(struct lf_broadcast_ring *r, uint32_t k) {
    struct lf_log_reader *me = &r->body->readers[k];
    const struct lf_log_writer *w = &r->body->writer;
    uint64_t tail = lf_load_relaxed(&w->tail), head;
    /* Nobody may count on this reader yet: the tail may move on. */
    lf_store_relaxed(&me->position, tail | LF__LOG_HOLDS);
    lf_fence_heavy_in(r->h.segment); /* [J2] pairs with [J1] */
    int looks = 0;
    do {
        if (looks++ == LF__LOG_LOOKS)
            return LF_CORRUPT;
        tail = lf_load_acquire(&w->tail); /* [B3] */
        if (!lf__log_is_place(r, lf__log_at(r, tail)))
            return LF_CORRUPT;
        head = lf_load_relaxed(&lf__log_message(r, lf__log_at(r, tail))->head);
        lf_fence_acquire(); /* [W4] */
    } while ((int64_t)(lf_load_relaxed(&w->oldest) - tail) > 0);
    lf_store_relaxed(&me->at, lf__log_at(r, tail));
    lf_store_relaxed(&me->seen, tail);
    lf_store_relaxed(&me->number, lf__log_number(head));
    lf_store_relaxed(&me->missed, (uint64_t)0);
    lf_store_relaxed(&me->dropped, 0u);
    lf_store_release(&me->position, tail | LF__LOG_JOINED); /* [B2] */
    return LF_OK;
}

/* The place holds nobody back any more. */
LF_INLINE void lf__log_leave(struct lf_log_reader *reader) {
    lf_store_release(&reader->position, lf_load_relaxed(&reader->position) & ~LF__LOG_JOINED); /* [B2] */
}

LF_INLINE void lf__broadcast_give_place_back(struct lf_broadcast_ring *r, uint32_t k) {
    lf__log_leave(&r->body->readers[k]);
    lf_role_give_back(&r->body->readers[k].holder);
}

LF_INLINE uint64_t lf__log_position(const struct lf_log_reader *me) {
    return lf_load_relaxed(&me->position) & ~LF__LOG_JOINED;
}
/* [B2] release; pairs with [B1]: what is before the position has been read */
LF_INLINE void lf__log_move_to(struct lf_log_reader *me, uint64_t position, uint64_t at) {
    lf_store_relaxed(&me->at, at);
    lf_store_release(&me->position, position | LF__LOG_JOINED);
}

/* Lossy: whether the writer has given up the message at this position, or what comes after it. What was loaded before
 * is whole if not. */
LF_INLINE int lf__log_is_overtaken(const struct lf_broadcast_ring *r, uint64_t position) {
    lf_fence_acquire(); /* [W4] pairs with [W2] */
    return (int64_t)(lf_load_relaxed(&r->body->writer.oldest) - position) > 0;
}

/* Lossy: goes to the oldest message that is there, or ends the reader's place. LF_BUSY or LF_DROPPED. */
LF_INLINE int lf__log_catch_up(struct lf_broadcast_ring *r, struct lf_log_reader *me) {
    if (r->slow == LF_SLOW_DROP) {
        lf_store_relaxed(&me->dropped, 1u);
        return LF_DROPPED;
    }
    uint64_t oldest = lf_load_acquire(&r->body->writer.oldest); /* [W8] pairs with [W7] */
    lf__log_move_to(me, oldest, lf__log_at(r, oldest));
    return LF_BUSY;
}

/* Counts a message that was passed, and those before it that were missed. */
LF_INLINE void lf__log_count(struct lf_log_reader *me, uint32_t number) {
    uint32_t gap = number - lf_load_relaxed(&me->number);
    if (LF_UNLIKELY(gap != 0))
        lf_store_relaxed(&me->missed, lf_load_relaxed(&me->missed) + gap);
    lf_store_relaxed(&me->number, number + 1);
}

/* ---- walking ---- */

/* Nothing is behind the reader's position: LF_EMPTY or LF_CLOSED if that is still so, else LF_OK. *tail: what was seen. */
static __attribute__((noinline, unused)) int lf__log_look_again(struct lf_broadcast_ring *r, uint64_t position,
                                                                uint64_t *tail) {
    lf_fence_seq_cst(); /* [S3] */
    int refusal = LF_EMPTY;
    if (lf_load_relaxed(&r->h.segment->ending) != LF__OPEN) {
        lf_fence_heavy_in(r->h.segment); /* [D2] pairs with [D1]: this sees the message, or its writer sees the end */
        refusal = LF_CLOSED;
    }
    *tail = lf_load_acquire(&r->body->writer.tail); /* [B3] */
    return *tail == position ? refusal : LF_OK;
}

/* After a reader's position moved: wakes the writer if it waits for that. */
LF_INLINE void lf__log_moved(struct lf_broadcast_ring *r, uint64_t from, uint64_t to) {
    lf_fence_light_in(r->h.segment); /* [E2] pairs with [E1] in lf_block_on */
    if (LF_LIKELY(lf_load_relaxed(&r->body->not_full.word) >> 32 == 0))
        return;
    lf_fence_acquire(); /* [W6] pairs with [W5]: `wanted` is that of the announcement, or newer */
    uint64_t wanted = lf_load_relaxed(&r->body->writer.wanted);
    if ((int64_t)(to - wanted) >= 0 && (int64_t)(from - wanted) < 0)
        lf_eventcount_wake_sole(&r->body->not_full);
}

/* One step of reader k: LF_OK: its place is at a message for it. LF_BUSY: it passed something else; once more. Else
 * LF_EMPTY, LF_CLOSED, LF_DROPPED, LF_CORRUPT. */
LF_INLINE int lf__log_step(struct lf_broadcast_ring *r, uint32_t k, uint64_t *length) {
    struct lf_log_reader *me = &r->body->readers[k];
    uint64_t position = lf__log_position(me), at = lf_load_relaxed(&me->at), seen = lf_load_relaxed(&me->seen);
    if (position == seen || lf__log_is_lossy(r)) {
        seen = lf_load_acquire(&r->body->writer.tail); /* [B3] pairs with [B4]: all before it is readable */
        int status = seen == position ? lf__log_look_again(r, position, &seen) : LF_OK;
        if (status != LF_OK)
            return status;
        lf_store_relaxed(&me->seen, seen);
    }
    if (LF_UNLIKELY(!lf__log_is_place(r, at)))
        return LF_CORRUPT;
    uint64_t head = lf_load_relaxed(&lf__log_message(r, at)->head);
    uint64_t to = lf_load_relaxed(&lf__log_message(r, at)->to), span = lf__log_entry(r, at, head);
    if (lf__log_is_lossy(r) && lf__log_is_overtaken(r, position))
        return lf__log_catch_up(r, me);
    if (LF_UNLIKELY(span == 0 || span > seen - position || seen - position > r->size))
        return LF_CORRUPT;
    if (LF_LIKELY(lf__log_length(head) != LF__LOG_PAD)) {
        if (LF_LIKELY(to >> k & 1)) {
            *length = lf__log_length(head);
            return LF_OK;
        }
        lf__log_count(me, lf__log_number(head));
    }
    lf__log_move_to(me, position + span, lf__log_after(r, at, span));
    return LF_BUSY;
}

/* Walks to the next message for reader k. */
LF_INLINE int lf__log_walk(struct lf_broadcast_ring *r, uint32_t k, uint64_t *length) {
    struct lf_log_reader *me = &r->body->readers[k];
    uint64_t from = lf__log_position(me);
    int status;
    do
        status = lf__log_step(r, k, length);
    while (status == LF_BUSY);
    if (LF_UNLIKELY(lf__log_position(me) != from) && !lf__log_is_lossy(r))
        lf__log_moved(r, from, lf__log_position(me));
    return status;
}

/* Goes past the message of `length` bytes at the reader's place, and copies it first if `out` is not NULL. LF_OK, or
 * LF_BUSY: lossy, and it was overtaken. */
LF_INLINE int lf__log_pass(struct lf_broadcast_ring *r, uint32_t k, void *out, uint64_t length) {
    struct lf_log_reader *me = &r->body->readers[k];
    uint64_t position = lf__log_position(me), at = lf_load_relaxed(&me->at), span = lf__log_span(length);
    uint64_t head = lf_load_relaxed(&lf__log_message(r, at)->head);
    if (lf__log_is_lossy(r)) {
        if (out != NULL && lf__log_length(head) == length)
            lf__log_copy_out((unsigned char *)out, lf__log_payload(r, at), length);
        if (lf__log_is_overtaken(r, position))
            return LF_BUSY;
    } else if (out != NULL) {
        lf_copy(out, lf__log_payload(r, at), length);
    }
    lf__log_count(me, lf__log_number(head));
    lf__log_move_to(me, position + span, lf__log_after(r, at, span));
    if (!lf__log_is_lossy(r))
        lf__log_moved(r, position, position + span);
    return LF_OK;
}

#endif
