/* main.c: from the options to the verdict.
 *
 * Exit status: 0 nothing found, 1 a violation, 2 undecided, 3 unusable client or arguments. */
#include "runs.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

/* A client may never come back to the checker. Then its parent ends it, and the kernel if the parent was killed. It is the
 * first constructor: one of the client's may go on for ever, too. */
__attribute__((constructor(101))) static void die_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }

static int summary(enum run_end end) {
    const char *verdict = "ok";
    int status = 0;
    if (end == RUN_VIOLATION)
        verdict = "violation", status = 1;
    else if (end != RUN_DONE)
        verdict = "unusable", status = 3;
    else if (systematic() && (total.out_of_time || total.bound != 0))
        verdict = "unknown", status = 2;
    else if (total.executions == 0 &&
             (R.options.mode != MODE_EXHAUSTIVE || R.client != &program_client || R.numbers_given))
        verdict = "unknown", status = 2;
    else if (total.executions == 0)
        warn("no execution comes to its end: in each, an assumption is false, or a thread waits for what never stays");
    print_outcomes();
    if (R.options.positions)
        print_positions();
    print_loops();
    print_open_loops();
    print_warnings();
    print_branches();
    if (R.too_many_threads)
        say("room\tthreads\n");
    if (R.numbers_given)
        say("numbers\t1\n");
    if (status == 3)
        say("unusable\t%s\n", R.failure);
    say("summary\t%s\t%ld\t%ld\t%ld\t%ld\t%d\t%.3f\n", verdict, total.executions, total.cut, total.blocked, total.bound,
        !total.out_of_time, seconds_now() - total.started);
    return status;
}

static int check(int argc, char **argv) {
    R.current = NULL;
    R.started = true;
    int status = options_read(argc, argv);
    if (status == 0)
        status = find_client();
    if (status != 0 || R.options.list)
        return status;
    say_start(R.options.replay != NULL);
    search_start();
    progress_start();
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
    R.until = R.options.seconds > 0 ? total.started + R.options.seconds : 0;
    if (R.options.replay != NULL) {
        if (!token_read(R.options.replay)) {
            say("unusable\tthis is not a token of this client: %s\n", R.options.replay);
            return 3;
        }
        enum run_end end = replay();
        report_execution(end == RUN_VIOLATION ? R.failure_kind : "none");
        return summary(end);
    }
    R.graph_rules = R.options.mode == MODE_EXHAUSTIVE;
    enum run_end end = explore();
    enum mode mode = R.options.mode;
    if (end == RUN_VIOLATION)
        report_failure();
    R.options.mode = mode;
    return summary(end);
}

int main(int argc, char **argv) { end_checker(check(argc, argv)); }
