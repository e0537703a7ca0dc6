/* naive_priority_queue.h: the wrong variant that the tests must reject: bins scanned from the top.
 * Every bin is a correct queue; the scan passes level 1, a put into 1 completes, then one into 2, and the scan takes
 * the latter. */
#ifndef LOCKFREE_TESTS_NAIVE_PRIORITY_QUEUE_H
#define LOCKFREE_TESTS_NAIVE_PRIORITY_QUEUE_H

#include <lockfree/priority_queue.h>

#ifndef NAIVE_PAUSE
#define NAIVE_PAUSE() (void)0 /* between two bins: where others may come in */
#endif

static void naive_layout(struct lf_priority_queue *q, uint64_t start) {
    for (uint32_t level = 0; level < q->levels.count; level++)
        lf_queue_init(&q->queues[1 + level], start, 0, 1);
}

static int naive_try_put(struct lf_priority_queue *q, const void *record, uint64_t length, uint32_t level) {
    int64_t index = lf_priority_queue_reserve(q);
    if (index < 0)
        return (int)index;
    memcpy(lf_slot_payload(lf_priority_queue_slot(q, (uint64_t)index)), record, length);
    lf_priority_queue_slot(q, (uint64_t)index)->length = (uint32_t)length;
    return lf_queue_publish(&q->queues[1 + level], (uint64_t)index, q->h.participant);
}

static int64_t naive_try_get(struct lf_priority_queue *q, void *record, uint32_t *level) {
    for (*level = 0; *level < q->levels.count; (*level)++) {
        int64_t index = lf_queue_take(&q->queues[1 + *level], q->h.participant);
        if (index == LF_EMPTY) {
            NAIVE_PAUSE();
            continue;
        }
        int64_t length = lf_priority_queue_slot(q, (uint64_t)index)->length;
        memcpy(record, lf_slot_payload(lf_priority_queue_slot(q, (uint64_t)index)), (size_t)length);
        lf_priority_queue_release(q, index);
        return length;
    }
    return LF_EMPTY;
}

#endif
