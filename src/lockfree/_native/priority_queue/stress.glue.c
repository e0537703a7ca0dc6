/* One call on a PriorityQueue, chosen by weight. */
enum {
    LF__PQ_TRY_PUT,
    LF__PQ_TRY_GET,
    LF__PQ_PUT,
    LF__PQ_GET,
    LF__PQ_PUT_MANY,
    LF__PQ_GET_MANY,
    LF__PQ_RESERVE,
    LF__PQ_PEEK,
    LF__PQ_LEASE,
    LF__PQ_REQUEUE,
    LF__PQ_CANCEL
};

/* Where there are fronts, one record of four goes there. */
static uint64_t lf__pq_value(struct lf_stress_client *c) {
    return lf_stress_next_value(c) | (c->plan.fronts && lf__below(c, 4) == 0 ? (uint64_t)LF_STRESS_FRONT : 0);
}
static int lf__pq_requeue(struct lf_priority_queue *q, int64_t index, uint64_t value, uint32_t level) {
    return value & (uint64_t)LF_STRESS_FRONT ? lf_priority_queue_requeue_front(q, index, level)
                                             : lf_priority_queue_requeue(q, index, level);
}

static int lf__stress_pq_reserve(struct lf_priority_queue *q, struct lf_stress_client *c, uint32_t level, int cancel) {
    uint64_t value = cancel ? 0 : lf__pq_value(c), length = lf__some_length(c, q->record_size);
    if (!cancel)
        lf_stress_open(c, LF_OP_PUT, (int64_t)value, lf__line(c, (int64_t)value, level));
    int64_t index = lf_priority_queue_reserve(q);
    if (index >= 0 && cancel)
        return lf_priority_queue_release(q, index);
    if (index >= 0) {
        lf__fill(lf_slot_payload(lf_priority_queue_slot(q, (uint64_t)index)), value, length);
        lf_priority_queue_slot(q, (uint64_t)index)->length = (uint32_t)length;
        index = value & (uint64_t)LF_STRESS_FRONT ? lf__pq_requeue(q, index, value, level)
                                                  : lf_priority_queue_commit(q, index, length, level);
    }
    if (!cancel)
        return lf__end_put(c, index);
    return index == LF_FULL ? LF_OK : (int)index;
}

/* As for the ring: put back under a new value, at any level. */
static int lf__stress_pq_peek(struct lf_priority_queue *q, struct lf_stress_client *c, uint32_t lease, int requeue) {
    uint64_t length = 0;
    uint32_t level = 0;
    lf_stress_open(c, LF_OP_GET, LF_HISTORY_NONE, 0);
    int64_t index = lf_priority_queue_peek(q, lease, &level, &length);
    if (index < 0)
        return lf__end_get(c, index, NULL, 0);
    unsigned char *record = lf_slot_payload(lf_priority_queue_slot(q, (uint64_t)index));
    int64_t value = lf__read(record, length);
    if (lf__below(c, 16) == 0)
        sched_yield();
    if (!requeue) {
        int status = lf_priority_queue_release(q, index);
        lf_stress_close(c, value, lf__line(c, value, level), 0);
        return status;
    }
    uint64_t again = lf__pq_value(c);
    lf__fill(record, again, length);
    lf_stress_close(c, value, lf__line(c, value, level), 0);
    level = (uint32_t)lf__below(c, c->plan.levels);
    lf__open_at(c, LF_OP_PUT, (int64_t)again, lf__line(c, (int64_t)again, level), c->now);
    return lf__end_put(c, lf__pq_requeue(q, index, again, level));
}

static int lf__stress_priority_queue(struct lf_priority_queue *q, struct lf_stress_client *c) {
    unsigned char record[256];
    struct lf__batch b;
    uint32_t which = lf__some_operation(c), level = (uint32_t)lf__below(c, c->plan.levels);
    uint64_t until = lf__some_deadline(c), value, ticket, length = lf__some_length(c, q->record_size);
    int64_t status = LF_INTERRUPTED;
    switch (which) {
    case LF__PQ_TRY_PUT:
    case LF__PQ_PUT:
        value = lf__pq_value(c);
        until = which == LF__PQ_PUT ? until : 0;
        lf__fill(record, value, length);
        lf_stress_open(c, LF_OP_PUT, (int64_t)value, lf__line(c, (int64_t)value, level));
        while (status == LF_INTERRUPTED)
            status = value & (uint64_t)LF_STRESS_FRONT
                         ? lf_priority_queue_put_front(q, record, length, level, until, &ticket)
                         : lf_priority_queue_put(q, record, length, level, until);
        return lf__end_put(c, status);
    case LF__PQ_TRY_GET:
    case LF__PQ_GET:
        lf_stress_open(c, LF_OP_GET, LF_HISTORY_NONE, 0);
        while (status == LF_INTERRUPTED)
            status = lf_priority_queue_get(q, record, &level, which == LF__PQ_GET ? until : 0);
        return lf__end_get(c, status, record, level);
    case LF__PQ_PUT_MANY:
        lf__open_put_batch(c, &b, q->record_size);
        return lf__end_put_batch(c, &b, lf_priority_queue_put_many(q, b.records, 0, 0, b.lengths, b.levels, b.count));
    case LF__PQ_GET_MANY:
        lf__open_get_batch(c, &b);
        return lf__end_get_batch(c, &b, lf_priority_queue_get_many(q, b.records, 256, b.lengths, b.levels, b.count));
    case LF__PQ_RESERVE:
    case LF__PQ_CANCEL:
        return lf__stress_pq_reserve(q, c, level, which == LF__PQ_CANCEL);
    default:
        return lf__stress_pq_peek(q, c, which == LF__PQ_PEEK ? 0 : LF_LEASE, which == LF__PQ_REQUEUE);
    }
}
LF_STRESS_LOOP(struct lf_priority_queue, priority_queue)
