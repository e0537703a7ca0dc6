#include <lockfree/barrier.h>

/* Any two clients meet. The second party releases the first: together a semaphore, 0 at first. A wait that was cut
 * off may have been a release. */
enum { LF__BARRIER_WAIT, LF__BARRIER_ABORT };

static int lf__stress_barrier(struct lf_barrier *b, struct lf_stress_client *c) {
    if (lf__some_operation(c) == LF__BARRIER_ABORT) {
        int status = lf_barrier_abort(b);
        return status == LF_OK ? lf_barrier_reset(b) : status;
    }
    uint64_t until = lf__some_deadline(c);
    lf_stress_open(c, LF_OP_RELEASE, 1, 0);
    int64_t place = lf_barrier_wait(b, until);
    if (place == 0)
        lf_stress_close_as(c, LF_OP_ACQUIRE, 1, 0, LF_HISTORY_NONE);
    else if (place > 0)
        lf_stress_close_put(c, 0);
    else
        lf_stress_forget(c, 1);
    return place == LF_BROKEN ? lf_barrier_reset(b) : place < 0 ? (int)place : LF_OK;
}
LF_STRESS_LOOP(struct lf_barrier, barrier)
