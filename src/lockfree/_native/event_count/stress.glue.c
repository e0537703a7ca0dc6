#include <lockfree/event_count.h>

/* Waits for permits in a word that belongs to the round, not to the object: together they are a semaphore. */
enum { LF__COUNT_TRY, LF__COUNT_TIMED, LF__COUNT_BY_HAND, LF__COUNT_GIVE, LF__COUNT_CANCEL };

static uint64_t lf_stress_word(struct lf_stress_client *c) { return lf_load_acquire(&c->control->unguarded); }
static int lf_stress_word_take(struct lf_stress_client *c) {
    uint64_t n = lf_stress_word(c);
    while (n != 0)
        if (lf_cas_acq_rel(&c->control->unguarded, &n, n - 1))
            return 1;
    return 0;
}
static void lf_stress_word_give(struct lf_stress_client *c) {
    lf_fetch_add_release(&c->control->unguarded, (uint64_t)1);
}
static int lf__stress_take(void *client) { return lf_stress_word_take((struct lf_stress_client *)client); }

static int lf__stress_by_hand(struct lf_event_count *e, struct lf_stress_client *c, uint64_t until) {
    for (;;) {
        int64_t ticket = lf_event_count_prepare(e), status;
        if (ticket < 0)
            return (int)ticket;
        if (lf_stress_word_take(c)) {
            lf_event_count_retract(e, ticket);
            return LF_OK;
        }
        do
            status = lf_event_count_wait(e, ticket, until);
        while (status == LF_INTERRUPTED);
        if (status == LF_TIMEDOUT || status == LF_CANCELLED)
            return lf_stress_word_take(c) ? LF_OK : LF_TIMEDOUT;
        if (status != LF_OK)
            return (int)status;
    }
}
static int lf__stress_event_count(struct lf_event_count *e, struct lf_stress_client *c) {
    uint32_t which = lf__some_operation(c);
    uint64_t until = lf__some_deadline(c);
    int status = LF_INTERRUPTED;
    if (which == LF__COUNT_CANCEL)
        return lf_event_count_cancel(e);
    if (which == LF__COUNT_GIVE) {
        lf_stress_open(c, LF_OP_RELEASE, 1, 0);
        lf_stress_word_give(c);
        lf_stress_close_put(c, 0);
        return lf_event_count_notify(e, 1 + (uint32_t)lf__below(c, 2));
    }
    lf_stress_open(c, LF_OP_ACQUIRE, 1, 0);
    while (status == LF_INTERRUPTED)
        status = which == LF__COUNT_BY_HAND
                     ? lf__stress_by_hand(e, c, until)
                     : lf_event_count_wait_until(e, lf__stress_take, c, which == LF__COUNT_TRY ? 0 : until);
    lf_stress_close_put(c, status != LF_OK);
    return status == LF_TIMEDOUT || status == LF_CANCELLED ? LF_OK : status;
}
LF_STRESS_LOOP(struct lf_event_count, event_count)
