/* search.c: the loop over executions. */
#define _GNU_SOURCE
#include "runs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

MODEL_STATE struct totals total;
MODEL_STATE static bool stop_seen;
enum { MAX_OUTCOMES = 4096 };
MODEL_STATE static char **outcomes;
MODEL_STATE static int outcome_count;

void search_start(void) {
    outcomes = calloc(MAX_OUTCOMES, sizeof *outcomes);
    X.path = calloc(MAX_TRAIL, sizeof *X.path);
    X.replay = calloc(MAX_TRAIL, sizeof *X.replay);
    X.random = R.options.seed * 0x9E3779B97F4A7C15u | 1;
}

static void note_outcome(void) {
    for (int i = 0; i < outcome_count; i++)
        if (strcmp(outcomes[i], R.outcome) == 0)
            return;
    if (outcome_count < MAX_OUTCOMES)
        outcomes[outcome_count++] = strdup(R.outcome);
}

static enum run_end one_execution(void) {
    choices_start();
    if (R.options.mode == MODE_EXHAUSTIVE)
        graph_start_run();
    enum run_end end = run_once();
    if (end == RUN_DONE || end == RUN_VIOLATION)
        total.executions++;
    total.cut += end == RUN_CUT;
    total.blocked += R.was_blocked;
    total.bound += end == RUN_BOUND || R.cut_short;
    if (end == RUN_DONE && R.options.outcomes)
        note_outcome();
    if (R.options.stop_thread != 0 && R.thread[R.options.stop_thread].stopped)
        stop_seen = true;
    return end;
}

static MODEL_STATE int progress_file;

/* Before `enclose`, behind which nothing is opened. */
void progress_start(void) {
    if (R.options.progress != NULL)
        progress_file = open(R.options.progress, O_WRONLY | O_CREAT, 0600);
}

/* For the driver, which reads the file now and then: executions, dropped, cut at the step bound, part done (0: nobody
 * knows). Of one width, so that a reader never finds half of it. */
static void tell_progress(void) {
    static MODEL_STATE double next;
    double now = seconds_now();
    if (R.options.progress == NULL || now < next)
        return;
    next = now + 0.2;
    char line[96];
    int length = snprintf(line, sizeof line, "%15ld %15ld %15ld %12.9f\n", total.executions, total.cut, total.bound,
                          R.options.mode == MODE_EXHAUSTIVE && R.options.stop_thread == 0 ? X.seen : 0.0);
    if (pwrite(progress_file, line, (size_t)length, 0) < 0)
        R.options.progress = NULL;
}

/* Is it time to look at the clock? That is a system call. An execution may have ten events, or a million. */
static bool looks_at_clock(void) {
    static MODEL_STATE long since;
    since += 64 + R.events;
    if (since < 8192)
        return false;
    since = 0;
    return true;
}

static bool enough(void) {
    long runs = total.executions + total.cut + total.bound;
    if (R.options.executions > 0 && runs >= R.options.executions)
        return true;
    if (!looks_at_clock() && !R.overdue)
        return false;
    tell_progress();
    return time_is_up();
}

bool systematic(void) { return R.options.mode == MODE_EXHAUSTIVE || R.options.mode == MODE_BOUNDED; }

static enum run_end not_lock_free(void) {
    fail("not lock-free", "a thread made %d steps without finishing while T%d is stopped", R.options.steps,
         R.options.stop_thread);
    return RUN_VIOLATION;
}

/* Goes through the executions of one setting; returns how it ended: RUN_DONE if all is well. */
static enum run_end explore_setting(void) {
    const struct totals before = total; /* what is begun again counts once */
restart:
    vain_forget();
    total.executions = before.executions;
    total.cut = before.cut;
    total.blocked = before.blocked;
    total.bound = before.bound;
    if (R.options.mode == MODE_EXHAUSTIVE)
        graph_begin();
    X.path_length = 0;
    for (;;) {
        if (R.options.mode == MODE_EXHAUSTIVE && !graph_next())
            return RUN_DONE;
        if (!systematic() && R.options.threads_stop) {
            X.random = X.random * 6364136223846793005u + 1442695040888963407u;
            R.options.stop_thread = 1 + (int)((X.random >> 33) % (unsigned)R.most_threads);
            R.options.stop_step = (int)((X.random >> 40) % 40);
            if (R.client->may_stop != 0 && (R.client->may_stop >> R.options.stop_thread & 1) == 0)
                R.options.stop_thread = 0;
        }
        enum run_end end = one_execution();
        if (end == RUN_AGAIN) {
            if (++total.again > 1000) {
                snprintf(R.failure, sizeof R.failure,
                         "it is too large: more than 1000 objects are wider than their "
                         "first access");
                return RUN_UNUSABLE;
            }
            goto restart;
        }
        if (end == RUN_VIOLATION || end == RUN_UNUSABLE)
            return end;
        if (end == RUN_BOUND && R.options.stop_thread != 0 && R.thread[R.options.stop_thread].stopped)
            return not_lock_free();
        if (enough()) {
            if (R.options.mode == MODE_BOUNDED && !bounded_advance())
                return RUN_DONE;
            if (R.options.mode == MODE_EXHAUSTIVE && X.todo == NULL)
                return RUN_DONE;
            total.out_of_time = true;
            return RUN_DONE;
        }
        if (R.options.mode == MODE_BOUNDED && !bounded_advance())
            return RUN_DONE;
    }
}

/* Each thread stopped for ever before each of its steps. */
enum run_end explore(void) {
    if (!R.options.threads_stop || R.options.mode == MODE_PCT || R.options.mode == MODE_RANDOM)
        return explore_setting();
    enum run_end end = RUN_DONE;
    for (int t = 1; t <= R.most_threads && end == RUN_DONE && !total.out_of_time; t++) {
        if (R.client->may_stop != 0 && (R.client->may_stop >> t & 1) == 0)
            continue;
        R.options.stop_thread = t;
        stop_seen = true;
        for (int step = 0; stop_seen && end == RUN_DONE && !total.out_of_time; step++) {
            R.options.stop_step = step; /* still that of a violation when this returns */
            stop_seen = false;
            end = explore_setting();
        }
    }
    return end;
}

/* The execution that X.replay names. */
enum run_end replay(void) {
    R.options.mode = MODE_REPLAY;
    R.overdue = false;
    enum run_end end;
    int tries = 0;
    do
        end = one_execution();
    while (end == RUN_AGAIN && ++tries < 100);
    return end == RUN_BOUND && R.options.stop_thread != 0 ? not_lock_free() : end;
}

void print_outcomes(void) {
    for (int i = 0; i < outcome_count; i++)
        say("outcome\t%s\n", outcomes[i]);
}
