#include <lockfree/event.h>

/* One call on an Event, chosen by weight: as a register that holds 0 or 1. A wait that is over reads what it waited for. */
enum { LF__EVENT_SET, LF__EVENT_CLEAR, LF__EVENT_IS_SET, LF__EVENT_WAIT };

static int lf__stress_event(struct lf_event *e, struct lf_stress_client *c) {
    uint32_t which = lf__some_operation(c);
    uint64_t until = lf__some_deadline(c), first;
    int status = LF_INTERRUPTED;
    if (which == LF__EVENT_SET || which == LF__EVENT_CLEAR) {
        lf_stress_open(c, LF_OP_WRITE, which == LF__EVENT_SET, 0);
        status = which == LF__EVENT_SET ? lf_event_set(e) : lf_event_clear(e);
        lf_stress_close_put(c, 0);
        return status;
    }
    lf_stress_open(c, LF_OP_READ, LF_HISTORY_NONE, 0);
    first = lf_event_now(e);
    while (status == LF_INTERRUPTED)
        status = which == LF__EVENT_IS_SET ? lf_event_is_set(e) : lf_event_wait_since(e, first, until);
    if (which == LF__EVENT_WAIT)
        status = status == LF_OK ? 1 : status == LF_TIMEDOUT ? 0 : status;
    lf_stress_close(c, status, 0, 0);
    return status < 0 ? status : LF_OK;
}
LF_STRESS_LOOP(struct lf_event, event)
