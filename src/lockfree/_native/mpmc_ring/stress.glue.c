/* One call on an MPMCRing, chosen by weight. */
enum {
    LF__MPMC_TRY_PUT,
    LF__MPMC_TRY_GET,
    LF__MPMC_PUT,
    LF__MPMC_GET,
    LF__MPMC_PUT_MANY,
    LF__MPMC_GET_MANY,
    LF__MPMC_RESERVE,
    LF__MPMC_PEEK,
    LF__MPMC_LEASE,
    LF__MPMC_REQUEUE,
    LF__MPMC_CANCEL
};

static int lf__stress_mpmc_reserve(struct lf_mpmc_ring *r, struct lf_stress_client *c, int cancel) {
    uint64_t value = cancel ? 0 : lf_stress_next_value(c), length = lf__some_length(c, r->record_size);
    if (!cancel)
        lf_stress_open(c, LF_OP_PUT, (int64_t)value, 0);
    int64_t index = lf_mpmc_ring_reserve(r);
    if (index >= 0 && cancel)
        return lf_mpmc_ring_cancel(r, index);
    if (index >= 0) {
        lf__fill(lf_slot_payload(lf_mpmc_ring_slot(r, (uint64_t)index)), value, length);
        index = lf_mpmc_ring_commit(r, index, length);
    }
    if (!cancel)
        return lf__end_put(c, index);
    return index == LF_FULL ? LF_OK : (int)index;
}

/* A record in hand, read in place; then gone, or put back under a new value. The slot is in hand from the beginning of
 * the get to the end of what follows, so the two records share an instant. */
static int lf__stress_mpmc_peek(struct lf_mpmc_ring *r, struct lf_stress_client *c, uint32_t lease, int requeue) {
    uint64_t length = 0;
    lf_stress_open(c, LF_OP_GET, LF_HISTORY_NONE, 0);
    int64_t index = lf_mpmc_ring_peek(r, lease, &length);
    if (index < 0)
        return lf__end_get(c, index, NULL, 0);
    unsigned char *record = lf_slot_payload(lf_mpmc_ring_slot(r, (uint64_t)index));
    int64_t value = lf__read(record, length);
    if (lf__below(c, 16) == 0)
        sched_yield();
    if (!requeue) {
        int status = lf_mpmc_ring_release(r, index);
        lf_stress_close(c, value, 0, 0);
        return status;
    }
    uint64_t again = lf_stress_next_value(c);
    lf__fill(record, again, length);
    lf_stress_close(c, value, 0, 0);
    lf__open_at(c, LF_OP_PUT, (int64_t)again, 0, c->now);
    return lf__end_put(c, lf_mpmc_ring_requeue(r, index));
}

static int lf__stress_mpmc_ring(struct lf_mpmc_ring *r, struct lf_stress_client *c) {
    unsigned char record[256];
    struct lf__batch b;
    uint32_t which = lf__some_operation(c);
    uint64_t until = lf__some_deadline(c), value, length = lf__some_length(c, r->record_size);
    int64_t status = LF_INTERRUPTED;
    switch (which) {
    case LF__MPMC_TRY_PUT:
    case LF__MPMC_PUT:
        value = lf_stress_next_value(c);
        lf__fill(record, value, length);
        lf_stress_open(c, LF_OP_PUT, (int64_t)value, 0);
        while (status == LF_INTERRUPTED)
            status = which == LF__MPMC_PUT ? lf_mpmc_ring_put(r, record, length, until)
                                           : lf_mpmc_ring_try_put(r, record, length);
        return lf__end_put(c, status);
    case LF__MPMC_TRY_GET:
    case LF__MPMC_GET:
        lf_stress_open(c, LF_OP_GET, LF_HISTORY_NONE, 0);
        while (status == LF_INTERRUPTED)
            status = which == LF__MPMC_GET ? lf_mpmc_ring_get(r, record, until) : lf_mpmc_ring_try_get(r, record);
        return lf__end_get(c, status, record, 0);
    case LF__MPMC_PUT_MANY:
        lf__open_put_batch(c, &b, r->record_size);
        return lf__end_put_batch(c, &b, lf_mpmc_ring_put_many(r, b.records, 0, 0, b.lengths, b.count));
    case LF__MPMC_GET_MANY:
        lf__open_get_batch(c, &b);
        return lf__end_get_batch(c, &b, lf_mpmc_ring_get_many(r, b.records, 256, b.lengths, b.count));
    case LF__MPMC_RESERVE:
    case LF__MPMC_CANCEL:
        return lf__stress_mpmc_reserve(r, c, which == LF__MPMC_CANCEL);
    default:
        return lf__stress_mpmc_peek(r, c, which == LF__MPMC_PEEK ? 0 : LF_LEASE, which == LF__MPMC_REQUEUE);
    }
}
LF_STRESS_LOOP(struct lf_mpmc_ring, mpmc_ring)
