/* One call on a mutex of a space, which is found by its name for each call, and added by the first client that asks.
 * plan.kind: there are kills, and one lock only. */
enum { LF__SPACE_TRY, LF__SPACE_TIMED, LF__SPACE_LOCKS = 6 };

static int lf__stress_space(struct lf_space *s, struct lf_stress_client *c) {
    uint32_t which = lf__some_operation(c), n = c->plan.kind ? 0 : (uint32_t)lf__below(c, LF__SPACE_LOCKS);
    const char name[] = {'m', (char)('0' + n), '\0'};
    int64_t mask = INT64_C(1) << n;
    uint64_t until = which == LF__SPACE_TRY ? 0 : lf__some_deadline(c);
    struct lf_mutex m;
    int status;
    do
        status = lf_space_mutex(s, &m, name);
    while (status == LF_INTERRUPTED);
    if (status != LF_OK)
        return status;
    if (c->held & mask) {
        lf_stress_open(c, LF_OP_RELEASE, 1, 0);
        if (!c->plan.kind)
            lf_stress_key(c, n);
        status = lf_mutex_release(&m);
        lf_stress_close_put(c, status != LF_OK);
        c->held &= ~mask;
        return status == LF_NOT_OWNER ? LF_OK : status; /* the checker says so */
    }
    lf_stress_open(c, LF_OP_ACQUIRE, 1, 0);
    if (!c->plan.kind)
        lf_stress_key(c, n);
    do
        status = lf_mutex_acquire(&m, until);
    while (status == LF_INTERRUPTED);
    if (status == LF_OWNER_DIED)
        status = lf_mutex_recover(&m);
    lf_stress_close_put(c, status != LF_OK);
    if (status == LF_OK)
        c->held |= mask;
    return status == LF_TIMEDOUT ? LF_OK : status;
}
LF_STRESS_LOOP(struct lf_space, space)
