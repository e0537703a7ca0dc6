#include <lockfree/semaphore.h>

/* One call on a Semaphore, chosen by weight. plan.kind: the most permits of one call. */
enum { LF__SEM_TRY, LF__SEM_TIMED, LF__SEM_RELEASE, LF__SEM_TOO_MANY };

static int lf__stress_semaphore(struct lf_semaphore *s, struct lf_stress_client *c) {
    uint32_t which = lf__some_operation(c);
    uint64_t n = 1 + lf__below(c, c->plan.kind), until = lf__some_deadline(c);
    int status = LF_INTERRUPTED;
    if (which == LF__SEM_RELEASE && c->held <= 0)
        which = LF__SEM_TRY;
    if (which == LF__SEM_TRY || which == LF__SEM_TIMED) {
        lf_stress_open(c, LF_OP_ACQUIRE, (int64_t)n, 0);
        while (status == LF_INTERRUPTED)
            status = which == LF__SEM_TRY ? lf_semaphore_try_acquire(s, n) : lf_semaphore_acquire(s, n, until);
        lf_stress_close_put(c, status == LF_TIMEDOUT);
        c->held += status == LF_OK ? (int64_t)n : 0;
        return status == LF_TIMEDOUT ? LF_OK : status;
    }
    if (which == LF__SEM_RELEASE && n > (uint64_t)c->held)
        n = (uint64_t)c->held; /* else permits that nobody acquired: above max they are refused */
    lf_stress_open(c, LF_OP_RELEASE, (int64_t)n, 0);
    status = lf_semaphore_release(s, n);
    lf_stress_close_put(c, status == LF_OVERFLOW);
    c->held -= status == LF_OK ? (int64_t)n : 0;
    return status == LF_OVERFLOW ? LF_OK : status;
}
LF_STRESS_LOOP(struct lf_semaphore, semaphore)
