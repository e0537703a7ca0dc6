/* step.c: what comes before every visible event: others may go first, and the thread may be stopped for ever. */
#include "rc11.h"

#include <string.h>

static void begin(struct thread *t) {
    R.heartbeat++;
    t->silent = 0;
    t->lenient = 0;
    if (t->joins_twins && (t->doing == NULL || strcmp(t->doing, "joins") != 0))
        symmetry_does_something_else(t);
}

static void count(struct thread *t) {
    if (R.overdue || (!t->impatient && t->steps++ >= R.options.steps))
        leave_run(RUN_BOUND);
}

static void let_others_go(struct thread *t) {
    if (t->alone_for > 0 && !t->stopped && --t->alone_for > 0)
        return;
    if (R.graph_rules || !t->impatient || t->stopped) /* a loop that is followed to its end is one step to others */
        go_on();
    symmetry_step(t);
}

/* The last step of a thread that dies, for threads that ask whether it is alive: objects/participants.c. */
static void record_death(struct thread *t) {
    begin(t);
    count(t);
    let_others_go(t);
    struct loc *loc = object_at(death_of(t->tid), 8, WRITES, 0);
    R.event[store_event(loc, 1, RELEASE, NO_EVENT, 0)].size = 8;
}

void enter_step(void) {
    struct thread *t = R.current;
    begin(t);
    if (t->tid == R.options.stop_thread && t->steps == R.options.stop_step) {
        t->steps++;
        if (R.client->stop_is_death)
            record_death(t);
        t->stopped = true;
    } else {
        count(t);
    }
    let_others_go(t);
}
