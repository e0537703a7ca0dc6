/* What the files of the engine share. Positions in time are ranks, not nanoseconds:
 *
 * The E call and return instants are sorted (equal instants: calls first, so they overlap) and numbered
 * 0..E-1. Between event g and event g+1 lies gap g; an operation with call rank c and return rank r can take
 * effect in the gaps c..r-1. A pending operation has return rank E. Gap E, after everything, is where
 * "never" happens. */
#ifndef LF_LINEARIZE_INTERNAL_H
#define LF_LINEARIZE_INTERNAL_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "linearize/linearize.h"

#define LIN_NO UINT32_MAX

struct lin_block {
    struct lin_block *next;
    size_t bytes;
};

/* One check: its limits, its memory (all released at the end) and the result it fills. */
struct lin_run {
    const struct lf_history_op *ops;
    const struct lf_lin_spec *spec;
    const struct lf_lin_options *options;
    struct lf_lin_result *result;
    struct lin_block *blocks;
    uint64_t bytes, deadline, work_end; /* an instant; what this thread may have used of a processor; 0: no limit */
    uint32_t polls;
    uint64_t settled;
    int32_t stopped;                  /* a reason for UNKNOWN, or 0 */
    uint64_t allowance, spent_before; /* a turn of an object ends after so many configurations; 0: never */
    bool across;                      /* batches over several objects, which were decided one by one */
    uint32_t ordered;                 /* operations of options->order that belong to objects decided before */
};

/* A history to decide: operations `index[0..n)` of run->ops. */
struct lin_problem {
    struct lin_run *run;
    uint32_t *index;
    uint32_t n, events;
    uint32_t *call, *ret;           /* [n] ranks */
    uint32_t *event;                /* [events]: operation * 2 + (1 if return) */
    uint32_t *before;               /* [n] or NULL: the previous operation of the same batch, or LIN_NO */
    uint8_t *skip;                  /* [n] or NULL: LIN_SETTLED or LIN_PLACED for answers that a weak mode allows */
    const int64_t *same;            /* [n] or NULL: puts for which this is equal may change gets */
    uint32_t *may_full, *may_empty; /* [events] or NULL: 1 + the last gap <= g where a weak FULL, EMPTY is right */
};

/* A value that was put and perhaps taken, as gaps: put in [put_lo, put_hi], get in [get_lo, get_hi]. */
struct lin_value {
    int64_t value;
    uint32_t put, get; /* operations of the problem, LIN_NO if none */
    uint32_t put_lo, put_hi, get_lo, get_hi;
    uint32_t put_at, get_at; /* the gaps chosen by lin_squeeze */
};

/* A settled answer is right whatever the order. One in a batch also has a place in the order of the batch. */
enum { LIN_SETTLED = 1, LIN_PLACED = 2 };

/* The operations of one object, or of several that are decided together. */
struct lin_part {
    const uint32_t *index;
    uint32_t n;
};

enum { LIN_ACCEPT, LIN_REJECT, LIN_UNDECIDED }; /* what a decision procedure answers */

static inline const struct lf_history_op *lin_op(const struct lin_problem *p, uint32_t i) {
    return &p->run->ops[p->index[i]];
}
static inline bool lin_pending(const struct lf_history_op *op) { return op->ret == LF_HISTORY_PENDING; }
static inline bool lin_failed(const struct lf_history_op *op) {
    return (op->flags & LF_HISTORY_FAILED) && !lin_pending(op);
}
static inline uint32_t lin_min(uint32_t a, uint32_t b) { return a < b ? a : b; }
static inline bool lin_is_put(const struct lf_history_op *op) {
    return op->op == LF_OP_PUT || op->op == LF_OP_PUSH || op->op == LF_OP_PUT_FRONT;
}
/* Where a put of a priority queue stands; smaller ones come out earlier. Without fronts it is the priority. */
static inline int64_t lin_line(const struct lf_lin_spec *spec, const struct lf_history_op *put) {
    return spec->fronts ? (int64_t)((uint64_t)put->arg2 * 2 + (put->op != LF_OP_PUT_FRONT)) : put->arg2;
}
static inline int64_t lin_line_priority(const struct lf_lin_spec *spec, int64_t line) {
    return spec->fronts ? line >> 1 : line;
}
static inline bool lin_is_get(const struct lf_history_op *op) { return op->op == LF_OP_GET || op->op == LF_OP_POP; }
/* When it took effect among others of its kind, as the object counted; LIN_NO_TICKET if it did not say. */
#define LIN_NO_TICKET INT64_MAX
static inline int64_t lin_ticket(const struct lf_history_op *op) {
    return !(op->flags & LF_HISTORY_TICKET) ? LIN_NO_TICKET : op->op == LF_OP_CAS ? op->result : op->arg2;
}
/* Its second argument. */
static inline int64_t lin_second(const struct lf_history_op *op) {
    return (op->flags & LF_HISTORY_TICKET) && op->op != LF_OP_CAS ? 0 : op->arg2;
}
/* Is there a gap in [from, to] where this weak answer is right? */
static inline bool lin_weak_in(const struct lin_problem *p, uint32_t i, uint32_t from, uint32_t to) {
    const uint32_t *may = lin_is_put(lin_op(p, i)) ? p->may_full : p->may_empty;
    return may && may[lin_min(to, p->events - 1)] > from;
}
static inline uint32_t lin_max(uint32_t a, uint32_t b) { return a > b ? a : b; }
static inline uint64_t lin_mix(uint64_t x) {
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    return x;
}

/* run.c */
uint64_t lin_now(void), lin_work(void); /* ns of the clock, and of a processor by this thread */
void *lin_alloc(struct lin_run *run, size_t count, size_t size); /* NULL and run->stopped at the limit */
void lin_free(struct lin_run *run, void *memory);
void lin_release(struct lin_run *run, struct lin_block *until); /* what was allocated since */
bool lin_poll(struct lin_run *run);                             /* false: stop now */
int lin_reject(struct lin_problem *p, int reason, uint32_t break_op, const uint32_t *core, uint32_t count,
               int64_t detail0, int64_t detail1);
bool lin_problem_init(struct lin_problem *p, struct lin_run *run, uint32_t *index, uint32_t n);
void lin_problem_free(struct lin_problem *p);
void lin_sort_pairs(struct lin_run *run, uint64_t *key, uint32_t *item, size_t n);
/* number[item[k]] becomes the rank of key[k] among the `n` keys; how many different ones there are. */
uint32_t lin_rank_keys(struct lin_run *run, uint64_t *key, uint32_t *item, uint32_t n, uint32_t *number);
/* The same of the values that calls put or got; number[i] is LIN_NO of a call without one. `key` and `item` have room for all
 * calls; the first *n places of `item` are those with a value. */
uint32_t lin_rank_values(const struct lin_problem *p, uint64_t *key, uint32_t *item, uint32_t *n, uint32_t *number);
/* Puts `op` into the list that begins at *first, by return. What never returns is put before others of its kind, so it costs
 * no more than the operations that are open. */
void lin_open_by_return(const struct lin_problem *p, uint32_t *first, uint32_t *next, uint32_t op);

/* values.c: matching, orders, coverage */
struct lin_table {
    struct lin_value *values;
    uint32_t m;
    uint32_t *empty, empties;    /* gets that answered EMPTY */
    uint32_t *loose, loose_gets; /* pending gets, by call: each may have taken one value, or nothing */
    uint32_t taken_from;         /* gap of the earliest loose get, or events if there is none */
};
int lin_table_build(struct lin_problem *p, struct lin_table *t);
/* When the put and the get of the value can take effect. What never returned, and brought nothing, need not. */
void lin_bound_value(const struct lin_problem *p, struct lin_value *v);
enum lin_prefer { LIN_FIRST_PUT, LIN_LAST_PUT, LIN_FIRST_GET, LIN_LAST_GET, LIN_LIKELY }; /* the smallest comes first */
int lin_value_order(struct lin_problem *p, struct lin_value *v, uint32_t m, const struct lin_table *t,
                    uint32_t *loose_next, uint32_t *order, enum lin_prefer prefer);
int lin_reject_not_empty(struct lin_problem *p, const struct lin_table *t, uint32_t get, uint32_t put, int reason);

/* likely.c: place[i] is twice that of value i */
bool lin_likely_places(struct lin_problem *p, const struct lin_value *v, uint32_t m, uint32_t *place);

/* places.c: values at the gaps chosen for them */
int lin_table_of_possible(struct lin_problem *p, struct lin_table *t); /* the table; EMPTY and capacity are looked at */
void lin_squeeze(struct lin_value *v, const uint32_t *order, uint32_t m);
enum lin_passing { LIN_IN_LINE, LIN_BY_TAKING, LIN_NESTED };
bool lin_pass_through(struct lin_problem *p, struct lin_table *t, const uint32_t *order, const uint32_t *last_free,
                      enum lin_passing how);
uint32_t *lin_last_free(struct lin_problem *p, const struct lin_table *t);

/* bounded.c: queues with a capacity */
bool lin_sweep(struct lin_problem *p, const struct lin_value *v, uint32_t m, const uint32_t *order);
void lin_repair(struct lin_problem *p, struct lin_value *v, uint32_t m, uint32_t *order);
bool lin_may_pass(const struct lin_problem *p, const struct lin_value *later, const struct lin_value *earlier);

/* reorder.c */
bool lin_sweep_reordering(struct lin_problem *p, struct lin_value *v, uint32_t m, uint32_t *order);

/* witness.c: a linearization, and the independent replay that certifies it */
struct lin_witness {
    struct lin_problem *p;
    uint32_t *op, *gap, count;
    const uint32_t *tie; /* [n] or NULL: which of equal priorities comes first, by put */
};
bool lin_witness_init(struct lin_witness *w, struct lin_problem *p);
static inline void lin_emit(struct lin_witness *w, uint32_t op, uint32_t gap) {
    w->op[w->count] = op;
    w->gap[w->count++] = gap;
}
void lin_witness_free(struct lin_witness *w);
bool lin_witness_sort(struct lin_witness *w);  /* by gap, stable */
bool lin_witness_holds(struct lin_witness *w); /* true: it is a linearization */

/* batch.c: values that one call put or got */
void lin_align_batches(struct lin_problem *p, struct lin_table *t, const uint32_t *order);
void lin_tighten_batches(struct lin_problem *p, struct lin_table *t);
uint32_t lin_batch_first_get(struct lin_problem *p, const struct lin_value *v, const uint32_t *owner,
                             const struct lin_value *x);
bool *lin_late_gets(struct lin_problem *p, const struct lin_table *t);
bool lin_emit_batched(struct lin_witness *w, const struct lin_table *t, const uint32_t *order, const bool *late);

/* stack.c: takes outermost values away until none is left (true) or none can be; order[0..done) is outermost first, and
 * last_free[g] the last gap <= g in which nothing is certainly inside. */
bool lin_peel(struct lin_problem *p, struct lin_table *t, uint32_t *order, uint32_t *done, uint32_t *last_free);

/* the decision procedures; each answers LIN_ACCEPT, LIN_REJECT (result filled) or LIN_UNDECIDED */
int lin_decide_queue(struct lin_problem *p);
int lin_decide_priority_queue(struct lin_problem *p);
int lin_decide_stack(struct lin_problem *p);
int lin_decide_register(struct lin_problem *p);
int lin_decide_counter(struct lin_problem *p);
int lin_decide_mutex(struct lin_problem *p);
int lin_decide_pool(struct lin_problem *p);
int lin_decide_log(struct lin_problem *p);
int lin_reject_count(struct lin_problem *p); /* rejects, or does not know */
int lin_decide_equal(struct lin_problem *p);
int lin_decide_equal_log(struct lin_problem *p);
int lin_decide_bag(struct lin_problem *p);
int lin_reject_all(struct lin_problem *p); /* no order explains the history; all of it is the counterexample */
/* Is the history right if its operations say what those of `copy` say, as `decide` finds? Then LIN_ACCEPT; else
 * LIN_UNDECIDED, and the result is as it was. */
int lin_decide_renamed(struct lin_problem *p, const struct lf_history_op *copy, int (*decide)(struct lin_problem *));
int lin_decide_stack_pairs(struct lin_problem *p,
                           uint64_t most); /* looks at so many events; accepts, or does not know */
int lin_decide_graph_stack(struct lin_problem *p, uint32_t widest); /* keeps so many configurations; LIN_NO: all */
int lin_search(struct lin_problem *p);
int lin_search_soon(struct lin_problem *p, uint64_t effort); /* depth first, a part of it */

/* filter.c: the answers FULL and EMPTY */
bool lin_strict_full(const struct lin_problem *p);             /* has FULL answers in their strict reading */
bool lin_filter_answers(struct lin_problem *p, int *decision); /* weak FULL and EMPTY */

/* decide.c: fills run->result, without a counterexample; of a violation, *wrong is where it was found, until release */
void lin_decide_history(struct lin_run *run, size_t count, struct lin_part *wrong);

/* shrink.c: makes the counterexample of run->result small */
void lin_shrink_core(struct lin_run *run, const uint32_t *index, uint32_t n);

/* spec.c: the sequential specifications, as functions on small states of int64_t words */
typedef void (*lin_emit_state)(void *context, const int64_t *words, uint32_t count);
uint32_t lin_spec_initial(const struct lf_lin_spec *spec, int64_t *words);
bool lin_spec_observes(const struct lf_lin_spec *spec, const struct lf_history_op *op);
int64_t lin_reader(const struct lf_history_op *op);
void lin_spec_step(const struct lf_lin_spec *spec, const struct lf_history_op *op, const int64_t *words, uint32_t count,
                   int64_t *scratch, lin_emit_state emit, void *context);
#endif
