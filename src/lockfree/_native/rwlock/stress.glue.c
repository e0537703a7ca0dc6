#include <lockfree/rwlock.h>

/* Readers read a plain counter, writers add to it: a counter, whose sections begin where the lock was taken and end where
 * it is given back. Refusals are not answers here. plan.kind: deaths are expected. */
enum { LF__RW_READ, LF__RW_WRITE, LF__RW_TRY_READ, LF__RW_TRY_WRITE };

static void lf_stress_set(struct lf_stress_client *c, uint64_t value) {
    *(volatile uint64_t *)&c->control->unguarded = value;
}
static int lf__stress_rwlock(struct lf_rwlock *l, struct lf_stress_client *c) {
    uint32_t which = lf__some_operation(c);
    int writes = which == LF__RW_WRITE || which == LF__RW_TRY_WRITE, status = LF_INTERRUPTED, read;
    uint64_t until = which >= LF__RW_TRY_READ ? 0 : lf__some_deadline(c);
    while (status == LF_INTERRUPTED)
        status = writes ? lf_rwlock_write(l, until) : lf_rwlock_read(l, until);
    if (status == LF_OWNER_DIED && c->plan.kind)
        status = writes ? lf_rwlock_recover(l) : LF_TIMEDOUT;
    if (status != LF_OK)
        return status == LF_TIMEDOUT ? LF_OK : status;
    volatile uint64_t *counter = &c->control->unguarded;
    lf_stress_open(c, writes ? LF_OP_FETCH_ADD : LF_OP_LOAD, writes ? 1 : 0, 0);
    uint64_t seen = *counter;
    if (lf__below(c, 16) == 0)
        sched_yield();
    read = *counter == seen;
    if (writes)
        *counter = seen + 1;
    lf_stress_close(c, read ? (int64_t)seen : -1, 0, 0); /* -1: it changed in a section, which no order explains */
    return writes ? lf_rwlock_end_write(l) : lf_rwlock_end_read(l);
}
LF_STRESS_LOOP(struct lf_rwlock, rwlock)
