/* run.c: one execution: setup's memory, the threads step by step, final and the checks.
 *
 * A step is a visible event: an atomic access, a fence, a choice. Threads change only before steps. */
#define _GNU_SOURCE
#include "runs.h"

#include <stdlib.h>

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

static void judge_end(void) {
    if (!all_have_ended())
        return;
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

void run_start(void) {
    signals_start();
    fibers_start();
    heap_start();
    shadow_start();
    memory_start();
    R.trail = calloc(MAX_TRAIL, sizeof *R.trail);
    R.end = RUN_DONE;
    count_threads();
    if (R.end == RUN_DONE) {
        tls_start(); /* makes threads, which nobody can behind the walls */
        if (R.options.enclosed)
            enclose();
        alone(setup_entry);
    }
    if (R.end == RUN_DONE && R.op_count > 0 && R.ops[R.op_count - 1].op.pending)
        fail("unusable client", "setup ends inside a recorded call");
    R.ops_of_setup = R.op_count;
    R.ready = true;
    heap_snapshot();
    tls_snapshot();
}
