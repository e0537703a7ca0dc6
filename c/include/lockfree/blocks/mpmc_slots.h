/* mpmc_slots.h: building block of the ring of records: its slots, claimed, published, taken and freed in runs of neighbours.
 *
 * Contract, layout and death: see mpmc_ring.h, whose part this is. A call for `most` slots gets as many as stand together, one
 *   at least. lf__mpmc_run puts together what is claimed in pieces, as far as it is neighbours.
 * Progress: lock-free.
 * Invariants and linearization points: index_queue.h. */
#ifndef LOCKFREE_MPMC_SLOTS_H
#define LOCKFREE_MPMC_SLOTS_H

#include "spare_slots.h"

#define LF_MPMC_MAX_CAPACITY (UINT64_C(1) << 31)

enum { LF__RECORDS = 1 }; /* queue id, beside LF__FREE */

struct lf_mpmc_body {
    LF_ALIGNED struct lf_eventcount not_empty; /* line 0: consumers announce, producers look */
    LF_ALIGNED struct lf_eventcount not_full;  /* line 1: producers announce, consumers look */
    struct lf_spares spares;
};

/* Cells per queue. Those beyond the slots make room for runs; large queues have only those that rounding up leaves. */
LF_INLINE uint64_t lf__mpmc_cells(uint64_t capacity) {
    return lf_queue_cells(capacity < (1u << 20) ? capacity + LF_QUEUE_RUN - 1 : capacity);
}

struct lf_mpmc_ring {
    struct lf_handle h;
    struct lf_mpmc_body *body;
    struct lf_store store;
    struct lf_queue queues[2];
    struct lf_spare_view spares;
    unsigned char *slots;
    uint64_t capacity;
    uint64_t record_size;
};

LF_INLINE struct lf_slot *lf_mpmc_ring_slot(const struct lf_mpmc_ring *r, uint64_t index) {
    return (struct lf_slot *)(void *)(r->slots + index * r->store.stride);
}

/* ---- free slots ---- */

/* A release in two steps, for batches. The first frees slots, which are neighbours; the second wakes sleepers, once. */
LF_INLINE int lf__mpmc_free(struct lf_mpmc_ring *r, int64_t index, uint64_t count) {
    int status = lf_queue_publish_run(&r->queues[LF__FREE], (uint64_t)index, count, r->h.participant);
    lf_spares_relax(&r->spares, &r->h);
    return status;
}
LF_INLINE void lf__mpmc_freed(struct lf_mpmc_ring *r, uint32_t count) {
    lf_eventcount_notify_after_rmw(&r->body->not_full, count);
    if (LF_UNLIKELY(lf_load_relaxed(&r->h.segment->ending) != LF__OPEN))
        lf_eventcount_notify_all(&r->body->not_empty); /* a getter that drains the ring may wait for these slots */
}
/* Free slots to write into, neighbours, `most` or fewer: the first one's number >= 0, LF_FULL, LF_CLOSED or LF_CORRUPT. */
LF_INLINE int64_t lf__mpmc_claim(struct lf_mpmc_ring *r, uint64_t most, uint64_t *count) {
    int status = lf_enter_to_put(&r->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    int64_t index = most == 1 ? lf_spare_take(&r->spares, &r->h) : (int64_t)LF_EMPTY;
    uint64_t scarce = 0;
    *count = 1;
    if (index == LF_EMPTY) {
        scarce = lf_spares_look(&r->spares);
        index = lf_queue_take_run(&r->queues[LF__FREE], r->h.participant, most, count);
    }
    if (LF_UNLIKELY(index == LF_EMPTY) && lf_reap_if_due(&r->h) > 0)
        index = lf_queue_take_run(&r->queues[LF__FREE], r->h.participant, most, count);
    if (LF_UNLIKELY(index == LF_EMPTY)) {
        index = lf_spares_refuse(&r->spares, &r->h, scarce);
        *count = 1;
    }
    if (LF_UNLIKELY(index == LF_EMPTY)) /* once the ring ends, one that drains it may have a spare in hand */
        return lf_load_relaxed(&r->h.segment->ending) == LF__OPEN ? LF_FULL : LF_CLOSED;
    /* [D2]: either the getter that drains the ring sees that these slots are out, or we see that the ring ends */
    if (LF_UNLIKELY(lf_load_seq_cst(&r->h.segment->ending) != LF__OPEN) && index >= 0) {
        lf__mpmc_free(r, index, *count);
        lf__mpmc_freed(r, (uint32_t)*count);
        return LF_CLOSED;
    }
    return index;
}

/* ---- records ---- */

LF_INLINE int lf__mpmc_publish(struct lf_mpmc_ring *r, int64_t index, uint64_t count) {
    const struct lf_queue *q = &r->queues[LF__RECORDS];
    return count == 1 ? lf_queue_publish(q, (uint64_t)index, r->h.participant)
                      : lf_queue_publish_run(q, (uint64_t)index, count, r->h.participant);
}

/* Nothing was inside. While the ring is drained, a slot that is out may still bring a record (a put under way, a
 * reservation, a lease). The ring has ended only if no slot is out. */
LF_INLINE int64_t lf__mpmc_empty(struct lf_mpmc_ring *r, uint32_t taker, uint64_t most, uint64_t *count) {
    if (LF_LIKELY(lf_load_seq_cst(&r->h.segment->ending) == LF__OPEN)) /* [D3] pairs with [D1], and [D2] through it */
        return LF_EMPTY;
    if (LF_UNLIKELY(lf_spares_drain(&r->spares, &r->h) != LF_OK))
        return LF_CORRUPT;
    if (!lf_queue_is_whole(&r->queues[LF__FREE]))
        return LF_EMPTY;
    /* put between the two looks, if there is one */
    int64_t index = lf_queue_take_run(&r->queues[LF__RECORDS], taker, most, count);
    return index == LF_EMPTY ? (int64_t)LF_CLOSED : index;
}

/* Takes the oldest records out of the ring, in neighbouring slots, `most` or fewer: as lf_mpmc_ring_peek. */
LF_INLINE int64_t lf__mpmc_take(struct lf_mpmc_ring *r, uint32_t lease, uint64_t most, uint64_t *count) {
    int status = lf_enter_to_get(&r->h);
    if (LF_UNLIKELY(status != LF_OK))
        return status;
    uint32_t taker = r->h.participant | lease;
    int64_t index = lf_queue_take_run(&r->queues[LF__RECORDS], taker, most, count);
    if (LF_UNLIKELY(index == LF_EMPTY) && lf_reap_if_due(&r->h) > 0)
        index = lf_queue_take_run(&r->queues[LF__RECORDS], taker, most, count);
    if (LF_UNLIKELY(index == LF_EMPTY))
        index = lf__mpmc_empty(r, taker, most, count);
    return index;
}

/* ---- runs ---- */

/* Slots in hand that are neighbours. They are published together, in one step. */
struct lf__mpmc_run {
    uint64_t first, count;
};
LF_INLINE int lf__mpmc_run_takes(const struct lf_mpmc_ring *r, const struct lf__mpmc_run *run, uint64_t first,
                                 uint64_t count) {
    return run->count == 0 || (first == run->first + run->count && run->count + count <= r->queues[0].run);
}
LF_INLINE void lf__mpmc_run_grows(struct lf__mpmc_run *run, uint64_t first, uint64_t count) {
    if (run->count == 0)
        run->first = first;
    run->count += count;
}

#endif
