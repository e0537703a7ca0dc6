/* main.c: options, the loop over executions, and the verdict.
 *
 * Exit status: 0 nothing found, 1 a violation, 2 undecided, 3 unusable client or arguments. */
#define _GNU_SOURCE
#include "../choices/explore.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern const struct lf_model_client *const __start_lf_model_clients[] __attribute__((weak)),
    *const __stop_lf_model_clients[] __attribute__((weak));

struct totals {
    long executions, cut, blocked, bound, again;
    bool complete, out_of_time;
    double started;
};
MODEL_STATE static struct totals total;
MODEL_STATE static bool stop_seen;
enum { MAX_OUTCOMES = 4096 };
MODEL_STATE static char **outcomes;
MODEL_STATE static int outcome_count;

/* Of this process on the CPU: a busy machine does not change a verdict. */
double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void lf_model_observe(const char *name, uint64_t value) {
    if (R.current != NULL)
        turns_forget(R.current);
    size_t used = strlen(R.outcome);
    snprintf(R.outcome + used, sizeof R.outcome - used, "%s%s=%lu", used != 0 ? " " : "", name, (unsigned long)value);
}

void lf_model_assertion_failed(const char *condition, const char *file, int line) {
    fail("assertion failed", "%s at %s:%d", condition, file, line);
    leave_run(RUN_VIOLATION);
}

/* What assert() calls. */
void __assert_fail(const char *condition, const char *file, unsigned line, const char *function)
    __attribute__((noreturn));
void __assert_fail(const char *condition, const char *file, unsigned line, const char *function) {
    if (R.current == NULL) { /* in a specification, between executions */
        say("unusable\tan assertion fails in the specification: %s at %s:%u in %s\n", condition, file, line, function);
        exit(3);
    }
    fail("assertion failed", "%s at %s:%u in %s", condition, file, line, function);
    abort();
}

int lf_model_thread(void) {
    symmetry_is_broken();
    return current_thread();
}

int lf_model_choose(int options) { return model_choose(options, (uint64_t)(uintptr_t)__builtin_return_address(0)); }

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

/* For the driver, which reads the file now and then: executions, dropped, cut at the step bound, part done (0: nobody
 * knows). Of one width, so that a reader never finds half of it. */
static void tell_progress(void) {
    static MODEL_STATE int file = -1;
    static MODEL_STATE double next;
    double now = seconds_now();
    if (R.options.progress == NULL || now < next)
        return;
    next = now + 0.2;
    if (file < 0)
        file = open(R.options.progress, O_WRONLY | O_CREAT, 0600);
    char line[96];
    int length = snprintf(line, sizeof line, "%15ld %15ld %15ld %12.9f\n", total.executions, total.cut, total.bound,
                          R.options.mode == MODE_EXHAUSTIVE && R.options.stop_thread == 0 ? X.seen : 0.0);
    if (pwrite(file, line, (size_t)length, 0) < 0)
        R.options.progress = NULL;
}

static bool enough(void) {
    long runs = total.executions + total.cut + total.bound;
    if ((runs & 63) == 0)
        tell_progress();
    if (R.options.executions > 0 && runs >= R.options.executions)
        return true;
    if (R.options.seconds > 0 && (runs & 63) == 0 && seconds_now() - total.started >= R.options.seconds)
        return true;
    return false;
}

static bool systematic(void) { return R.options.mode == MODE_EXHAUSTIVE || R.options.mode == MODE_BOUNDED; }

/* Goes through the executions of one setting; returns how it ended: RUN_DONE if all is well. */
static enum run_end explore(void) {
    const struct totals before = total; /* what is begun again counts once */
restart:
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
        if (end == RUN_BOUND && R.options.stop_thread != 0 && R.thread[R.options.stop_thread].stopped) {
            fail("not lock-free", "a thread made %d steps without finishing while T%d is stopped", R.options.steps,
                 R.options.stop_thread);
            return RUN_VIOLATION;
        }
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
static enum run_end explore_with_stops(void) {
    if (R.options.mode == MODE_PCT || R.options.mode == MODE_RANDOM)
        return explore();
    enum run_end end = RUN_DONE;
    for (int t = 1; t <= R.most_threads && end == RUN_DONE && !total.out_of_time; t++) {
        if (R.client->may_stop != 0 && (R.client->may_stop >> t & 1) == 0)
            continue;
        R.options.stop_thread = t;
        stop_seen = true;
        for (int step = 0; stop_seen && end == RUN_DONE && !total.out_of_time; step++) {
            R.options.stop_step = step; /* still that of a violation when this returns */
            stop_seen = false;
            end = explore();
        }
    }
    return end;
}

static int usage(const char *message, const char *what) {
    fprintf(stderr, "model: %s %s\n", message, what);
    return 3;
}

/* Of an option that takes a number: the whole word, within bounds. */
static bool number(const char *name, const char *word, double least, double most, double *value) {
    char *end;
    *value = strtod(word, &end);
    if (*word != '\0' && *end == '\0' && *value >= least && *value <= most)
        return true;
    fprintf(stderr, "model: %s must be %g to %g, not %s\n", name, least, most, word);
    return false;
}

static int parse(int argc, char **argv) {
    struct options *o = &R.options;
    *o = (struct options){.mode = MODE_EXHAUSTIVE, .seed = 1, .preemptions = 2, .depth = 3, .steps = 10000};
    static const char *const modes[] = {"exhaustive", "bounded", "pct", "random"};
    const struct {
        const char *name;
        bool *is;
    } flags[] = {{"--threads-stop", &o->threads_stop},
                 {"--c20", &o->c20_release_sequence},
                 {"--outcomes", &o->outcomes},
                 {"--positions", &o->positions},
                 {"--list", &o->list},
                 {"--no-shrink", &o->no_shrink},
                 {"--symmetry", &o->symmetry},
                 {"--no-symmetry", &o->no_symmetry},
                 {"--no-turns", &o->no_turns}}; /* the last three for tests */
    double executions = 0, preemptions = o->preemptions, depth = o->depth, steps = o->steps, spins = 0;
    const struct {
        const char *name;
        double least, most, *value;
    } numbers[] = {{"--executions", 0, 1e15, &executions},  {"--seconds", 1e-3, 1e7, &o->seconds},
                   {"--preemptions", 0, 1e6, &preemptions}, {"--depth", 1, MAX_CHANGES, &depth},
                   {"--steps", 1, MAX_STEPS, &steps},       {"--spins", 0, MAX_STEPS, &spins}};
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        bool known = false;
        for (size_t f = 0; f < sizeof flags / sizeof *flags; f++)
            if (strcmp(name, flags[f].name) == 0)
                known = *flags[f].is = true;
        if (known)
            continue;
        if (++i == argc)
            return usage("unknown or unfinished option", name);
        for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++)
            if (strcmp(name, numbers[n].name) == 0) {
                known = true;
                if (!number(name, value, numbers[n].least, numbers[n].most, numbers[n].value))
                    return 3;
            }
        if (known)
            continue;
        if (strcmp(name, "--client") == 0)
            o->client = value;
        else if (strcmp(name, "--seed") == 0)
            o->seed = strtoull(value, NULL, 0);
        else if (strcmp(name, "--replay") == 0)
            o->replay = value;
        else if (strcmp(name, "--progress") == 0)
            o->progress = value;
        else if (strcmp(name, "--mode") == 0) {
            int mode = 0;
            while (mode < 4 && strcmp(value, modes[mode]) != 0)
                mode++;
            if (mode == 4)
                return usage("unknown mode", value);
            o->mode = (enum mode)mode;
        } else {
            return usage("unknown option", name);
        }
    }
    o->executions = (long)executions;
    o->preemptions = (int)preemptions;
    o->depth = (int)depth;
    o->steps = (int)steps;
    o->spins = (int)spins;
    return 0;
}

static int find_client(void) {
    for (const struct lf_model_client *const *c = __start_lf_model_clients; c < __stop_lf_model_clients; c++) {
        if (R.options.list)
            printf("client\t%s\n", (*c)->name);
        else if (R.client == NULL && (R.options.client == NULL || strcmp(R.options.client, (*c)->name) == 0))
            R.client = *c;
    }
    if (&__start_lf_model_clients[0] == &__stop_lf_model_clients[0] && is_program()) {
        if (R.options.list)
            printf("client\t%s\n", program_client.name);
        else if (R.options.client == NULL || strcmp(R.options.client, program_client.name) == 0)
            R.client = &program_client;
    }
    if (R.client == NULL && !R.options.list)
        return usage("no client", R.options.client != NULL ? R.options.client : "in this file");
    return 0;
}

static int summary(enum run_end end) {
    const char *verdict = "ok";
    int status = 0;
    if (end == RUN_VIOLATION)
        verdict = "violation", status = 1;
    else if (end != RUN_DONE)
        verdict = "unusable", status = 3;
    else if (systematic() && (total.out_of_time || total.bound != 0))
        verdict = "unknown", status = 2;
    else if (total.executions == 0 && R.options.mode != MODE_EXHAUSTIVE)
        verdict = "unknown", status = 2;
    else if (total.executions == 0)
        warn("no execution comes to its end: in each, an assumption is false, or a thread waits for what never stays");
    for (int i = 0; i < outcome_count; i++)
        say("outcome\t%s\n", outcomes[i]);
    if (R.options.positions)
        print_positions();
    print_loops();
    print_open_loops();
    print_warnings();
    print_branches();
    if (R.too_many_threads)
        say("room\tthreads\n");
    if (status == 3)
        say("unusable\t%s\n", R.failure);
    say("summary\t%s\t%ld\t%ld\t%ld\t%ld\t%d\t%.3f\n", verdict, total.executions, total.cut, total.blocked, total.bound,
        !total.out_of_time, seconds_now() - total.started);
    return status;
}

int main(int argc, char **argv) {
    R.current = NULL;
    R.started = true;
    int status = parse(argc, argv);
    if (status == 0)
        status = find_client();
    if (status != 0 || R.options.list)
        return status;
    report_start(R.options.replay != NULL);
    outcomes = calloc(MAX_OUTCOMES, sizeof *outcomes);
    X.path = calloc(MAX_TRAIL, sizeof *X.path);
    X.replay = calloc(MAX_TRAIL, sizeof *X.replay);
    X.random = R.options.seed * 0x9E3779B97F4A7C15u | 1;
    if (R.options.seconds == 0 && R.options.executions == 0)
        R.options.seconds = 10;
    run_start();
    if (R.end != RUN_DONE) {
        if (R.too_many_threads)
            say("room\tthreads\n");
        if (strcmp(R.failure_kind, "unusable client") == 0)
            say("unusable\t%s\n", R.failure);
        else
            say("unusable\tsetup failed: %s: %s\n", R.failure_kind, R.failure);
        return 3;
    }
    total.started = seconds_now();
    if (R.options.replay != NULL) {
        R.options.mode = MODE_REPLAY;
        if (!token_read(R.options.replay)) {
            say("unusable\tthis is not a token of this client: %s\n", R.options.replay);
            return 3;
        }
        enum run_end end;
        int tries = 0;
        do
            end = one_execution();
        while (end == RUN_AGAIN && ++tries < 100);
        if (end == RUN_BOUND && R.options.stop_thread != 0) {
            fail("not lock-free", "a thread made %d steps without finishing while T%d is stopped", R.options.steps,
                 R.options.stop_thread);
            end = RUN_VIOLATION;
        }
        report_execution(end == RUN_VIOLATION ? R.failure_kind : "none");
        return summary(end);
    }
    R.graph_rules = R.options.mode == MODE_EXHAUSTIVE;
    enum run_end end = R.options.threads_stop ? explore_with_stops() : explore();
    enum mode mode = R.options.mode;
    if (end == RUN_VIOLATION)
        report_failure();
    R.options.mode = mode;
    return summary(end);
}
