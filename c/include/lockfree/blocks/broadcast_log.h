/* broadcast_log.h: building block: the bytes of a broadcast ring, the place of its writer and the places of its readers.
 *
 * Contract
 *   A log of messages of variable length. One writer appends. Each reader walks over it at its own place. What the
 *   writer may overwrite depends on the ring: never what a reader has not read, or whatever is oldest (lossy).
 * Progress: the writer's and the readers' steps are wait-free, except that a reader walks on as long as messages for
 *   others come in, or as long as a lossy ring overtakes it.
 * Death: a message is inside as soon as the tail is behind it, and not before. What a killed writer has written behind
 *   the tail is overwritten by the next one. A reader's place goes with its participant.
 * Layout: {not_empty} | {not_full, joined} | writer | readers | bytes
 *   message {head: length : 32 | number : 32; to : 64; payload}, a multiple of 16 bytes. It does not go round the end
 *           of the bytes. The head LF__LOG_PAD says that the rest up to the end is unused.
 *   position bytes since the ring was made, a multiple of 16. A reader's has bit 0 set while it holds the writer back,
 *            and bit 1 from when it has joined.
 * Invariants
 *   [I1] Behind the tail stands a head with the number of the next message. So a joiner, and the next writer, find out
 *        how many messages there were.
 *   [I2] tail - position <= size for each reader that has joined; the writer's limit is not above position + size.
 *        A reader joins at a tail that it reads after its place was visible, so each limit from before is low enough.
 *   [I3] Lossy: bytes from `oldest` to the tail are whole messages. The writer moves `oldest` first, and overwrites then.
 *        A reader copies first, and looks at `oldest` then.
 * Wrap: positions wrap at 2^64. Message numbers wrap at 2^32: a reader that misses 2^32 messages in one go does not
 *   count them.
 * Source: [I3] is a seqlock with one sequence for all messages; see Boehm, MSPC 2012. */
#ifndef LOCKFREE_BROADCAST_LOG_H
#define LOCKFREE_BROADCAST_LOG_H

#include "blocking.h"
#include "role.h"

#define LF_BROADCAST_READERS 64u /* a bit each in a message's `to` */
#define LF_BROADCAST_TO_ALL UINT64_MAX
#define LF__LOG_PAD UINT32_MAX
#define LF__LOG_UNIT UINT64_C(16)
#define LF__LOG_HOLDS UINT64_C(1)  /* beside a reader's position: it holds the writer back */
#define LF__LOG_JOINED UINT64_C(3) /* and the position is the one from which it reads */

/* What happens to a reader that does not keep up. The first two are for the caller of put to tell apart. */
enum lf_broadcast_slow { LF_SLOW_WAIT = 0, LF_SLOW_RAISE = 1, LF_SLOW_DROP = 2, LF_SLOW_OVERWRITE = 3 };

struct lf_message {
    uint64_t head; /* {length : 32 | number : 32} */
    uint64_t to;   /* bit k: for reader k */
};
LF_STATIC_ASSERT(sizeof(struct lf_message) == 16, "layout");

struct lf_log_writer {
    LF_ALIGNED uint64_t holder; /* role.h */
    uint64_t tail;              /* all before it can be read */
    uint64_t at;                /* where in the bytes the tail is; kept so that nothing is divided */
    uint64_t limit;             /* not lossy: may write up to here without another look at the readers */
    uint64_t wanted;            /* not lossy: waits until all readers are here */
    uint64_t oldest;            /* lossy */
};
struct lf_log_reader {
    LF_ALIGNED uint64_t holder; /* role.h */
    uint64_t position;          /* | LF__LOG_JOINED; the writer looks at it */
    uint64_t at;
    uint64_t seen;   /* a tail that it has seen */
    uint64_t missed; /* messages, of any receiver; lossy */
    uint32_t number; /* of the next message */
    uint32_t dropped;
};

struct lf_broadcast_body {
    LF_ALIGNED struct lf_eventcount not_empty; /* line 0: readers announce, the writer looks */
    LF_ALIGNED struct lf_eventcount not_full;  /* line 1: the writer announces, readers look */
    struct lf_eventcount joined;               /* a waiter for readers announces, joiners look */
    struct lf_log_writer writer;               /* line 2: its holder; everybody reads the tail */
    struct lf_log_reader readers[1];           /* a line each, written by its holder; as many as the geometry says */
};
LF_STATIC_ASSERT(sizeof(struct lf_broadcast_body) == 4 * LF_CACHE_LINE, "layout");

struct lf_broadcast_ring {
    struct lf_handle h;
    struct lf_broadcast_body *body;
    unsigned char *bytes;
    uint64_t size;
    uint64_t max_message;
    uint64_t start;
    uint32_t n_readers;
    uint32_t slow;                      /* enum lf_broadcast_slow */
    uint32_t late;                      /* after LF_FULL: the reader that was furthest behind */
    uint32_t any_thread;                /* roles of this handle belong to all its threads: one uses each at a time */
    uint32_t holder_pid, holder_thread; /* after LF_ROLE_TAKEN: its holder; 0: nobody any more */
    uint64_t behind;                    /* after LF_FULL: by how many bytes */
};

#define LF__ANY_THREAD 1u
LF_INLINE uint64_t lf__broadcast_me(const struct lf_broadcast_ring *r) {
    return LF_UNLIKELY(r->any_thread) ? (uint64_t)r->h.participant << 32 | LF__ANY_THREAD : lf_role_me(&r->h);
}
LF_INLINE int lf__broadcast_is_mine(const struct lf_broadcast_ring *r, const uint64_t *role) {
    return lf_load_relaxed(role) == lf__broadcast_me(r);
}

LF_INLINE int lf__log_is_lossy(const struct lf_broadcast_ring *r) { return r->slow >= LF_SLOW_DROP; }
LF_INLINE uint64_t lf__log_span(uint64_t length) {
    return lf_round_up(sizeof(struct lf_message) + length, LF__LOG_UNIT);
}
LF_INLINE struct lf_message *lf__log_message(const struct lf_broadcast_ring *r, uint64_t at) {
    return (struct lf_message *)(void *)(r->bytes + at);
}
LF_INLINE unsigned char *lf__log_payload(const struct lf_broadcast_ring *r, uint64_t at) {
    return r->bytes + at + sizeof(struct lf_message);
}
LF_INLINE uint64_t lf__log_head(uint64_t length, uint32_t number) { return (uint64_t)number << 32 | length; }
LF_INLINE uint32_t lf__log_length(uint64_t head) { return (uint32_t)head; }
LF_INLINE uint32_t lf__log_number(uint64_t head) { return (uint32_t)(head >> 32); }
LF_INLINE uint64_t lf__log_at(const struct lf_broadcast_ring *r, uint64_t position) {
    return (position - r->start) % r->size;
}
LF_INLINE int lf__log_is_place(const struct lf_broadcast_ring *r, uint64_t at) {
    return at < r->size && at % LF__LOG_UNIT == 0;
}

/* Bytes that the entry with this head takes at `at`; 0: there is no such entry. */
LF_INLINE uint64_t lf__log_entry(const struct lf_broadcast_ring *r, uint64_t at, uint64_t head) {
    uint64_t length = lf__log_length(head), left = r->size - at;
    if (length == LF__LOG_PAD)
        return left;
    return length <= r->max_message && lf__log_span(length) <= left ? lf__log_span(length) : 0;
}
LF_INLINE uint64_t lf__log_after(const struct lf_broadcast_ring *r, uint64_t at, uint64_t span) {
    return at + span == r->size ? 0 : at + span;
}

/* In lossy rings readers may read what the writer overwrites, and find out afterwards: words, no plain bytes. */
LF_INLINE void lf__log_copy_in(unsigned char *to, const unsigned char *from, uint64_t length) {
    for (uint64_t i = 0; i < length; i += 8) {
        uint64_t word = 0;
        memcpy(&word, from + i, length - i < 8 ? length - i : 8);
        lf_store_relaxed((uint64_t *)(void *)(to + i), word); /* [W1] behind [W2] */
    }
}
LF_INLINE void lf__log_copy_out(unsigned char *to, const unsigned char *from, uint64_t length) {
    for (uint64_t i = 0; i < length; i += 8) {
        uint64_t word = lf_load_relaxed((const uint64_t *)(const void *)(from + i)); /* [W3] before [W4] */
        memcpy(to + i, &word, length - i < 8 ? length - i : 8);
    }
}

/* ---- the writer ---- */

LF_INLINE int lf__broadcast_refuse(struct lf_broadcast_ring *r, const uint64_t *role) {
    uint64_t holder = lf_load_relaxed(role), participant = holder >> 32;
    int known = participant > 0 && participant < LF_PARTICIPANTS;
    r->holder_pid = known ? lf_load_relaxed(&r->h.segment->participants[participant].pid) : 0;
    r->holder_thread = (uint32_t)holder;
    return LF_ROLE_TAKEN;
}

static __attribute__((noinline, unused)) int lf__broadcast_claim(struct lf_broadcast_ring *r) {
    struct lf_log_writer *w = &r->body->writer;
    int status = lf_role_take_as(&r->h, &w->holder, lf__broadcast_me(r));
    if (status != LF_OK)
        return status == LF_ROLE_TAKEN ? lf__broadcast_refuse(r, &w->holder) : status;
    lf_fence_release(); /* [W2] of the last writer: it is this one's from here on */
    lf_store_relaxed(&w->at, lf__log_at(r, lf_load_relaxed(&w->tail)));
    return LF_OK;
}
/* The readers that have joined, a bit each. */
LF_INLINE uint64_t lf__log_joined(const struct lf_broadcast_ring *r) {
    uint64_t joined = 0;
    for (uint32_t k = 0; k < r->n_readers; k++) /* acquire: what a reader wrote before it joined can be read */
        joined |= (lf_load_acquire(&r->body->readers[k].position) >> 1 & 1) << k;
    return joined;
}
/* LF_PEER_DIED: there were readers, none is left, and the writer is to be told of that (lf_tell_deaths of peers.h). */
static __attribute__((noinline, unused)) int lf__broadcast_reaches(struct lf_broadcast_ring *r) {
#ifndef LF_MODEL /* where nobody asks to be told */
    lf_reap_if_due(&r->h);
    if (lf__log_joined(r) == 0 && lf_peers_are_gone(&r->h, LF_FULL))
        return r->h.error = LF_CONSUMES | LF_FOR_NOBODY, LF_PEER_DIED;
#endif
    return (void)r, LF_OK;
}
LF_INLINE int lf__broadcast_enter(struct lf_broadcast_ring *r) {
    int status = lf_enter_to_put(&r->h);
    if (LF_UNLIKELY(status == LF_OK && lf_load_relaxed(&r->h.told)))
        status = lf__broadcast_reaches(r);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    return LF_LIKELY(lf__broadcast_is_mine(r, &r->body->writer.holder)) ? LF_OK : lf__broadcast_claim(r);
}
/* Room for `need` bytes behind `tail`, up to which the writer has written? LF_OK, LF_FULL or LF_CORRUPT. Looks at the readers. */
static __attribute__((noinline, unused)) int lf__log_find_room(struct lf_broadcast_ring *r, uint64_t tail,
                                                               uint64_t need) {
    struct lf_log_writer *w = &r->body->writer;
    uint64_t most = 0;
    uint32_t late = 0;
    lf_fence_light_in(r->h.segment); /* [J1] pairs with [J2]: the joiner's place is seen here, or it sees this tail */
    for (int look = 0; look < 2; look++) {
        most = 0;
        for (uint32_t k = 0; k < r->n_readers; k++) {
            /* [B1] pairs with [B2]: what is before the position has been read */
            uint64_t position = lf_load_acquire(&r->body->readers[k].position);
            uint64_t used = tail - (position & ~LF__LOG_JOINED);
            if (!(position & LF__LOG_HOLDS) || used <= most)
                continue;
            if (used > (uint64_t)INT64_MAX)
                return LF_CORRUPT;
            most = used;
            late = k;
        }
        uint64_t room = most < r->size ? r->size - most : 0; /* more: a joiner that is not done yet */
        lf_store_relaxed(&w->limit, tail + room);
        if (need <= room)
            return LF_OK;
        /* A quarter of the ring more than this message needs, so that a full ring does not mean a wake for each. */
        uint64_t wait = r->size - need;
        lf_store_relaxed(&w->wanted, tail - (wait > r->size / 4 ? wait - r->size / 4 : 0));
        if (look == 0)
            lf_fence_seq_cst(); /* [S3] of any other refusal; [W5] release for `wanted` */
    }
    r->late = late;
    r->behind = most;
    return LF_FULL;
}

/* Lossy: gives up the oldest messages until `need` bytes behind `tail` are free. LF_OK or LF_CORRUPT. */
static __attribute__((noinline, unused)) int lf__log_give_up(struct lf_broadcast_ring *r, uint64_t tail,
                                                             uint64_t need) {
    struct lf_log_writer *w = &r->body->writer;
    uint64_t oldest = lf_load_relaxed(&w->oldest), at = lf__log_at(r, oldest);
    if (tail - oldest > r->size || !lf__log_is_place(r, at))
        return LF_CORRUPT;
    while (tail + need - oldest > r->size && tail != oldest) {
        uint64_t span = lf__log_entry(r, at, lf_load_relaxed(&lf__log_message(r, at)->head));
        if (span == 0 || span > tail - oldest)
            return LF_CORRUPT;
        oldest += span;
        at = lf__log_after(r, at, span);
    }
    lf_store_release(&w->oldest, oldest); /* [W7] pairs with [W8]: the tail is not before it */
    lf_fence_release(); /* [W2] pairs with [W4]: a reader of what is written from here on sees `oldest` moved */
    return LF_OK;
}

LF_INLINE int lf__log_make_room(struct lf_broadcast_ring *r, uint64_t tail, uint64_t need) {
    struct lf_log_writer *w = &r->body->writer;
    if (lf__log_is_lossy(r))
        return tail + need - lf_load_relaxed(&w->oldest) <= r->size ? LF_OK : lf__log_give_up(r, tail, need);
    return LF_LIKELY((int64_t)(lf_load_relaxed(&w->limit) - tail - need) >= 0) ? LF_OK
                                                                               : lf__log_find_room(r, tail, need);
}

/* The place for a message of `length` bytes, behind what was not published yet: *at becomes its place, *tail its
 * position, after a pad if one is needed. LF_OK, LF_FULL or LF_CORRUPT. */
LF_INLINE int lf__log_place(struct lf_broadcast_ring *r, uint64_t *tail, uint64_t *at, uint64_t length) {
    if (LF_UNLIKELY(!lf__log_is_place(r, *at)))
        return LF_CORRUPT;
    uint64_t span = lf__log_span(length), left = r->size - *at, pad = span <= left ? 0 : left;
    int status = lf__log_make_room(r, *tail, pad + span + sizeof(struct lf_message)); /* [I1] */
    if (LF_UNLIKELY(status != LF_OK || pad == 0))
        return status;
    uint64_t *head = &lf__log_message(r, *at)->head, here = lf_load_relaxed(head);
    lf_store_relaxed(head, lf__log_head(LF__LOG_PAD, lf__log_number(here)));
    lf_store_relaxed(&lf__log_message(r, 0)->head, lf__log_head(0, lf__log_number(here)));
    *tail += pad;
    *at = 0;
    return LF_OK;
}

/* The payload is in its place: writes the head, and the one behind it. *tail and *at go on. */
LF_INLINE void lf__log_close(struct lf_broadcast_ring *r, uint64_t *tail, uint64_t *at, uint64_t length, uint64_t to) {
    struct lf_message *m = lf__log_message(r, *at);
    uint64_t span = lf__log_span(length);
    uint32_t number = lf__log_number(lf_load_relaxed(&m->head));
    lf_store_relaxed(&m->to, to);
    lf_store_relaxed(&m->head, lf__log_head(length, number));
    *tail += span;
    *at = lf__log_after(r, *at, span);
    lf_store_relaxed(&lf__log_message(r, *at)->head, lf__log_head(0, number + 1));
}

/* Everything before `tail` can be read from now on. */
LF_INLINE void lf__log_publish(struct lf_broadcast_ring *r, uint64_t tail, uint64_t at) {
    lf_store_relaxed(&r->body->writer.at, at);
    lf_store_release(&r->body->writer.tail, tail); /* [B4] pairs with [B3] */
}

#endif
