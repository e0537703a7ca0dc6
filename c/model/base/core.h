/* core.h: the state of the runtime, and what its files offer each other. */
#ifndef LOCKFREE_MODEL_CORE_H
#define LOCKFREE_MODEL_CORE_H

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
    uint64_t clock_ns, random;
    long parked_at;  /* stores at the time */
    int last_access; /* number of its last event that is no choice; -1: none */
    int depth, op, useless_turns, timeouts, spurious, steps, created;
    int impatient_reads, period, alone_for; /* loops.c */
    struct loop *loop;
    struct barrier *barrier;      /* it waits at: barrier.c */
    const char *doing, *waits_to; /* blocking.h: for traces */
    uintptr_t waits_at;
    void *(*start)(void *); /* threads.c: of a thread that another one created */
    void *argument, *result;
    bool joined, detached;
    int elder, twin_of; /* symmetry.c */
    int last_created, at_last_created;
    bool joins_twins;
    bool absent, ended_process; /* not created in this execution; called exit() */
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
    double seconds;
    uint64_t seed;
    int preemptions, depth, steps, spins, stop_thread, stop_step;
    bool threads_stop, c20_release_sequence, outcomes, positions, list, no_shrink, symmetry, no_symmetry, no_turns;
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
    bool symmetry_off;                /* somebody tells twins apart */
    bool any_twins;                   /* in this execution */
    bool too_many_threads;            /* for this runtime: the other one may have room */
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
    bool graph_rules;  /* how pauses work: see run.c */
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
    int heartbeat;              /* moves with every visible step: for the watchdog */
};

extern struct runtime R;
/* Everything of the runtime that changes lives in this section, which is not part of the program's memory
 * that is put back between executions. */
#define MODEL_STATE __attribute__((section("lf_model_state")))

static inline int current_thread(void) { return R.current != NULL ? R.current->tid : 0; }
/* A position in the program together with the calls that led there. */
static inline uint64_t place_of(const struct thread *t, uint64_t pc) {
    return pc ^ t->path[t->depth < MAX_DEPTH ? t->depth : MAX_DEPTH];
}

/* rc11.c, access.c: atomic accesses. Values are those of the accessed bytes, in the low end. */
typedef u128 (*change_function)(u128 old, u128 operand);
void memory_start(void);
void memory_reset(void);
u128 model_load(uintptr_t address, unsigned size, int order, uint64_t pc);
void model_store(uintptr_t address, unsigned size, u128 value, int order, uint64_t pc);
u128 model_rmw(uintptr_t address, unsigned size, change_function change, u128 operand, int order, uint64_t pc);
typedef bool (*condition_function)(u128 old, u128 operand);
bool model_rmw_if(uintptr_t address, unsigned size, condition_function can, change_function change, u128 operand,
                  int order, u128 *old, uint64_t pc);
bool model_cas(uintptr_t address, unsigned size, u128 *expected, u128 desired, int success, int failure, uint64_t pc);
void model_fence(int order, uint64_t pc);
int model_choose(int options, uint64_t pc);
void model_mark(uint64_t pc);
bool model_choose_impatience(bool open, uint64_t pc);
int coherence_bound(const struct loc *loc, const clk *hb);

/* futex.c */
void record_death(void);
u128 wake_request(int n, uint64_t pc);
u128 leave_queue(u128 sleepers, u128 request);
int futex_wait(uint32_t *word, uint32_t expected, uint64_t timeout_ns, uint64_t pc);
int futex_wake(uint32_t *word, int n, uint64_t pc);
int futex_requeue(uint32_t *word, int wake, int move, uint32_t *to, const uint32_t *expected, uint64_t pc);

void start_thread(int tid);
void finish_thread(void);

/* symmetry.c */
void symmetry_of_client(void);
void symmetry_of_created(struct thread *creator, int tid);
void symmetry_is_broken(void);
void symmetry_joins(struct thread *t, int tid, bool looks_at_result);
void symmetry_does_something_else(struct thread *t);
void symmetry_step(struct thread *t);

/* barrier.c */
void barriers_reset(void);
bool barrier_is_open(const struct thread *t);

/* threads.c */
void run_created_thread(struct thread *t);
void end_of_thread(struct thread *t);
void births_add(int creator);
void births_print(void);
void warn_of_unjoined(void);

/* process.c, keys.c */
bool is_program(void);
extern const struct lf_model_client program_client;
void run_thread_destructors(void);
void run_key_destructors(void);
void run_cleanups(void);
uint32_t random_number(void);

/* location.c: which bytes are one atomic object. */
void locations_reset(void);
void locations_forget_widths(void);
struct loc *location_at(uintptr_t address, unsigned size);
struct loc *locations_overlapping(uintptr_t address, size_t size, struct loc *after);
void widths_print(void);
void widths_add(uintptr_t address, unsigned size);
u128 memory_get(uintptr_t address, unsigned size);
void memory_put(uintptr_t address, unsigned size, u128 value);

/* seqcst.c: the psc axiom. hb is the clock that the new event will have. */
bool sc_allows_read(const struct loc *loc, int position, bool sc, const clk *hb);
bool sc_allows_store(const struct loc *loc, int position, bool sc, const clk *hb);
void sc_commit(struct event *event, int position);

/* asymmetric.c: light fences and membarrier. */
void model_light_fence(uint64_t pc);
bool membarrier_is_allowed(void);
int membarrier(uint64_t pc);
bool asymmetric_allows(const struct loc *loc, int first_store, const clk *hb);

/* shadow.c: plain accesses; heap.c: what memory exists. */
void shadow_start(void);
void shadow_reset(void);
void plain_access(uintptr_t address, size_t size, bool write, uint64_t pc);
void atomic_access(uintptr_t address, unsigned size, bool write, uint64_t pc);
void end_of_memory(uintptr_t low, uintptr_t high, uint64_t pc);
void race(const char *what, bool write, uintptr_t address, uint64_t pc, int tid, const char *other, uint64_t other_pc);
void heap_start(void);
void heap_snapshot(void);
void heap_restore(void);
void *heap_allocate(size_t size, size_t align, bool zeroed, uint64_t pc);
void heap_free(void *pointer, uint64_t pc);
void *heap_reallocate(void *pointer, size_t size, uint64_t pc);
void heap_check(uintptr_t address, size_t size, bool write, uint64_t pc);
void heap_print(void);
void heap_warn_of_lost(void);
bool heap_contains(uintptr_t address);
bool heap_is_written(uintptr_t address, size_t size);

/* stack.c: which variables on stacks are alive and written. */
void stack_begin(const struct thread *t);
void stack_check(uintptr_t address, size_t size, bool write, uint64_t pc);
bool stack_is_written(uintptr_t address, size_t size);
void stack_enter(const struct thread *t, const struct frame *frame);
void stack_leave(const struct thread *t, const struct frame *frame, uint64_t pc);

/* fiber.c */
void fibers_start(void);
void fiber_prepare(struct thread *thread, void (*entry)(void));
void fiber_switch(struct thread *to);
void fiber_to_main(void);
struct thread *stack_owner(uintptr_t address); /* NULL: not on a stack */
const void *stack_top(const struct thread *t);
bool stack_exhausted(uintptr_t address);

/* tls.c */
void tls_start(void);
void tls_switch(int tid);
void tls_snapshot(void);
void tls_reset(int tid);
void tls_print(void);
const char *tls_block(int tid, size_t *bytes);

/* run.c: one execution, and the points at which threads change. */
void enter_step(void);
void leave_run(enum run_end end) __attribute__((noreturn));
void too_large(long most, const char *what) __attribute__((noreturn));
void fail(const char *kind, const char *format, ...) __attribute__((format(printf, 2, 3)));
void block_current(void);
void go_on(void);
enum run_end run_once(void);
void run_start(void);

/* turns.c: turns of a loop that change nothing. */
bool turns_arrive(struct thread *t, uint64_t pc);
void turns_forget(struct thread *t);
void turns_note_write(struct thread *t, uintptr_t address, size_t size);
void turns_note_read(const struct thread *t, const struct event *read);
void print_open_loops(void);
bool turn_was_seen(const struct thread *t);
bool turn_has_news(const struct thread *t);
bool turn_stores(const struct thread *t);

/* loops.c: threads that wait for a change. */
void spin_check(uintptr_t address, uint64_t pc);
void pause_at(uint64_t pc);
void note_read(struct thread *t, struct loc *loc, u128 value, uint64_t pc);
void break_iteration(struct thread *t);
void end_impatience(struct thread *t, bool by_itself);
bool seen_last_turn(const struct thread *t, const struct loc *loc, uint64_t pc, u128 *value);
bool newest_was_read(const struct thread *thread);
bool could_give_up(const struct thread *t);
void print_loops(void);

/* choose.c: the one function that all nondeterminism goes through, and the ways to explore. */
int choose(enum choice_kind kind, int options);
int choose_thread(const int *list, int open, int count, int current);
bool choose_impatience(bool open);
void trail_add(int number);

/* graph.c: every execution graph once. */
int graph_thread(const int *list, int open, int count);
int graph_pick_read(struct loc *loc, const int *candidate, const bool *conflicting, int count, bool *conflict);
int graph_pick_place(struct loc *loc, const int *place, int count);
int graph_pick_value(int options);
void graph_pick_nothing(void);
bool graph_pick_impatience(bool open);
void graph_new_store(struct loc *loc, int write, bool conflict);
void graph_added(int event);

/* linear.c, report.c */
bool linearizable(void);
void note_position(uint64_t pc);
void print_positions(void);
void print_branches(void);
void report_execution(const char *verdict);
void report_start(bool one_execution);
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_warnings(void);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
