#include <lockfree/mutex.h>
#include <lockfree/spinlock.h>

/* Mutex and SpinLock: sections that count in a plain variable, which nothing but the lock guards. */
enum { LF__LOCK_TRY, LF__LOCK_TIMED, LF__LOCK_FOREVER, LF__LOCK_FOREIGN };

/* The section: what the plain counter says, then one more. */
static uint64_t lf_stress_enter(struct lf_stress_client *c) { return *(volatile uint64_t *)&c->control->unguarded; }
static void lf_stress_leave(struct lf_stress_client *c, uint64_t seen) {
    *(volatile uint64_t *)&c->control->unguarded = seen + 1;
    lf__last(c)->arg2 = (int64_t)seen; /* kept with the acquire, for lf_stress_sections */
}

/* The sections as a history of a counter: a section is a fetch_add that begins where its acquire returned and ends where
 * its release is called. */
static uint64_t lf_stress_sections(const struct lf_stress_log *log, struct lf_history_op *sections) {
    uint64_t n = 0;
    for (uint64_t i = 0; i < log->count; i++) {
        const struct lf_history_op *acquire = &log->records[i];
        if (acquire->op != LF_OP_ACQUIRE || acquire->ret == LF_HISTORY_PENDING || (acquire->flags & LF_HISTORY_FAILED))
            continue;
        struct lf_history_op *section = &sections[n++];
        *section = *acquire;
        section->op = LF_OP_FETCH_ADD;
        section->call = acquire->ret;
        section->arg = 1;
        section->arg2 = 0;
        section->result = acquire->arg2;
        section->ret = LF_HISTORY_PENDING;
        for (uint64_t j = i + 1; j < log->count && section->ret == LF_HISTORY_PENDING; j++)
            if (log->records[j].op == LF_OP_RELEASE)
                section->ret = log->records[j].call;
        if (section->ret == LF_HISTORY_PENDING)
            section->result = LF_HISTORY_NONE;
    }
    return n;
}

static void lf__stress_section(struct lf_stress_client *c) {
    uint64_t seen = lf_stress_enter(c);
    switch (lf__below(c, 32)) {
    case 0:
        sched_yield();
        break;
    case 1:
        for (int i = 0; i < 100; i++)
            lf_pause();
    }
    lf_stress_leave(c, seen);
}

/* plan.kind: deaths are expected, and so is a lock whose last holder died. */
#define LF_STRESS_LOCK(lock)                                                                                           \
    static int lf__stress_##lock(struct lf_##lock *l, struct lf_stress_client *c) {                                    \
        uint32_t which = lf__some_operation(c);                                                                        \
        uint64_t until = which == LF__LOCK_FOREVER ? LF_FOREVER : lf__some_deadline(c);                                \
        int status = LF_INTERRUPTED;                                                                                   \
        if (which == LF__LOCK_FOREIGN) {                                                                               \
            lf_stress_open(c, LF_OP_RELEASE, 1, 0);                                                                    \
            status = lf_##lock##_release(l);                                                                           \
            lf_stress_close_put(c, status == LF_NOT_OWNER);                                                            \
            return status == LF_NOT_OWNER ? LF_OK : status;                                                            \
        }                                                                                                              \
        lf_stress_open(c, LF_OP_ACQUIRE, 1, 0);                                                                        \
        while (status == LF_INTERRUPTED)                                                                               \
            status = which == LF__LOCK_TRY ? lf_##lock##_try_acquire(l) : lf_##lock##_acquire(l, until);               \
        lf_stress_close_put(c, status == LF_TIMEDOUT);                                                                 \
        if (status == LF_TIMEDOUT)                                                                                     \
            return LF_OK;                                                                                              \
        if (status == LF_OWNER_DIED && c->plan.kind)                                                                   \
            status = lf_##lock##_recover(l);                                                                           \
        if (status != LF_OK)                                                                                           \
            return status;                                                                                             \
        lf__stress_section(c);                                                                                         \
        lf_stress_open(c, LF_OP_RELEASE, 1, 0);                                                                        \
        status = lf_##lock##_release(l);                                                                               \
        lf_stress_close_put(c, status == LF_NOT_OWNER); /* which the history cannot explain */                         \
        return status == LF_NOT_OWNER ? LF_OK : status;                                                                \
    }                                                                                                                  \
    LF_STRESS_LOOP(struct lf_##lock, lock)
LF_STRESS_LOCK(mutex)
LF_STRESS_LOCK(spinlock)
