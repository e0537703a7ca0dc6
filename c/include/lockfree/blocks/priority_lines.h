/* priority_lines.h: building block: the layout of a priority queue, and in which line a record of a level stands.
 *
 * Contract
 *   A priority queue (priority_queue.h, whose part this is) has a line for each level; or, with LF_FRONTS, two, of which
 *   the front one comes first. A line is a level of level_queues.h. So what is put into a front line comes out before all
 *   that stands in the other line of its level, and by level_queues.h this is linearizable as all the rest is.
 *   lf__priority_tail and lf__priority_front: the line for a level. lf__priority_level: the level of a line.
 * Progress: wait-free; nothing here is changed after creation.
 * Death: level_queues.h.
 * Why two lines and not one that takes at both ends: a cell is taken once in a round (index_queue.h), and a ticket names a
 *   position, so no position may be used a second time. The second line costs memory, so it is made on demand. */
#ifndef LOCKFREE_PRIORITY_LINES_H
#define LOCKFREE_PRIORITY_LINES_H

#include "level_queues.h"
#include "spare_slots.h"

#define LF_MAX_LEVELS 128u
#define LF_FRONTS (UINT64_C(1) << 16) /* beside the number of levels: each has a front line; at most 127 levels then */

struct lf_priority_body {
    LF_ALIGNED struct lf_eventcount not_empty; /* line 0: consumers announce, producers look */
    LF_ALIGNED struct lf_eventcount not_full;  /* line 1: producers announce, consumers look */
    LF_ALIGNED uint64_t decision;              /* line 2: W, changed by everybody */
    struct lf_withdrawals withdrawals;         /* line 3 */
    struct lf_spares spares;                   /* lines 4.. */
};
LF_STATIC_ASSERT(offsetof(struct lf_priority_body, spares) == 4 * LF_CACHE_LINE, "layout");

struct lf_priority_queue {
    struct lf_handle h;
    struct lf_priority_body *body;
    struct lf_store store;
    struct lf_queue queues[1 + LF_LEVELS_MAX]; /* LF__FREE, then the lines */
    struct lf_spare_view spares;
    unsigned char *slots;
    uint64_t capacity;
    uint64_t record_size;
    struct lf_levels levels; /* the lines */
    uint32_t n_levels;
    uint32_t fronts; /* 1: each level has a front line; else 0 */
};

/* ---- geometry {capacity, record_size, levels with LF_FRONTS or without, start}, view ---- */

LF_INLINE uint64_t lf__priority_lines(uint64_t levels) {
    return (levels & ~LF_FRONTS) << ((levels & LF_FRONTS) != 0 ? 1 : 0);
}

LF_INLINE int lf_priority_queue_bytes(uint64_t capacity, uint64_t record_size, uint64_t levels, uint64_t *bytes) {
    uint64_t most = (levels & LF_FRONTS) != 0 ? LF_LEVELS_MAX / 2 : LF_MAX_LEVELS, given = levels & ~LF_FRONTS;
    if (capacity < 1 || capacity > LF_LEVELS_MAX_SLOTS || record_size > LF_MAX_RECORD || given < 1 || given > most)
        return LF_INVALID;
    *bytes = LF_BODY_OFFSET + sizeof(struct lf_priority_body) +
             (1 + lf__priority_lines(levels)) * lf_cells_bytes(lf_levels_cells(capacity)) + lf_slot_lead(record_size);
    return lf_add_mul(bytes, capacity, lf_slot_stride(record_size));
}

LF_INLINE int lf__priority_view(struct lf_handle *h) {
    struct lf_priority_queue *q = (struct lf_priority_queue *)h;
    const uint64_t *geometry = h->segment->identity.geometry;
    uint64_t bytes = 0, levels = geometry[2], lines = lf__priority_lines(levels);
    q->capacity = geometry[0];
    q->record_size = geometry[1];
    if (lf_priority_queue_bytes(q->capacity, q->record_size, levels, &bytes) != LF_OK || bytes != h->bytes)
        return lf_mismatch(h, "size in bytes for the geometry", h->bytes, bytes);
    unsigned char *at = h->body + sizeof(struct lf_priority_body);
    uint64_t cells = lf_levels_cells(q->capacity), queue_bytes = lf_cells_bytes(cells);
    q->body = (struct lf_priority_body *)(void *)h->body;
    q->slots = at + (1 + lines) * queue_bytes + lf_slot_lead(q->record_size);
    q->fronts = (levels & LF_FRONTS) != 0;
    q->n_levels = (uint32_t)(levels & ~LF_FRONTS);
    q->store.custody = q->slots;
    q->store.stride = lf_slot_stride(q->record_size);
    q->store.slots = q->capacity;
    for (uint32_t id = 0; id <= lines; id++)
        lf_queue_view_cells(&q->queues[id], &q->store, id, at + id * queue_bytes, cells);
    lf_levels_view(&q->levels, &q->body->decision, &q->body->withdrawals, &q->body->not_full, q->queues,
                   (uint32_t)lines);
    lf_spares_view(&q->spares, &q->body->spares, &q->queues[LF__FREE], &q->body->not_full);
    h->light = 1;
    return LF_OK;
}

LF_INLINE void lf__priority_layout(struct lf_priority_queue *q, uint64_t start) {
    lf_queue_init(&q->queues[LF__FREE], start, q->capacity, 1);
    lf_levels_init(&q->levels, q->queues, start);
}

LF_INLINE struct lf_slot *lf_priority_queue_slot(const struct lf_priority_queue *q, uint64_t index) {
    return (struct lf_slot *)(void *)(q->slots + index * q->store.stride);
}

LF_INLINE uint32_t lf__priority_tail(const struct lf_priority_queue *q, uint32_t level) {
    return level << q->fronts | q->fronts;
}
LF_INLINE uint32_t lf__priority_front(uint32_t level) { return level << 1; }
LF_INLINE uint32_t lf__priority_level(const struct lf_priority_queue *q, uint32_t line) { return line >> q->fronts; }

#endif
