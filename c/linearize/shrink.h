/* Making a counterexample small: the candidate, and what its files do with it. */
#ifndef LF_LINEARIZE_SHRINK_H
#define LF_LINEARIZE_SHRINK_H

#include "linearize/internal.h"

enum { LIN_START_MAX = 64 }; /* words of a state in which a counterexample may begin */

struct lin_shrink {
    struct lin_run *run;
    struct lf_history_op *ops; /* the candidate, in history order */
    uint32_t *origin, n;       /* their indices in the history */
    const uint32_t *all;       /* [all_n] everything that was done to the object */
    uint32_t all_n;
    uint32_t *unit, units;        /* what is left out together; LIN_NO: nothing may leave it out */
    uint8_t *gone;                /* [units] */
    struct lf_history_op *some;   /* room for a test */
    uint32_t *kept;               /* their indices in the history */
    uint32_t *named;              /* custom: by which number `step` knows them */
    uint64_t deadline, work_end;  /* that of the check; how much this thread may work: others do not make it shorter */
    int64_t start[LIN_START_MAX]; /* the state before it, if `started` */
    uint32_t start_count;
    bool started;
};

/* shrink_verdict.c */
/* Is it wrong by itself? ops[i] is operation origin[i]; `result` belongs to the caller. */
int32_t lin_verdict_of(struct lin_shrink *s, const struct lf_history_op *ops, const uint32_t *origin, uint32_t n,
                       struct lf_lin_result *result);
bool lin_still_wrong(struct lin_shrink *s); /* without what is gone */
bool lin_says_so(struct lin_shrink *s);     /* Does the history agree with what the candidate says about a value? */
bool lin_is_late(const struct lin_shrink *s);

/* shrink_units.c: what can be left out together */
enum { LIN_BY_VALUE, LIN_BY_ANSWER, LIN_BY_PAIR };
bool lin_form_units(struct lin_shrink *s, int how);
void lin_leave_out(struct lin_shrink *s); /* ever smaller stretches of units, while the candidate stays wrong */
void lin_compact(struct lin_shrink *s);   /* forgets what was left out */

/* shrink_time.c: where it can end and begin */
uint32_t lin_cut(const struct lf_history_op *from, const uint32_t *origin, uint32_t n, uint64_t end,
                 struct lf_history_op *to, uint32_t *to_origin);
void lin_shortest_prefix(struct lin_shrink *s);
void lin_end_it(struct lin_shrink *s);
void lin_from_empty(struct lin_shrink *s);
void lin_from_known_value(struct lin_shrink *s);

#endif
