/* priority_queue_that_scans.h: priority_queue.h over levels that are scanned from the most urgent one on. Every level is
 * a correct queue. The scan passes level 1, a put into 1 completes, then one into 2, and the scan takes the latter. */
#include <lockfree/blocks/level_queues.h>

LF_INLINE void lf_wrong_init(struct lf_levels *l, struct lf_queue *queues, uint64_t start) {
    for (uint32_t level = 0; level < l->count; level++)
        lf_queue_init(&queues[1 + level], start, 0, 1);
}
LF_INLINE int64_t lf_wrong_take(const struct lf_levels *l, uint32_t taker, uint32_t *level) {
    int64_t index = LF_EMPTY;
    for (*level = 0; *level < l->count && index == LF_EMPTY; (*level)++)
        index = lf_queue_take(&l->queues[1 + *level], taker);
    *level -= index != LF_EMPTY;
    return index;
}
LF_INLINE uint64_t lf_wrong_size(const struct lf_levels *l) {
    uint64_t size = 0;
    for (uint32_t level = 0; level < l->count; level++)
        size += lf_queue_size(&l->queues[1 + level]);
    return size;
}

#define lf_levels_init lf_wrong_init
#define lf_levels_take lf_wrong_take
#define lf_levels_size lf_wrong_size
#define lf_levels_announce(levels, groups) ((void)(groups), LF_OK)
#define lf_levels_announce_all(levels) 1
#define lf_levels_settle(levels) (void)0
#include <lockfree/priority_queue.h>
#undef lf_levels_init
#undef lf_levels_take
#undef lf_levels_size
#undef lf_levels_announce
#undef lf_levels_announce_all
#undef lf_levels_settle
