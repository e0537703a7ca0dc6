/* survey.h: what a segment says about its object and those who use it, read through a mapping of the reader's own.
 *
 * Contract: lf_py_X_survey takes a descriptor over, checks and maps what it leads to as an X, fills a lf_py_survey, and
 * unmaps it. It joins nothing, changes nothing, and disturbs nobody: other threads run while it looks through a large
 * segment. What it reads are different instants. */
#ifndef LOCKFREE_PY_SURVEY_H
#define LOCKFREE_PY_SURVEY_H

#include "common/object.h"

struct lf_py_peer {
    uint32_t number, pid, alive, sleepers, roles;
    uint64_t joined, seen; /* ns of CLOCK_MONOTONIC */
};
struct lf_py_survey {
    struct lf_handle h; /* after a failure: why */
    uint64_t sleeps, wakes, refusals, recoveries;
    int64_t puts, gets, inside, room; /* -1: this kind does not count it */
    uint64_t now;
    uint32_t ending, count;
    struct lf_py_peer peers[LF_PARTICIPANTS];
    uint32_t holds[LF_PARTICIPANTS]; /* by number */
};

static void lf_py_survey_segment(struct lf_handle *h, struct lf_py_survey *s) {
    struct lf_statistics sum = lf_statistics(h);
    uint32_t highest = lf_load_relaxed(&h->segment->highest);
    memset(s, 0, sizeof *s);
    s->sleeps = sum.sleeps;
    s->wakes = sum.wakes;
    s->refusals = sum.refusals;
    s->recoveries = sum.recoveries;
    s->puts = s->gets = s->inside = s->room = -1;
    s->now = lf_now();
    s->ending = lf_load_relaxed(&h->segment->ending);
    for (uint32_t number = 1; number < LF_PARTICIPANTS && number <= highest; number++) {
        const struct lf_participant *peer = &h->segment->participants[number];
        if (!lf_load_relaxed(&peer->in_use))
            continue;
        struct lf_py_peer *told = &s->peers[s->count++];
        told->number = number;
        told->pid = lf_load_relaxed(&peer->pid);
        told->alive = lf__byte_lock(h->fd, F_OFD_GETLK, F_WRLCK, number, 1) > 0;
        told->sleepers = told->alive ? lf_load_relaxed(&peer->sleepers) : 0;
        told->roles = lf_load_relaxed(&peer->roles);
        told->joined = peer->joined;
        told->seen = lf_load_relaxed(&peer->seen);
    }
}

static void lf_py_survey_hold(struct lf_py_survey *s, uint64_t participant) {
    if (participant != 0 && participant < LF_PARTICIPANTS)
        s->holds[participant]++;
}

/* Slots in hand: those whose custody word names a holder, and those taken in a cell before their word said so. */
static void lf_py_survey_store(const struct lf_queue *queues, uint32_t n, struct lf_py_survey *s) {
    const struct lf_store *store = queues[0].store;
    for (uint64_t index = 0; index < store->slots; index++) {
        uint64_t word = lf_load_relaxed(lf__custody(store, index));
        if (lf__is_held(word) && lf__custody_queue(word) < n)
            lf_py_survey_hold(s, lf__custody_taker(word) & LF_PARTICIPANT_MASK);
    }
    for (uint32_t q = 0; q < n; q++)
        for (uint64_t place = 0; place <= queues[q].mask; place++) {
            uint64_t cell = lf__cell_at(&queues[q], place), index = lf__cell_index(&queues[q], cell);
            uint64_t position = (cell >> LF__POSITION_SHIFT & ~queues[q].mask) | place;
            uint32_t taker = lf__cell_taker(cell);
            for (uint64_t i = 0; taker != LF__NOBODY && i < lf__cell_taken(cell) && index + i < store->slots; i++)
                if (lf__is_coming_at(lf_load_relaxed(lf__custody(store, index + i)), q, position))
                    lf_py_survey_hold(s, taker & LF_PARTICIPANT_MASK);
        }
}
/* Spare slots are free. */
static void lf_py_survey_spares(const struct lf_spare_view *spares, struct lf_py_survey *s) {
    for (uint32_t keeper = 1; spares->spares != NULL && keeper < LF_SPARES; keeper++)
        if (lf_load_relaxed(&spares->spares->of[keeper].word) != 0 && s->holds[keeper] > 0)
            s->holds[keeper]--;
}

/* `fill`: statements over `x`, the primitive's struct, and the survey `s`. */
#define LF_PY_SURVEY_OF(primitive, structure, kind, fill)                                                              \
    static void lf_py_##primitive##_look_through(struct structure *x, struct lf_py_survey *s) {                        \
        lf_py_survey_segment(&x->h, s);                                                                                \
        fill;                                                                                                          \
        lf_segment_unmap(&x->h);                                                                                       \
    }                                                                                                                  \
    static int lf_py_##primitive##_survey(int fd, struct lf_py_survey *s) {                                            \
        struct structure place, *x = &place;                                                                           \
        int status = lf_segment_adopt(&x->h, fd, &kind);                                                               \
        if (status != LF_OK) {                                                                                         \
            s->h = x->h;                                                                                               \
            return status;                                                                                             \
        }                                                                                                              \
        if (x->h.bytes > LF_PY_LARGE)                                                                                  \
            LF_PY_WITHOUT_GIL(lf_py_##primitive##_look_through(x, s));                                                 \
        else                                                                                                           \
            lf_py_##primitive##_look_through(x, s);                                                                    \
        return LF_OK;                                                                                                  \
    }
#define LF_PY_SURVEY(primitive, fill) LF_PY_SURVEY_OF(primitive, lf_##primitive, lf_##primitive##_kind, fill)

#endif
