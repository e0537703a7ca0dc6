/* One call on an SPSCRing, chosen by weight. More clients than roles: the holder of one gives it back after a while. */
enum {
    LF__SPSC_TRY_PUT,
    LF__SPSC_TRY_GET,
    LF__SPSC_PUT,
    LF__SPSC_GET,
    LF__SPSC_PUT_MANY,
    LF__SPSC_GET_MANY,
    LF__SPSC_RESERVE,
    LF__SPSC_PEEK
};

/* Not our turn: no call at all, as far as the ring is concerned. */
static int lf__spsc_not_ours(struct lf_stress_client *c, uint32_t count) {
    lf_nap(20000 + lf__below(c, 200000));
    lf_stress_forget(c, count);
    return LF_OK;
}

static int lf__stress_spsc_put(struct lf_spsc_ring *r, struct lf_stress_client *c, uint32_t which) {
    unsigned char record[256];
    struct lf__batch b;
    uint64_t until = lf__some_deadline(c), value, length = lf__some_length(c, r->record_size);
    int64_t status = LF_INTERRUPTED;
    if (which == LF__SPSC_PUT_MANY) {
        lf__open_put_batch(c, &b, r->record_size);
        status = lf_spsc_ring_put_many(r, b.records, 0, 0, b.lengths, b.count);
        return status == LF_ROLE_TAKEN ? lf__spsc_not_ours(c, b.count) : lf__end_put_batch(c, &b, status);
    }
    value = lf_stress_next_value(c);
    lf__fill(record, value, length);
    lf_stress_open(c, LF_OP_PUT, (int64_t)value, 0);
    if (which == LF__SPSC_RESERVE) {
        status = lf_spsc_ring_reserve(r);
        if (status >= 0) {
            memcpy(lf_spsc_ring_payload(r, status), record, length);
            status = lf_spsc_ring_commit(r, status, length);
        }
    }
    while (status == LF_INTERRUPTED)
        status = which == LF__SPSC_PUT ? lf_spsc_ring_put(r, record, length, until)
                                       : lf_spsc_ring_try_put(r, record, length);
    return status == LF_ROLE_TAKEN ? lf__spsc_not_ours(c, 1) : lf__end_put(c, status);
}

static int lf__stress_spsc_get(struct lf_spsc_ring *r, struct lf_stress_client *c, uint32_t which) {
    unsigned char record[256];
    struct lf__batch b;
    uint64_t until = lf__some_deadline(c), length = 0;
    int64_t status = LF_INTERRUPTED;
    if (which == LF__SPSC_GET_MANY) {
        lf__open_get_batch(c, &b);
        status = lf_spsc_ring_get_many(r, b.records, 256, b.lengths, b.count);
        return status == LF_ROLE_TAKEN ? lf__spsc_not_ours(c, b.count) : lf__end_get_batch(c, &b, status);
    }
    lf_stress_open(c, LF_OP_GET, LF_HISTORY_NONE, 0);
    if (which == LF__SPSC_PEEK) {
        int64_t slot = status = lf_spsc_ring_peek(r, &length);
        if (slot >= 0) {
            memcpy(record, lf_spsc_ring_payload(r, slot), length);
            status = lf_spsc_ring_release(r, slot);
            status = status == LF_OK ? (int64_t)length : status;
        }
    }
    while (status == LF_INTERRUPTED)
        status = which == LF__SPSC_GET ? lf_spsc_ring_get(r, record, until) : lf_spsc_ring_try_get(r, record);
    return status == LF_ROLE_TAKEN ? lf__spsc_not_ours(c, 1) : lf__end_get(c, status, record, 0);
}

static int lf__stress_spsc_ring(struct lf_spsc_ring *r, struct lf_stress_client *c) {
    uint32_t which = lf__some_operation(c);
    if (c->plan.role_burst != 0 && lf__below(c, c->plan.role_burst) == 0) {
        lf_spsc_ring_release_role(r, LF_PRODUCER);
        lf_spsc_ring_release_role(r, LF_CONSUMER);
        sched_yield();
    }
    int puts = which == LF__SPSC_TRY_PUT || which == LF__SPSC_PUT || which == LF__SPSC_PUT_MANY ||
               which == LF__SPSC_RESERVE;
    return puts ? lf__stress_spsc_put(r, c, which) : lf__stress_spsc_get(r, c, which);
}
LF_STRESS_LOOP(struct lf_spsc_ring, spsc_ring)
