/* level_queues.h: building block: several index queues, and one word that decides which gives the next index.
 *
 * Contract
 *   Queues of indices (index_queue.h), one for each level of urgency. A push is lf_queue_publish into the level's
 *   queue, then lf_levels_announce. lf_levels_take pops the oldest index of the most urgent level (0 first) that has
 *   one, or answers EMPTY. lf_levels_withdraw takes an index out, wherever it stands, if no pop has it. All of it is
 *   linearizable.
 * Progress: lock-free.
 * Death: index_queue.h. lf_levels_announce_all finds what somebody published without announcing it.
 *
 * Layout
 *   W     {version : 32 | groups : 16 | level of the last pop within its group : 3 | its taker : 13}. The levels form
 *         at most 16 groups of ceil(levels/16). The bit of a group says where to look. Taker 0: the last change was not
 *         a pop. Else the pop took from the lowest group in W: pops take only from there, and do not change the bits.
 *         More than 128 levels form 14 groups, and the two upper bits of `groups` belong to the level within its group.
 *   head  of a level: {position mod 2^32 : 32 | low half of the version of the pop that last advanced it : 32}.
 * Invariants
 *   [I1] W changes only after the pop that it names was applied: the cell at the level's head taken, then the head
 *        advanced. So while W stays the same, and the pop that it names is applied, no head moves.
 *   [I2] group bit clear => every completed push of its levels has been popped.
 *   [I3] a level's cells from its head to its tail are inside, without a gap (index_queue.h).
 * How it works
 *   push: publish the index in the level's queue, then change W: group bit set, version + 1, no pop.
 *   pop: read W, find the first level of its lowest group whose front cell is inside, change W: version + 1, pop of
 *        that level by me. If no level has one: change W, the bit cleared, and begin again. No bit set: EMPTY.
 *   Every push and pop changes W, so the change succeeds only if none completed since W was read. Then the lower
 *   groups, by [I2], and the levels passed over, by [I3], hold no completed push, and the front is still the front.
 *   withdrawal: mark the cell, LF__WITHDRAWN. A pop that W names may find its cell marked. Then it takes no record, and
 *   its thread pops again. The mark stays in the way until a pop comes by, and the slot with it. So that a queue in
 *   use is not full of them, the mark of a cell also cuts its slot out (LF__WITHDRAWN | LF_LEASE | participant) and
 *   frees it, as long as fewer than `cuts` cells are cut and not passed. So no push meets a cell that is not passed.
 * Linearization points: pop: its change of W, unless a withdrawal comes before the cell is taken; withdrawal: its change
 *   of the cell, and no operation has seen the pop that it forestalls: all change W, and apply the pop first; EMPTY: its load of W. push: its own change of W or, if that comes first,
 *   the change of W of a later push of the same level, or of the pop that takes it.
 * Why lock-free: a change of W fails only because another one succeeded. That one decided a push or a pop, or cleared a
 *   bit that a push or recovery had set. Helping is a constant number of steps. The queues are lock-free themselves.
 * Why a slow helper does no harm: it reads W = w, then the head, then W again. If W is still w, that head is where w's
 *   pop belongs. Its compare-and-swap of the cell succeeds only in that round, and that of the head only if position
 *   and version are those that it read.
 * Wrap: versions count modulo 2^32. A mistake needs a thread that stops between reading W and its compare-and-swap for
 *   exactly a multiple of 2^32 changes (7 minutes at 10 million a second). For a head it needs a multiple of 2^32 both
 *   of the level's pops and of the changes of W. A head that does not move for 2^32 changes may have the version of the
 *   next pop by chance. The pop then skips one version, or helpers would believe that it is applied. Cells and custody
 *   words: index_queue.h.
 * Sources: one word that every operation changes, and helping: Herlihy's universal construction (1991), here for the
 *   decision alone. Scans of counted bins (Shavit and Zemach 1999; Herlihy and Shavit ch. 15) are only quiescently
 *   consistent: the scan passes level 1, a push to 1 completes, then one to 2, the scan takes the latter. */
#ifndef LOCKFREE_LEVEL_QUEUES_H
#define LOCKFREE_LEVEL_QUEUES_H

#include "index_recovery.h"

#define LF_LEVELS_MAX 254u                      /* a custody word has eight bits for the queue; one is the free queue */
#define LF_LEVELS_MAX_SLOTS (UINT64_C(1) << 30) /* so that two rounds of a queue differ in 32 bits of position */

#define LF__W_TAKER LF__TAKER
#define LF__W_LEVEL_SHIFT (LF_PARTICIPANT_BITS + 1)
#define LF__W_GROUPS_SHIFT (LF__W_LEVEL_SHIFT + 3)
#define LF__W_VERSION_SHIFT (LF__W_GROUPS_SHIFT + 16)
LF_STATIC_ASSERT(LF__W_VERSION_SHIFT == 32, "32 bits of W are left for its version");
#define LF__GROUPS 16u
#define LF__GROUPS_OF_MANY 14u /* of more than 128 levels */
LF_STATIC_ASSERT((LF_LEVELS_MAX + LF__GROUPS_OF_MANY - 1) / LF__GROUPS_OF_MANY <= 32, "five bits within a group");
#define LF__TICKET_BITS 56 /* of position in a ticket; the level stands above */

/* Process-local view. */
struct lf_levels {
    uint64_t *decision;            /* W, on a line of its own */
    uint64_t *cuts;                /* cells that are cut and not passed; deaths may leave it too high */
    uint32_t *withdrew;            /* whether anything was ever withdrawn */
    struct lf_eventcount *room;    /* for waiters for a free slot */
    const struct lf_queue *queues; /* queues[1 + level]; queues[0] is the free one */
    uint32_t count;
    uint32_t per_group;
    uint32_t group_bits; /* those that W has for groups */
};

/* Shared words of a withdrawal: one line, which only withdrawals change. */
struct lf_withdrawals {
    LF_ALIGNED uint64_t cuts;
    uint32_t withdrew;
};

#ifndef LF__SPARE_CELLS
#define LF__SPARE_CELLS                                                                                                \
    16u /* more cells than slots, so that withdrawn records can give their slots back at once; the */
#endif  /* model checker takes fewer */

/* Cells per queue. Large queues have no spare ones but those that rounding up leaves. */
LF_INLINE uint64_t lf_levels_cells(uint64_t slots) {
    return lf_queue_cells(slots < 65536 ? slots + LF__SPARE_CELLS : slots);
}

LF_INLINE void lf_levels_view(struct lf_levels *l, uint64_t *decision, struct lf_withdrawals *withdrawals,
                              struct lf_eventcount *room, const struct lf_queue *queues, uint32_t count) {
    l->decision = decision;
    l->cuts = &withdrawals->cuts;
    l->withdrew = &withdrawals->withdrew;
    l->room = room;
    l->queues = queues;
    uint32_t groups = count > 8 * LF__GROUPS ? LF__GROUPS_OF_MANY : LF__GROUPS;
    l->count = count;
    l->per_group = (count + groups - 1) / groups;
    l->group_bits = (1u << groups) - 1;
}

LF_INLINE uint64_t lf__w(uint64_t version, uint32_t groups, uint32_t within, uint32_t taker) {
    return version << LF__W_VERSION_SHIFT |
           (uint64_t)(groups | within >> 3 << LF__GROUPS_OF_MANY) << LF__W_GROUPS_SHIFT |
           (uint64_t)(within & 7) << LF__W_LEVEL_SHIFT | taker;
}
LF_INLINE uint64_t lf__w_version(uint64_t w) { return w >> LF__W_VERSION_SHIFT; }
LF_INLINE uint32_t lf__w_groups(const struct lf_levels *l, uint64_t w) {
    return (uint32_t)(w >> LF__W_GROUPS_SHIFT) & l->group_bits;
}
LF_INLINE uint32_t lf__w_within(const struct lf_levels *l, uint64_t w) {
    uint32_t upper = (uint32_t)(w >> LF__W_GROUPS_SHIFT) & 0xffffu & ~l->group_bits;
    return upper >> LF__GROUPS_OF_MANY << 3 | ((uint32_t)(w >> LF__W_LEVEL_SHIFT) & 7u);
}
LF_INLINE uint32_t lf__lowest(uint32_t groups) { return (uint32_t)__builtin_ctz(groups); }

LF_INLINE uint64_t lf__level_head(uint64_t position, uint64_t version) { return position << 32 | (uint32_t)version; }

enum { LF__ELSEWHERE = -1, LF__NOTHING = 0, LF__INSIDE = 1 };

LF_INLINE uint64_t lf__decided(const struct lf_levels *l) {
    return lf_load_acquire(l->decision); /* [W1] pairs with [W2]: earlier pops were applied, and this one can be */
}
LF_INLINE uint64_t lf__head_of(const struct lf_queue *level) {
    return lf_load_acquire(&level->ends->head); /* [W5] pairs with [W6]: the cells below it were taken, W is that new */
}

/* Not passed by a pop yet: inside, withdrawn, or cut. */
LF_INLINE int lf__cell_stands(uint64_t cell) {
    const uint32_t cut = LF__WITHDRAWN | LF_LEASE;
    return lf__cell_taker(cell) == 0 || lf__cell_taker(cell) == LF__WITHDRAWN || (lf__cell_taker(cell) & cut) == cut;
}

/* What is at a head's position: a cell that stands, none yet, or something that is possible only with an outdated head. */
LF_INLINE int lf__front(const struct lf_queue *level, uint64_t head, uint64_t **place, uint64_t *cell) {
    uint64_t position = head >> 32, round_bits = UINT32_MAX & ~level->mask;
    *place = lf__cell_place(level, position);
    *cell = lf_load_acquire(*place); /* [W3] pairs with [Q6]: the record is readable; with [W4]: W is that new */
    if (((*cell >> LF__POSITION_SHIFT ^ position) & round_bits) == 0)
        return lf__cell_stands(*cell) ? LF__INSIDE : LF__ELSEWHERE;
    if (((*cell >> LF__POSITION_SHIFT ^ (position - level->mask - 1)) & round_bits) == 0 && lf__cell_taker(*cell) != 0)
        return LF__NOTHING;
    return LF__ELSEWHERE;
}

LF_INLINE uint32_t lf_levels_group(const struct lf_levels *l, uint32_t level) { return 1u << level / l->per_group; }

/* Lays the levels out, empty. `start`: the first position of all queues, and W's version; tests begin near wraps. */
LF_INLINE void lf_levels_init(struct lf_levels *l, struct lf_queue *queues, uint64_t start) {
    for (uint32_t level = 0; level < l->count; level++) {
        lf_queue_init(&queues[1 + level], start, 0, 1);
        /* the version of the first push and pop of a fresh queue, so that every test takes the path that skips one */
        queues[1 + level].ends->head = lf__level_head(start, start + 2);
    }
    *l->decision = lf__w(start, 0, 0, 0);
    *l->cuts = *l->withdrew = 0;
}

LF_INLINE uint32_t lf__withdrawn_by(uint32_t taker) { return LF__WITHDRAWN | (taker & LF_PARTICIPANT_MASK); }

/* Takes a cell that stands, for the pop that W names; of a withdrawn record, the slot alone. A cut one has none. */
LF_INLINE void lf__pass(uint64_t *place, uint64_t cell, uint32_t taker) {
    const uint64_t round = cell & ~(uint64_t)LF__TAKER_MASK;
    while ((cell & ~(uint64_t)LF__TAKER_MASK) == round &&
           (lf__cell_taker(cell) == 0 || lf__cell_taker(cell) == LF__WITHDRAWN)) {
        uint32_t passed = lf__cell_taker(cell) == 0 ? taker : lf__withdrawn_by(taker);
        if (lf_cas_release(place, &cell, round | passed)) /* [W4] pairs with [W3], [Q5] */
            return;
    }
}

/* [I1]: applies the pop that w names, unless it is applied already. To be called before any change of W from w. */
LF_INLINE int lf_levels_help(const struct lf_levels *l, uint64_t w) {
    uint32_t taker = (uint32_t)w & LF__W_TAKER;
    if (taker == 0)
        return LF_OK;
    uint32_t within = lf__w_within(l, w), groups = lf__w_groups(l, w);
    uint32_t number = groups != 0 ? lf__lowest(groups) * l->per_group + within : l->count;
    if (LF_UNLIKELY(within >= l->per_group || number >= l->count))
        return LF_CORRUPT;
    const struct lf_queue *level = &l->queues[1 + number];
    uint64_t *place, cell, head = lf__head_of(level);
    if ((uint32_t)head == (uint32_t)lf__w_version(w))
        return LF_OK;
    int front = lf__front(level, head, &place, &cell);
    if (lf_load_acquire(l->decision) !=
        w) /* not older than head and cell. [W1]: w's pop was applied, and that is seen */
        return LF_OK;
    if (front == LF__INSIDE) {
        lf__pass(place, cell, taker);
    } else if (LF_UNLIKELY(front == LF__NOTHING ||
                           (lf__cell_taker(cell) != taker && lf__cell_taker(cell) != lf__withdrawn_by(taker)))) {
        /* Not the round of w's pop: others have applied it, and the cell may be in its next round already. */
        return lf_load_relaxed(&level->ends->head) == head ? LF_CORRUPT : LF_OK;
    }
    /* [W6] release; pairs with [W5]: a thread that sees the new head also sees the cell taken, and W no older than w */
    lf_cas_release(&level->ends->head, &head, lf__level_head((head >> 32) + 1, lf__w_version(w)));
    return LF_OK;
}

/* Applies the pop that was decided last. No earlier one is left. */
LF_INLINE int lf_levels_settle(const struct lf_levels *l) { return lf_levels_help(l, lf__decided(l)); }

/* Last step of a push: its groups have something inside, and threads that looked before must look again. */
LF_INLINE int lf_levels_announce(const struct lf_levels *l, uint32_t groups) {
    for (;;) {
        uint64_t w = lf__decided(l);
        if (LF_UNLIKELY(lf_levels_help(l, w) != LF_OK))
            return LF_CORRUPT;
        /* [W2] release; pairs with [W1]: with the version come the cells published before it, and w's pop applied.
         * [E2] seq_cst; pairs with [E1]: the caller looks for waiters next. */
        if (lf_cas_seq_cst(l->decision, &w, lf__w(lf__w_version(w) + 1, lf__w_groups(l, w) | groups, 0, 0)))
            return LF_OK;
    }
}

LF_INLINE int lf__free_withdrawn(const struct lf_levels *l, uint64_t index, uint32_t participant) {
    int status = lf_queue_publish(&l->queues[LF__FREE], index, participant);
    lf_eventcount_notify_after_rmw(l->room, 1);
    return status;
}

/* After a pop whose cell does not show, or no longer, that it took the record. 1: it did, and the cell is in a later
 * round. 0: the record had been withdrawn, and its slot is free. Else LF_CORRUPT. */
LF_INLINE int lf__what_was_taken(const struct lf_levels *l, const struct lf_queue *level, uint64_t cell, uint64_t head,
                                 uint32_t taker) {
    uint64_t position = (cell >> LF__POSITION_SHIFT & ~level->mask) | (head >> 32 & level->mask);
    uint64_t index = lf__cell_index(level, cell), now = lf__cell_at(level, position), word;
    uint32_t participant = taker & LF_PARTICIPANT_MASK;
    int mine;
    if (((now ^ cell) & ~(uint64_t)LF__TAKER_MASK) == 0) {
        mine = lf__cell_taker(now) == lf__withdrawn_by(taker);
    } else {
        word = lf_load_relaxed(lf__custody(level->store, index)); /* complete: [Q5], [I3] of index_queue.h */
        if (word == lf__held(level->id, position, taker))
            return 1;
        mine = word == lf__held(LF__FREE, position, participant);
    }
    if (mine)
        return lf__free_withdrawn(l, index, participant) == LF_OK ? 0 : (int)LF_CORRUPT;
    lf_fetch_sub_relaxed(l->cuts, 1); /* it was cut; this pop alone passed it */
    return 0;
}

/* Decides the next pop. Returns the index, now in the custody of `taker`, and its level; or LF_EMPTY or LF_CORRUPT. */
LF_INLINE int64_t lf_levels_take(const struct lf_levels *l, uint32_t taker, uint32_t *level_out) {
    for (;;) {
        uint64_t w = lf__decided(l);
        uint64_t version = lf__w_version(w) + 1, *place, cell = 0, head = 0;
        uint32_t groups = lf__w_groups(l, w), within = 0;
        int front = LF__NOTHING;
        if (groups == 0)
            return LF_EMPTY;
        if (LF_UNLIKELY(lf_levels_help(l, w) != LF_OK))
            return LF_CORRUPT;
        uint32_t first = lf__lowest(groups) * l->per_group;
        if (LF_UNLIKELY(first >= l->count))
            return LF_CORRUPT;
        const struct lf_queue *level = &l->queues[1 + first];
        for (; within < l->per_group && first + within < l->count; within++, level++) {
            head = lf__head_of(level);
            front = lf__front(level, head, &place, &cell);
            if (front != LF__NOTHING)
                break;
        }
        if (front == LF__NOTHING) {                                                       /* the lowest bit goes */
            lf_cas_release(l->decision, &w, lf__w(version, groups & (groups - 1), 0, 0)); /* [W2] */
            continue;
        }
        uint64_t index = lf__cell_index(level, cell);
        if (LF_UNLIKELY(front == LF__ELSEWHERE || index >= level->store->slots)) {
            if (lf_load_relaxed(l->decision) == w)
                return LF_CORRUPT; /* possible only if W has changed since it was read */
            continue;
        }
        if (LF_UNLIKELY((uint32_t)version == (uint32_t)head))
            version++; /* else it would look as if it were applied already */
        uint64_t decided = lf__w(version, groups, within, taker);
        if (!lf_cas_release(l->decision, &w, decided)) /* [W2] pairs with [W1] */
            continue;
        *level_out = first + within;
        /* Applied, by us or by others before W changed again, before the index may go anywhere else. */
        if (LF_UNLIKELY(lf_levels_help(l, decided) != LF_OK))
            return LF_CORRUPT;
        if (LF_LIKELY(lf_load_acquire(place) == ((cell & ~(uint64_t)LF__TAKER_MASK) | taker))) /* [W3] */
            return (int64_t)index;
        int what = lf__what_was_taken(l, level, cell, head, taker);
        if (what != 0)
            return what > 0 ? (int64_t)index : what;
    }
}

/* Cuts the slot out of a marked cell and frees it, if there is a spare cell, and no pop passes the mark before. */
LF_INLINE int lf__cut(const struct lf_levels *l, const struct lf_queue *level, uint64_t *place, uint64_t marked,
                      uint32_t participant) {
    uint64_t index = lf__cell_index(level, marked), spare = level->mask + 1 - level->store->slots;
    if (lf_fetch_add_relaxed(l->cuts, 1) >= spare || !lf_cas_acquire(place, &marked, marked | LF_LEASE | participant)) {
        lf_fetch_sub_relaxed(l->cuts, 1); /* the slot comes back when the mark is passed */
        return LF_OK;
    }
    return index < level->store->slots ? lf__free_withdrawn(l, index, participant) : (int)LF_CORRUPT;
}

/* Names what was published in a level at a position. */
LF_INLINE uint64_t lf_levels_ticket(uint32_t level, uint64_t position) {
    return (uint64_t)level << LF__TICKET_BITS | (position & ((UINT64_C(1) << LF__TICKET_BITS) - 1));
}

/* Takes what a ticket names out, if no pop has it. 1: it is out. 0: it was taken, or withdrawn. LF_INVALID for what is no
 * ticket of this queue, LF_CORRUPT. */
LF_INLINE int lf_levels_withdraw(const struct lf_levels *l, uint64_t ticket, uint32_t participant) {
    uint64_t position = ticket & ((UINT64_C(1) << LF__TICKET_BITS) - 1);
    uint32_t level = (uint32_t)(ticket >> LF__TICKET_BITS);
    if (LF_UNLIKELY(level >= l->count))
        return LF_INVALID;
    const struct lf_queue *queue = &l->queues[1 + level];
    uint64_t *place = lf__cell_place(queue, position), cell = lf__cell_at(queue, position);
    if (!lf__cell_is_at(queue, cell, position) || lf__cell_taker(cell) != 0)
        return 0;
    if (LF_UNLIKELY(lf__cell_index(queue, cell) >= queue->store->slots))
        return LF_CORRUPT;
    lf_store_relaxed(l->withdrew, 1);                        /* before the mark: a count after it looks at each cell */
    if (!lf_cas_release(place, &cell, cell | LF__WITHDRAWN)) /* [W7] pairs with [W3]: the word above */
        return 0;
    return lf__cut(l, queue, place, cell | LF__WITHDRAWN, participant) == LF_OK ? 1 : (int)LF_CORRUPT;
}

/* Last part of a recovery, in pieces, after lf_store_recover, from whose end *cursor counts on: cuts what the dead one may
 * have marked and not cut. Returns 1 when all is done. */
LF_INLINE int lf_levels_cut_marked(const struct lf_levels *l, uint32_t participant, uint64_t *cursor) {
    uint64_t cells = l->queues[LF__FREE].mask + 1, base = cells * (1 + l->count) + l->queues[LF__FREE].store->slots;
    uint64_t at = *cursor > base ? *cursor - base : 0;
    uint64_t end = lf_load_acquire(l->withdrew) == 0 ? 0 : cells * l->count, steps = 0, began = lf_now();
    for (; at < end; at++) {
        if (lf_piece_is_over(&steps, began))
            return *cursor = base + at, 0;
        const struct lf_queue *level = &l->queues[1 + at / cells];
        uint64_t cell = lf__cell_at(level, at);
        if (lf__cell_taker(cell) == LF__WITHDRAWN)
            lf__cut(l, level, lf__cell_place(level, at), cell, participant);
    }
    return 1;
}

/* For a recovery, after the custody of every queue was completed. Announces what was published before the call and
 * perhaps not announced. A bit too many does no harm, so an outdated head counts as something. Returns whether there
 * was anything. */
LF_INLINE int lf_levels_announce_all(const struct lf_levels *l) {
    uint32_t groups = 0;
    for (uint32_t level = 0; level < l->count; level++) {
        const struct lf_queue *queue = &l->queues[1 + level];
        uint64_t *place, cell, head = lf__head_of(queue);
        if (lf__front(queue, head, &place, &cell) != LF__NOTHING)
            groups |= lf_levels_group(l, level);
    }
    return groups != 0 && lf_levels_announce(l, groups) == LF_OK;
}

/* How many are inside. Exact while nobody else runs, else a value near the truth during the call. */
LF_INLINE uint64_t lf_levels_size(const struct lf_levels *l) {
    uint64_t size = 0, slots = l->queues[0].store->slots;
    lf_levels_settle(l);
    for (const struct lf_queue *level = l->queues + 1; level <= l->queues + l->count; level++) {
        uint64_t cell, head = lf_load_relaxed(&level->ends->head);
        uint64_t tail = lf__walk_to_tail(level, lf_load_relaxed(&level->ends->tail), &cell);
        int32_t inside = (int32_t)((uint32_t)tail - (uint32_t)(head >> 32));
        if (inside > (int64_t)level->mask + 1)
            inside = (int32_t)level->mask + 1; /* ends that cannot be */
        if (LF_LIKELY(lf_load_acquire(l->withdrew) == 0))
            size += inside > 0 ? (uint32_t)inside : 0;
        else
            for (; inside > 0; inside--)
                size += lf__cell_taker(lf__cell_at(level, tail - (uint32_t)inside)) == 0;
    }
    return size < slots ? size : slots;
}

#endif
