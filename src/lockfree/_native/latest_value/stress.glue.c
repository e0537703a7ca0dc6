/* One call on a LatestValue, chosen by weight. Clients pass the writer's role on to each other. */
enum { LF__LATEST_SET, LF__LATEST_GET, LF__LATEST_WAIT };

/* A read; its value, 0 if nothing was ever set. The versions that a client sees never fall. */
static int lf__stress_latest_get(struct lf_latest_value *v, struct lf_stress_client *c, uint64_t at_least) {
    unsigned char record[256];
    uint64_t version = 0;
    int64_t length;
    lf_stress_open(c, LF_OP_READ, LF_HISTORY_NONE, 0);
    do
        length = lf_latest_value_get(v, record, &version);
    while (length == LF_INTERRUPTED);
    lf_stress_close(c, length >= 0 ? lf__read(record, (uint64_t)length) : 0, 0, 0);
    if (length < 0 && length != LF_EMPTY)
        return (int)length;
    if (version < at_least || (int64_t)version < c->held)
        return LF_CORRUPT;
    c->held = (int64_t)version;
    return LF_OK;
}
static int lf__stress_latest_value(struct lf_latest_value *v, struct lf_stress_client *c) {
    uint32_t which = lf__some_operation(c);
    if (c->plan.role_burst != 0 && lf__below(c, c->plan.role_burst) == 0) {
        lf_latest_value_release_role(v);
        sched_yield();
    }
    if (which == LF__LATEST_SET) {
        unsigned char record[256];
        uint64_t value = lf_stress_next_value(c), length = lf__fill(record, value, lf__some_length(c, v->record_size));
        lf_stress_open(c, LF_OP_WRITE, (int64_t)value, 0);
        int64_t version = lf_latest_value_set(v, record, length);
        if (version == LF_ROLE_TAKEN) {
            lf_nap(20000 + lf__below(c, 200000));
            lf_stress_forget(c, 1);
            return LF_OK;
        }
        lf_stress_close_put(c, 0);
        return version >= 0 ? LF_OK : (int)version;
    }
    if (which == LF__LATEST_WAIT) {
        uint64_t until = lf__some_deadline(c), seen = (uint64_t)c->held;
        int status;
        do
            status = lf_latest_value_wait(v, seen, until);
        while (status == LF_INTERRUPTED);
        if (status != LF_OK && status != LF_TIMEDOUT)
            return status;
        return lf__stress_latest_get(v, c, status == LF_OK ? seen + 1 : 0);
    }
    return lf__stress_latest_get(v, c, 0);
}
LF_STRESS_LOOP(struct lf_latest_value, latest_value)
