/* spsc_batches.h: building block of the single-producer single-consumer ring: batches, published in runs.
 *
 * Contract
 *   A run is up to LF__SPSC_RUN records. The producer copies them all, then publishes them, the last one first. So the
 *   consumer sees nothing of a run, and then all of it: the word it waits at is written last. Until then it takes no
 *   cache line away that the producer still fills.
 * Linearization point: of all records of a run: the store of the first one's word.
 * Progress: wait-free: as many steps as records.
 * Death: a run that was published in part is taken back by the next producer (lf__spsc_drop_torn_run).
 * Source: FastForward (2008) keeps the two sides some slots apart, so that they do not work on one line (temporal
 *   slipping). Here the order of the stores does, within a run. */
#ifndef LOCKFREE_SPSC_BATCHES_H
#define LOCKFREE_SPSC_BATCHES_H

#include "record_batch.h"
#include "spsc_slots.h"

/* Where a batch is. It is the caller's alone: what is copied into records cannot change it, as the compiler knows. */
struct lf__spsc_walk {
    unsigned char *word, *payload;
    uint64_t cursor, capacity, word_stride, stride;
};
LF_INLINE struct lf__spsc_walk lf__spsc_walk_from(const struct lf_spsc_ring *r, uint64_t cursor) {
    struct lf__spsc_walk walk = {r->words + cursor * r->word_stride,
                                 r->slots + cursor * r->stride,
                                 cursor,
                                 r->capacity,
                                 r->word_stride,
                                 r->stride};
    return walk;
}
LF_INLINE uint64_t *lf__spsc_walk_word(const struct lf__spsc_walk *walk) { return (uint64_t *)(void *)walk->word; }
LF_INLINE void lf__spsc_walk_on(const struct lf_spsc_ring *r, struct lf__spsc_walk *walk) {
    walk->word += walk->word_stride;
    walk->payload += walk->stride;
    if (LF_UNLIKELY(++walk->cursor == walk->capacity))
        *walk = lf__spsc_walk_from(r, 0);
}

LF_INLINE uint64_t lf__spsc_run(const struct lf_spsc_ring *r) { return r->stride <= LF_RUN_STRIDE ? LF__SPSC_RUN : 1; }

/* Copies the next `run` records into free slots from `walk` on, then publishes them, the last one first. */
LF_INLINE void lf__spsc_put_run(struct lf_spsc_ring *r, struct lf__spsc_walk *walk, struct lf_batch *batch,
                                uint64_t position, uint64_t run) {
    uint64_t first = walk->cursor;
    for (uint64_t i = 0; i < run; i++) {
        lf_batch_copy(batch, i, walk->payload);
        lf__spsc_walk_on(r, walk);
    }
    for (uint64_t i = run; i-- > 0;) {
        uint64_t cursor = first + i;
        cursor = cursor < r->capacity ? cursor : cursor - r->capacity;
        lf__spsc_publish(r, cursor, position + i, lf_batch_length(batch, i));
    }
    lf_batch_pass(batch, run);
}

#endif
