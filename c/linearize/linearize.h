/* Decides whether a recorded history is linearizable with respect to a sequential specification.
 *
 * Every verdict is backed: OK by a linearization that was built and then replayed against the sequential
 * specification (or by a completed search), VIOLATION by a rule that no linearization can escape, with the
 * few operations that show it. What cannot be decided within the limits is UNKNOWN, never OK.
 *
 * Plain C: no Python, no shared memory, no primitive. A check allocates with malloc, within `memory`, and
 * frees everything except `result->core` (see lf_lin_result_free). */
#ifndef LF_LINEARIZE_LINEARIZE_H
#define LF_LINEARIZE_LINEARIZE_H

#include <stddef.h>
#include "linearize/history.h"

enum lf_lin_kind {
    LF_LIN_QUEUE,
    LF_LIN_STACK,
    LF_LIN_PRIORITY_QUEUE,
    LF_LIN_REGISTER,
    LF_LIN_COUNTER,
    LF_LIN_SEMAPHORE,
    LF_LIN_MUTEX,
    LF_LIN_RWLOCK,
    LF_LIN_SET,
    LF_LIN_MAP,
    LF_LIN_BLOCK_POOL,
    LF_LIN_LOG,
    LF_LIN_CUSTOM
};

/* When may a put answer FULL, a get answer EMPTY? */
enum lf_lin_answer {
    LF_LIN_STRICT,  /* at some instant of the call it was true of the abstract object */
    LF_LIN_IN_HAND, /* FULL: records inside + records in the hands of running operations >= capacity at some
                      instant; a record is in hand from the call of its put and until the return of its get.
                      EMPTY: at some instant the object was empty or a put was running */
    LF_LIN_RUNNING  /* FULL: as above, and every other running put or get may hold one slot too, also one
                      that will fail */
};

struct lf_lin_spec {
    int32_t kind;        /* enum lf_lin_kind */
    int32_t full, empty; /* enum lf_lin_answer */
    int32_t unordered;   /* priority queue: equal priorities come out in any order */
    int32_t fronts;      /* priority queue: put_front puts before all that put has put at that priority, FIFO among its
                            kind; 2 * priority stands in the states in front, 2 * priority + 1 for the rest */
    int64_t capacity;    /* queue, stack, priority queue, log: bound (0: none); block pool: blocks (0: unknown) */
    int64_t initial;     /* register, counter, semaphore: the value at the start */
    int64_t limit;       /* semaphore: release above it fails (0: none) */
};

/* A user's specification: fills out[0..room) with the states after operation `op` (an index into the
 * history) in state `state`; returns how many (0: not allowed here), or -1 to stop the check, LF_LIN_NO_ROOM
 * if it has no memory for more. State 0 is
 * the initial one. States must be equal exactly when their numbers are. */
enum { LF_LIN_NO_ROOM = -2 };
typedef int32_t (*lf_lin_step)(void *context, uint32_t state, uint32_t op, uint32_t *out, uint32_t room);

/* Which procedures may decide: all; the general searches; the near-linear algorithms; one search alone. */
enum lf_lin_only {
    LF_LIN_ONLY_ANY,
    LF_LIN_ONLY_SEARCH,
    LF_LIN_ONLY_FAST,
    LF_LIN_ONLY_BY_RETURN,
    LF_LIN_ONLY_BY_CALL,
    LF_LIN_ONLY_BY_CHANCE,
    LF_LIN_ONLY_FRONTIER
};

#define LF_LIN_CUT UINT32_C(0x80000000)

struct lf_lin_options {
    uint64_t timeout_ns;            /* 0: none */
    uint64_t memory;                /* bytes; 0: none */
    const volatile int32_t *cancel; /* set to non-zero from anywhere to stop; may be NULL */
    volatile uint64_t *progress;    /* operations settled so far; may be NULL */
    int32_t general_only;           /* enum lf_lin_only */
    int32_t partition;              /* custom: 1 if different keys are independent objects */
    int32_t no_core;                /* 1: the verdict is enough, no counterexample */
    uint32_t *order;                /* room for the history, or NULL: see order_count */
    const int64_t *start;           /* words of the state before the history; NULL: the initial one */
    uint32_t start_count;
    const uint32_t *named; /* custom: the number by which step knows operation i, LF_LIN_CUT added where its
                                       return is not part of the history; NULL: i itself */
    lf_lin_step step;      /* custom specifications only */
    void *context;
};

enum lf_lin_verdict { LF_LIN_OK, LF_LIN_VIOLATION, LF_LIN_UNKNOWN };
enum lf_lin_method { LF_LIN_BY_NOTHING, LF_LIN_BY_ALGORITHM, LF_LIN_BY_SEARCH };
enum lf_lin_reason {
    LF_LIN_NO_REASON,
    /* UNKNOWN */
    LF_LIN_TIME,
    LF_LIN_MEMORY,
    LF_LIN_CANCELLED,
    LF_LIN_UNDECIDED,
    LF_LIN_STEP_FAILED,
    LF_LIN_TOO_OPEN,
    LF_LIN_BATCH_ACROSS,
    /* VIOLATION; `core` holds the operations in the order named */
    LF_LIN_NEVER_PUT,      /* get */
    LF_LIN_TAKEN_TWICE,    /* put, get, get */
    LF_LIN_TAKEN_EARLY,    /* put, get */
    LF_LIN_OVERTAKEN,      /* put a, put b, get b [, get a] */
    LF_LIN_CYCLE,          /* operations of the values of a cycle of forced orders */
    LF_LIN_NOT_EMPTY,      /* get, then the operations of the values that fill its interval */
    LF_LIN_NOT_FULL,       /* put, then what could be inside; detail: most that could be, capacity */
    LF_LIN_OVER_CAPACITY,  /* puts (and gets) of values certainly inside at once; detail: number, capacity */
    LF_LIN_LESS_URGENT,    /* get, its put, then the operations of the more urgent values */
    LF_LIN_STALE_READ,     /* write a, read a, write b [, read b] */
    LF_LIN_SAME_RESULT,    /* two operations that both took the same step; detail: the value */
    LF_LIN_ORDER_FORCED,   /* later, earlier: results force an order that the intervals forbid */
    LF_LIN_GAP,            /* operation; detail: the value nobody produced */
    LF_LIN_BOTH_HELD,      /* acquire, its release, acquire, its release */
    LF_LIN_NOT_HELD,       /* release of something the client does not hold */
    LF_LIN_CERTAINLY_FREE, /* failed try, release before, acquire after */
    LF_LIN_BLOCK_TWICE,    /* alloc, [free,] alloc */
    LF_LIN_LOG_DISAGREE,   /* two reads that put two values in different places */
    LF_LIN_LOG_BEHIND,     /* read that found nothing, append that was certainly there */
    LF_LIN_NO_ORDER,       /* found by search: no order explains the core */
    LF_LIN_NOT_NESTED      /* stack: values whose intervals cannot nest */
};

struct lf_lin_result {
    int32_t verdict, reason, method;
    uint32_t core_count;
    uint32_t *core; /* indices into the history; malloc'ed */
    uint32_t rule_count;
    uint32_t *rule;    /* the operations the reason speaks of, in its order; malloc'ed */
    uint64_t end;      /* the core stops here: operations running then are pending in it; 0: it does not */
    int32_t minimal;   /* nothing more can be left out of the core */
    uint32_t break_op; /* the operation whose return no order explains; UINT32_MAX if none */
    int64_t *state;    /* search: words of the state before the core, if it is not the initial one; malloc'ed */
    uint32_t state_count;
    int64_t detail[4];
    uint64_t configurations; /* search: how many were visited */
    uint64_t peak_bytes;
    uint32_t order_count; /* OK: so many operations in options->order, object by object, as they took effect; what may
                             be anywhere is not among them, nor what the frontier search accepted */
};

void lf_lin_check(const struct lf_history_op *ops, size_t count, const struct lf_lin_spec *spec,
                  const struct lf_lin_options *options, struct lf_lin_result *result);
void lf_lin_result_free(struct lf_lin_result *result);

/* The initial state (room for 4 words), and the states after `op` in the state `words`: written to `out` one after the
 * other, end[i] is where state i ends. How many, or -1: they do not fit into `room` words or `most` states. */
uint32_t lf_lin_initial(const struct lf_lin_spec *spec, int64_t *words);
int32_t lf_lin_after(const struct lf_lin_spec *spec, const struct lf_history_op *op, const int64_t *words,
                     uint32_t count, int64_t *out, uint32_t room, uint32_t *end, uint32_t most);

#endif
