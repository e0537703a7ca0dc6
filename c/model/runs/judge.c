/* judge.c: no thread goes on any more: has each come to its end, or do some wait for ever? */
#include "runs.h"

#include <stdio.h>
#include <string.h>

/* The threads that wait and what for, as many as there is room for. */
static void describe_waiters(void) {
    enum { ROOM = 384, MORE = 32 };
    char text[ROOM + MORE] = "";
    int more = 0;
    for (int i = 1; i <= R.threads; i++) {
        const struct thread *t = &R.thread[i];
        if (t->finished || t->stopped)
            continue;
        char one[96];
        if (t->waits_to != NULL)
            snprintf(one, sizeof one, "T%d waits to %s %#lx", i, t->waits_to, (unsigned long)t->waits_at);
        else
            snprintf(one, sizeof one, "T%d %s", i,
                     t->asleep                            ? "sleeps"
                     : t->ended_by_turn && turn_stores(t) ? "repeats a loop"
                                                          : "waits for a change");
        size_t used = strlen(text);
        if (more > 0 || used + strlen(one) + 2 >= ROOM)
            more++;
        else
            snprintf(text + used, ROOM - used, "%s%s", used != 0 ? ", " : "", one);
    }
    if (more > 0)
        snprintf(text + strlen(text), MORE, ", %d more wait", more);
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

/* Sets R.end. True if no thread waits: what comes after the threads may come. */
bool all_have_ended(void) {
    bool waiting = false, unfair = false, later = false;
    for (int i = 1; i <= R.threads; i++) {
        const struct thread *t = &R.thread[i];
        if (t->finished || t->stopped)
            continue;
        waiting = true;
        /* what it could do, it does in another execution */
        bool tried = t->timeouts < R.client->timeouts;
        unfair |= could_see_news(t) || could_give_up(t) || (t->could_time_out && tried);
        later |= t->could_time_out && !tried; /* once more, which no execution shows */
    }
    if (R.tainted || (waiting && (unfair || later))) {
        R.was_blocked = true;
        R.cut_short |= !R.tainted && !unfair;
        R.end = RUN_CUT;
        return false;
    }
    R.end = RUN_DONE;
    if (waiting && R.process_ended)
        return false;
    if (waiting)
        describe_waiters();
    return !waiting;
}
