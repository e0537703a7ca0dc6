/* Operations that never block: they keep the GIL. Giving it up costs more than most of them take, and with
 * several threads every release hands it to somebody else. */
#undef Py_BEGIN_ALLOW_THREADS
#undef Py_END_ALLOW_THREADS
#define Py_BEGIN_ALLOW_THREADS {
#define Py_END_ALLOW_THREADS }

#include "common/positions.h"

#include "common/arguments.h"
#include "common/object.h"
#include "common/survey.h"

static int lf_py_open(struct lf_handle *h, const char *name) { return lf_segment_open(h, name, NULL); }
static void lf_py_detach(void *h) { lf_py_detach_handle((struct lf_handle *)h); }
/* Makes a zeroed handle one that was closed. */
static void lf_py_closed(void *h) {
    lf__handle_clear((struct lf_handle *)h);
    ((struct lf_handle *)h)->closed = 1;
}
/* The participant that this process is, 0 if it is none: in a forked child another one than its parent's. */
static uint32_t lf_py_participant(struct lf_handle *h) { return lf_enter(h) == LF_OK ? h->participant : 0; }
/* Is that number still this process's? A child that was forked does not join for this question. */
static int lf_py_is_me(const struct lf_handle *h, uint32_t participant) {
    return lf_is_entered(h) && lf_load_relaxed(&h->participant) == participant;
}
LF_PY_TAKE_POSITIONS(lf_py_take_positions)
static uint32_t lf_py_kind(struct lf_handle *h) { return h->segment->identity.kind; }
/* The process that went last, and the kind of the object: LF_OK, or LF_CLOSED. Also where nothing keeps the object attached. */
static int lf_py_gone(const struct lf_handle *h, uint32_t role, uint32_t *pid, int *died, uint32_t *kind) {
    if (lf_load_relaxed(&h->closed) || h->segment == NULL)
        return LF_CLOSED;
    *pid = lf_gone(h, role, died);
    *kind = h->segment->identity.kind;
    return LF_OK;
}

/* The pids of the participants whose byte is locked: what `lockfree ls` shows. */
static uint64_t lf_py_pids(struct lf_handle *h, uint32_t *pids, uint64_t room) {
    uint64_t count = 0;
    for (uint32_t number = 1; number < LF_PARTICIPANTS && number <= h->segment->highest && count < room; number++)
        if (lf_load_relaxed(&h->segment->participants[number].in_use) &&
            lf__byte_lock(h->fd, F_OFD_GETLK, F_WRLCK, number, 1) > 0)
            pids[count++] = h->segment->participants[number].pid;
    return count;
}
