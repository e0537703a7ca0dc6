/* line_calls.h: puts into the lines of a priority queue, gets that say the line. Lines are numbered as they come out.
 *
 * The checks of the tests know levels. A line of a queue with LF_FRONTS is a level to them: 2 * level what stands in front,
 * 2 * level + 1 the rest. A get tells the level; in which line the record stood is written in the record. */
#ifndef LOCKFREE_TESTS_LINE_CALLS_H
#define LOCKFREE_TESTS_LINE_CALLS_H

#include <lockfree/priority_queue.h>

#define FRONT (UINT64_C(1) << 63)

static uint64_t line_record(const struct lf_priority_queue *q, uint64_t value, uint32_t line) {
    return value | (q->fronts && line % 2 == 0 ? FRONT : 0);
}
static int line_put(struct lf_priority_queue *q, uint64_t value, uint32_t line, uint64_t *ticket) {
    uint64_t record = line_record(q, value, line);
    if (q->fronts && line % 2 == 0)
        return lf_priority_queue_put_front(q, &record, sizeof record, line / 2, 0, ticket);
    return lf_priority_queue_put_ticket(q, &record, sizeof record, line >> q->fronts, 0, ticket);
}
/* The line of a record that came out of a level. */
static uint32_t line_of(const struct lf_priority_queue *q, uint64_t *record, uint32_t level) {
    uint32_t line = q->fronts ? 2 * level + ((*record & FRONT) == 0) : level;
    *record &= ~FRONT;
    return line;
}
static int64_t line_get(struct lf_priority_queue *q, uint64_t *value, uint32_t *line) {
    uint32_t level = 0;
    int64_t length = lf_priority_queue_try_get(q, value, &level);
    if (length >= 0)
        *line = line_of(q, value, level);
    return length;
}

#endif
