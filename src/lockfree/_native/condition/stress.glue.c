#include <lockfree/condition.h>

/* A monitor of permits in a plain word: together they are a semaphore. plan.kind: deaths are expected. */
enum { LF__CONDITION_TRY, LF__CONDITION_TIMED, LF__CONDITION_GIVE, LF__CONDITION_GIVE_TWO };

static int lf__monitor_enter(struct lf_condition *m, struct lf_stress_client *c) {
    int status;
    do
        status = lf_condition_acquire(m, LF_FOREVER);
    while (status == LF_INTERRUPTED);
    return status == LF_OWNER_DIED && c->plan.kind ? lf_condition_recover(m) : status;
}
static int lf__stress_condition(struct lf_condition *m, struct lf_stress_client *c) {
    volatile uint64_t *permits = &c->control->unguarded;
    uint32_t which = lf__some_operation(c);
    uint64_t until = which == LF__CONDITION_TRY ? 0 : lf__some_deadline(c);
    int gives = which == LF__CONDITION_GIVE || which == LF__CONDITION_GIVE_TWO, taken = 0;
    uint32_t n = which == LF__CONDITION_GIVE_TWO ? 2 : 1;
    lf_stress_open(c, gives ? LF_OP_RELEASE : LF_OP_ACQUIRE, n, 0);
    int status = lf__monitor_enter(m, c);
    if (status == LF_OK && gives) {
        *permits += n;
        int64_t notified = lf_condition_notify(m, n);
        status = notified < 0 ? (int)notified : LF_OK;
    } else {
        while (status == LF_OK && *permits == 0 && until != 0) {
            status = lf_condition_wait(m, until);
            if (status == LF_OWNER_DIED && c->plan.kind)
                status = lf_condition_recover(m);
            if (status == LF_INTERRUPTED)
                status = LF_OK;
        }
        if ((status == LF_OK || status == LF_TIMEDOUT) && *permits != 0) {
            --*permits;
            taken = 1;
        }
    }
    if (status == LF_OK || status == LF_TIMEDOUT)
        status = lf_condition_release(m);
    lf_stress_close_put(c, !gives && !taken);
    return status;
}
LF_STRESS_LOOP(struct lf_condition, condition)
