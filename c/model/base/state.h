/* state.h: the state of the runtime. */
#ifndef LOCKFREE_MODEL_STATE_H
#define LOCKFREE_MODEL_STATE_H

#include "event.h"
#include "../lockfree_model.h"
#include "../seam.h"

#include <stdbool.h>
#include <time.h>

enum run_end {
    RUN_DONE,
    RUN_CUT,   /* not fair, or explored elsewhere */
    RUN_BOUND, /* a thread went beyond the step bound */
    RUN_VIOLATION,
    RUN_AGAIN,    /* an access wider than known before: start over */
    RUN_UNUSABLE, /* the client is too large for the tables, or behaves differently when run again */
};

struct read_at {
    uint64_t place; /* in the program: see place_of */
    struct loc *loc;
    u128 value;
};

struct iteration { /* what a thread looked at since its last pause */
    int reads;
    bool pure;       /* wrote nothing new */
    bool incomplete; /* more reads than entries */
    struct read_at entry[MAX_ITERATION];
};

struct loop;
struct barrier;

struct frame { /* of a function that runs: its variables are above `bottom` and below `top` */
    uintptr_t bottom, top;
    uint32_t access; /* number of the last plain access before it, and of events */
    int events;
};

struct thread {
    void *context; /* saved stack pointer */
    char *stack;
    clk hb, porf;
    clk acquire_pending; /* for an acquire fence: what relaxed loads would have learned */
    clk release_fence;   /* hb at the last release fence */
    uint64_t clock_ns, clock_step, random;
    long parked_at;  /* stores at the time */
    uint32_t looks;  /* plain accesses to what is not on its stack */
    uint32_t silent; /* plain reads since its last step, and how often it has let others go first meanwhile */
    uint8_t lenient;
    uint64_t paused_at, pauses; /* where and how often */
    int last_access;            /* number of its last event that is no choice; -1: none */
    int depth, op, useless_turns, timeouts, spurious, weak_failures, steps, created;
    int impatient_reads, period, alone_for; /* loops.c */
    struct loop *loop;
    struct barrier *barrier;                  /* it waits at: steps/meeting.c */
    bool (*hopes_for)(u128 value, u128 with); /* of its next read, which waits for that; NULL: it does not wait */
    u128 hopes_with;
    bool tries_again; /* its next read is one of several in a row */
    uintptr_t hopes_at;
    const char *doing, *waits_to; /* objects/objects.h: for traces */
    uintptr_t waits_at;
    void *(*start)(void *); /* threads.c: of a thread that another one created */
    void *argument, *result;
    bool joined, detached;
    int elder, twin_of; /* symmetry.c */
    int last_created, at_last_created;
    bool joins_twins;
    bool absent; /* not created in this execution */
    int32_t events, sc_events, last_fence;
    int32_t turn_from, turn_to; /* events of a turn that changed nothing: turns.c */
    uint8_t tid;
    bool finished, blocked, stopped, parked, asleep, could_time_out, must_read_newest;
    bool behind_scenes;      /* inside a futex call: its parts are not shown one by one */
    bool patient, impatient; /* in a waiting loop: loops.c */
    bool gave_up_turning;    /* seen by others or not, it made enough of them: turns.c */
    bool ended_by_turn;      /* blocked or parked since a turn that changed nothing */
    bool yields;             /* it reads the same again: others may go first at no cost */
    bool promises;           /* its stores are the last ones of their objects */
    struct iteration now, before;
    uint64_t path[MAX_DEPTH + 1]; /* of calls, as a hash: [n] for the innermost n */
    uint64_t here;                /* of its last plain access */
    struct frame frame[MAX_DEPTH];
};

enum phase { IN_SETUP, IN_THREADS, IN_FINAL };
struct op_record {
    struct lf_model_op op;
    enum phase phase;
    clk begin;
    int32_t end; /* events of its thread at the end */
};

enum mode { MODE_EXHAUSTIVE, MODE_BOUNDED, MODE_PCT, MODE_RANDOM, MODE_REPLAY };
enum choice_kind { CHOOSE_THREAD, CHOOSE_READ, CHOOSE_PLACE, CHOOSE_VALUE };

struct options {
    const char *client, *replay, *progress;
    enum mode mode;
    long executions;
    double seconds, silent;
    uint64_t seed;
    int preemptions, depth, steps, spins, stop_thread, stop_step;
    bool threads_stop, c20_release_sequence, weak_failures, outcomes, positions, list, no_shrink, symmetry, no_symmetry,
        no_turns, ask, enclosed;
};

struct runtime {
    struct options options;
    const struct lf_model_client *client;
    struct event *event;
    int events;
    int (*by_thread)[MAX_THREAD_EVENTS];
    int (*sc_list)[MAX_THREAD_EVENTS]; /* [t][n]: the event with sc_number n + 1 */
    struct thread thread[MAX_THREADS];
    struct thread *current;
    int threads;                      /* of this execution, numbered from 1 */
    int client_threads, most_threads; /* that are there from the beginning; that any execution has had */
    bool whole_program;               /* the client is one: its main is thread 1 */
    bool symmetry_off;                /* somebody tells twins apart */
    bool any_twins;                   /* in this execution */
    bool too_many_threads;            /* for this runtime: the other one may have room */
    bool numbers_given;               /* some execution asked for a number that stands for all */
    bool process_ended;               /* in this execution some thread called exit() */
    bool one_futex_queue;             /* some thread of some execution moves sleepers from one futex to another */
    bool started;                     /* constructors are done */
    bool ready;                       /* setup is done */
    bool running;                     /* false in setup and final: accesses are made directly */
    bool copies;                      /* a block copy reads, which may carry what nobody has written */
    bool any_sc;                      /* this execution has seq_cst events */
    bool any_light, any_heavy;        /* and asymmetric fences */
    bool uses_membarrier;             /* some thread of some execution does */
    bool cut_short;                   /* a loop that stores was not followed as far as others could have seen it */
    bool was_blocked;  /* the execution that has just ended: a thread waits for what comes in another one */
    bool tainted;      /* some thread assumed what is false: report nothing */
    bool graph_rules;  /* how pauses work: steps/schedule.c */
    uintptr_t touched; /* the last access to memory, and where it is: for those that crash in the runtime */
    uint64_t touched_pc;
    uint32_t accesses; /* plain ones in this execution */
    long stores_made;  /* that changed something, in this execution */
    void *main_context;
    enum run_end end;
    char failure_kind[64], failure[512];
    int failing_thread; /* 0: found after the execution */
    struct op_record ops[MAX_OPS];
    int op_count, ops_of_setup;
    uint16_t *trail;
    int trail_length;
    char outcome[512];
    uint32_t dead_participants; /* since setup */
    uint32_t mortal;            /* that some thread of some execution has declared dead */
    bool overdue;               /* the search has used its time: the execution that is going on is not followed */
    double until;               /* when that is; 0: never */
    int heartbeat;              /* moves with every visible step: for the watchdog */
};

extern struct runtime R;
/* Everything of the runtime that changes lives in this section, which is not part of the program's memory
 * that is put back between executions. It begins as zeros, which take no room in a file: a client is linked sooner. */
#if defined __clang__ || !defined __x86_64__ /* other assemblers, other comments */
#define MODEL_STATE __attribute__((section("lf_model_state")))
#else
#define MODEL_STATE __attribute__((section("lf_model_state,\"aw\",@nobits#"))) /* # hides what gcc appends */
#endif

static inline int current_thread(void) { return R.current != NULL ? R.current->tid : 0; }
/* A position in the program together with the calls that led there. */
static inline uint64_t place_of(const struct thread *t, uint64_t pc) {
    return pc ^ t->path[t->depth < MAX_DEPTH ? t->depth : MAX_DEPTH];
}

#endif
