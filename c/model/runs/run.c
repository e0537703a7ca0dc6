/* run.c: one execution: setup's memory, the threads step by step, final and the checks.
 *
 * A step is a visible event: an atomic access, a fence, a choice. Threads change only before steps. */
#define _GNU_SOURCE
#include "../base/core.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

MODEL_STATE struct runtime R = {.current = &R.thread[0]}; /* constructors are a part of setup */
MODEL_STATE static int last_heartbeat, silent_ticks;

void leave_run(enum run_end end) {
    R.end = end;
    fiber_to_main();
    abort();
}

/* In the client: ends the execution. After it: only remembers. */
void fail(const char *kind, const char *format, ...) {
    va_list list;
    va_start(list, format);
    snprintf(R.failure_kind, sizeof R.failure_kind, "%s", kind);
    vsnprintf(R.failure, sizeof R.failure, format, list);
    va_end(list);
    if (!R.started) {
        say("unusable\ta constructor failed: %s: %s\n", R.failure_kind, R.failure);
        exit(3);
    }
    R.end = RUN_VIOLATION;
    R.failing_thread = R.current != NULL ? R.current->tid : 0;
    if (R.current != NULL)
        leave_run(strcmp(kind, "unusable client") == 0 ? RUN_UNUSABLE : RUN_VIOLATION);
}

/* A table is full. */
void too_large(long most, const char *what) {
    fail("unusable client", "it is too large: more than %ld %s", most, what);
    abort();
}

static bool has_news(const struct thread *t) { return R.stores_made > t->parked_at; }

static bool runnable(const struct thread *t) {
    if (t->finished || t->stopped)
        return false;
    if (t->blocked)
        return t->barrier != NULL ? barrier_is_open(t) : t->ended_by_turn && turn_was_seen(t);
    return !t->parked || has_news(t);
}

/* Would the thread see something new, if it read the newest stores? */
static bool could_see_news(const struct thread *t) {
    return t->barrier == NULL && (t->ended_by_turn ? turn_has_news(t) : !newest_was_read(t));
}

/* Random modes: nobody can go on. Let waiting threads look again, if that can change anything. */
static bool unpark(void) {
    bool any = false;
    for (int i = 1; i <= R.threads; i++) {
        struct thread *t = &R.thread[i];
        if (!t->parked || t->finished || t->stopped)
            continue;
        if (!could_see_news(t))
            continue;
        t->parked = false;
        t->must_read_newest = true;
        any = true;
    }
    return any;
}

static struct thread *next_thread(void) {
    int list[MAX_THREADS], open = 0;
    do {
        for (int t = 1; t <= R.threads; t++)
            if (runnable(&R.thread[t]))
                list[open++] = t;
    } while (open == 0 && !R.graph_rules && unpark());
    int count = open; /* the rest goes on only where an execution is built again */
    for (int t = 1; t <= R.threads && R.graph_rules; t++)
        if (R.thread[t].blocked && R.thread[t].ended_by_turn && !runnable(&R.thread[t]))
            list[count++] = t;
    int t = count == 0 ? 0 : choose_thread(list, open, count, R.current != NULL ? R.current->tid : 0);
    if (t == 0)
        return NULL;
    R.thread[t].parked = false;
    return &R.thread[t];
}

void go_on(void) {
    struct thread *next = next_thread();
    if (next == NULL)
        fiber_to_main();
    else if (next != R.current)
        fiber_switch(next);
}

void enter_step(void) {
    struct thread *t = R.current;
    R.heartbeat++;
    if (t->joins_twins && (t->doing == NULL || strcmp(t->doing, "joins") != 0))
        symmetry_does_something_else(t);
    if (t->tid == R.options.stop_thread && t->steps == R.options.stop_step) {
        t->steps++;
        if (R.client->stop_is_death)
            record_death();
        t->stopped = true;
    } else if (!t->impatient && t->steps++ >= R.options.steps) {
        leave_run(RUN_BOUND);
    }
    if (t->alone_for > 0 && !t->stopped && --t->alone_for > 0)
        return;
    if (R.graph_rules || !t->impatient || t->stopped) /* a loop that is followed to its end is one step to others */
        go_on();
    symmetry_step(t);
}

void block_current(void) {
    R.current->blocked = true;
    go_on();
    leave_run(RUN_UNUSABLE); /* nobody resumes a blocked thread */
}

static void thread_entry(void) {
    struct thread *t = R.current;
    if (t->start != NULL)
        run_created_thread(t);
    else
        R.client->threads[t->tid - 1]();
    run_thread_destructors();
    run_key_destructors();
    finish_thread();
}

void finish_thread(void) {
    struct thread *t = R.current;
    end_impatience(t, true);
    end_of_thread(t);
    t->finished = true;
    R.heartbeat++;
    go_on();
}

void lf_model_assume(int condition) {
    if (condition)
        return;
    if (!R.ready)
        fail("unusable client", "lf_model_assume is false in setup: there is no execution");
    if (!R.running)
        leave_run(RUN_CUT);
    R.tainted = true;
    block_current();
}

static void count_threads(void) {
    R.threads = 0;
    const int most = MAX_THREADS - 1, room = (int)(sizeof R.client->threads / sizeof *R.client->threads);
    while (R.threads < room && R.client->threads[R.threads] != NULL)
        R.threads++;
    for (int t = R.threads; t < room; t++)
        if (R.client->threads[t] != NULL)
            fail("unusable client", ".threads has a gap: number %d is NULL", R.threads + 1);
    R.too_many_threads = R.threads > most;
    if (R.threads == 0 || R.threads > most)
        fail("unusable client", "it has %d threads; 1 to %d are possible", R.threads, most);
    if (R.client->may_stop != 0 && (R.client->may_stop & ~((2 << R.threads) - 2)) != 0)
        fail("unusable client", ".may_stop is %#x, which names a thread that is not there (bits 1 to %d)",
             R.client->may_stop, R.threads);
    R.client_threads = R.most_threads = R.threads;
    const struct lf_model_spec *spec = R.client->spec;
    if (spec != NULL && spec->step == NULL)
        fail("unusable client", "its specification has no step function");
    if (spec != NULL && spec->state_bytes > LF_MODEL_STATE_BYTES)
        fail("unusable client", "its specification has a state of %zu bytes; at most %d are possible",
             spec->state_bytes, LF_MODEL_STATE_BYTES);
}

void start_thread(int tid) {
    struct thread *t = &R.thread[tid];
    memset(&t->hb, 0, offsetof(struct thread, now) - offsetof(struct thread, hb));
    t->tid = (uint8_t)tid;
    turns_forget(t);
    t->now.reads = t->before.reads = 0;
    t->now.pure = t->before.pure = t->now.incomplete = t->before.incomplete = false;
    t->hb.of[0] = t->porf.of[0] = 1; /* setup happens before */
    t->op = t->last_access = -1;
    t->clock_ns = 1000000000u;
    t->random = 1;
    tls_reset(tid);
    stack_begin(t);
    fiber_prepare(t, thread_entry);
}

static void start_threads(void) {
    R.threads = R.client_threads;
    R.process_ended = false;
    for (int i = 1; i <= R.threads; i++)
        start_thread(i);
    for (int i = R.threads + 1; i < MAX_THREADS; i++)
        R.thread[i].absent = R.thread[i].finished = true;
    symmetry_of_client();
}

static void alone(void (*function)(void)) {
    struct thread *t = &R.thread[0];
    t->depth = 0;
    t->op = -1;
    t->random = 1;
    R.running = false;
    R.current = NULL;
    stack_begin(t);
    fiber_prepare(t, function);
    fiber_switch(t);
    R.current = NULL;
}

static void setup_entry(void) {
    if (R.client->setup != NULL)
        R.client->setup();
    fiber_to_main();
}

static void final_entry(void) {
    R.client->final();
    fiber_to_main();
}

static void describe_waiters(void) {
    char text[256] = "";
    for (int i = 1; i <= R.threads; i++) {
        const struct thread *t = &R.thread[i];
        if (t->finished || t->stopped)
            continue;
        size_t used = strlen(text);
        if (t->waits_to != NULL)
            snprintf(text + used, sizeof text - used, "%sT%d waits to %s %#lx", used != 0 ? ", " : "", i, t->waits_to,
                     (unsigned long)t->waits_at);
        else
            snprintf(text + used, sizeof text - used, "%sT%d %s", used != 0 ? ", " : "", i,
                     t->asleep                            ? "sleeps"
                     : t->ended_by_turn && turn_stores(t) ? "repeats a loop"
                                                          : "waits for a change");
    }
    bool stopped = R.options.stop_thread != 0 && R.thread[R.options.stop_thread].stopped;
    bool all_asleep = true, stores = false;
    for (int i = 1; i <= R.threads; i++) {
        const struct thread *t = &R.thread[i];
        stores |= !t->finished && !t->stopped && t->ended_by_turn && turn_stores(t);
        all_asleep &= R.thread[i].finished || R.thread[i].stopped || R.thread[i].asleep;
    }
    const char *kind = stopped ? "not lock-free" : all_asleep ? "lost wake" : stores ? "livelock" : "deadlock";
    fail(kind, "%s, and no thread is left to end it%s", text, stopped ? " while the stopped one stays away" : "");
}

static void judge_end(void) {
    bool waiting = false, unfair = false;
    for (int i = 1; i <= R.threads; i++) {
        const struct thread *t = &R.thread[i];
        if (t->finished || t->stopped)
            continue;
        waiting = true;
        /* what it could do, it does in another execution */
        unfair |= could_see_news(t) || could_give_up(t) || (t->asleep && t->could_time_out);
    }
    if (R.tainted || (waiting && unfair)) {
        R.was_blocked = true;
        R.end = RUN_CUT;
        return;
    }
    R.end = RUN_DONE;
    if (waiting && R.process_ended)
        return;
    if (waiting) {
        describe_waiters();
        return;
    }
    if (R.client->final != NULL)
        alone(final_entry);
    if (R.end == RUN_DONE) {
        heap_warn_of_lost();
        warn_of_unjoined();
    }
    if (R.end == RUN_DONE && R.client->spec != NULL && !linearizable())
        R.end = RUN_VIOLATION;
}

enum run_end run_once(void) {
    heap_restore();
    memory_reset();
    shadow_reset();
    barriers_reset();
    tls_reset(0);
    R.tainted = R.was_blocked = R.copies = R.cut_short = false;
    R.accesses = 0;
    R.op_count = R.ops_of_setup;
    R.trail_length = 0;
    R.outcome[0] = '\0';
    R.end = RUN_DONE;
    start_threads();
    R.running = true;
    R.current = NULL;
    struct thread *first = next_thread();
    if (first != NULL)
        fiber_switch(first);
    R.running = false;
    R.current = NULL;
    if (R.end == RUN_DONE)
        judge_end();
    else if (R.tainted)
        R.end = RUN_CUT;
    return R.end;
}

static uint64_t program_counter(const void *context) {
#if defined(__x86_64__)
    return (uint64_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] + 1;
#elif defined(__aarch64__)
    return ((const ucontext_t *)context)->uc_mcontext.pc + 1;
#else
    (void)context;
    return 0;
#endif
}

static void on_signal(int number, siginfo_t *info, void *context) {
    uint64_t pc = program_counter(context);
    if (number == SIGVTALRM) {
        if (R.current == NULL || R.heartbeat != last_heartbeat) {
            last_heartbeat = R.heartbeat;
            silent_ticks = 0;
            return;
        }
        if (++silent_ticks < 4)
            return;
        fail("endless loop", "T%d runs without a visible step @%lx@", R.current->tid, (unsigned long)pc);
    }
    if ((number == SIGSEGV || number == SIGBUS) && (uintptr_t)info->si_addr - R.touched < 4096)
        pc = R.touched_pc;
    if (R.current == NULL || R.end != RUN_DONE) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    if (number == SIGSEGV && stack_exhausted((uintptr_t)info->si_addr))
        fail("crash", "T%d exhausted its stack @%lx@", R.current->tid, (unsigned long)pc);
    fail("crash", "T%d got signal %d (%s) @%lx@", R.current->tid, number, strsignal(number), (unsigned long)pc);
}

void run_start(void) {
    stack_t alternate = {.ss_sp = malloc(65536), .ss_size = 65536};
    sigaltstack(&alternate, NULL);
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_NODEFER | SA_ONSTACK | SA_SIGINFO};
    int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGVTALRM};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
    struct itimerval tick = {{0, 500000}, {0, 500000}};
    setitimer(ITIMER_VIRTUAL, &tick, NULL);

    fibers_start();
    heap_start();
    shadow_start();
    memory_start();
    R.trail = calloc(MAX_TRAIL, sizeof *R.trail);
    R.end = RUN_DONE;
    count_threads();
    if (R.end == RUN_DONE) {
        tls_start();
        alone(setup_entry);
    }
    if (R.end == RUN_DONE && R.op_count > 0 && R.ops[R.op_count - 1].op.pending)
        fail("unusable client", "setup ends inside a recorded call");
    R.ops_of_setup = R.op_count;
    R.ready = true;
    heap_snapshot();
    tls_snapshot();
}
