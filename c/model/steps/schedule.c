/* schedule.c: which thread goes on. Threads change only before steps. */
#include "steps.h"

static bool has_news(const struct thread *t) { return R.stores_made > t->parked_at; }

static bool runnable(const struct thread *t) {
    if (t->finished || t->stopped)
        return false;
    if (t->blocked)
        return t->barrier != NULL ? barrier_is_open(t) : t->ended_by_turn && turn_was_seen(t);
    return !t->parked || has_news(t);
}

/* Would the thread see something new, if it read the newest stores? */
bool could_see_news(const struct thread *t) {
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

/* Not a thread that goes on since others have seen its turn: they may come to the end of a turn that is as useless. */
static bool can_wait(const struct thread *t) { return !is_hopeful(t) || (t->blocked && t->ended_by_turn) || t->yields; }

/* In the exhaustive search, a thread that would only wait comes last: that saves useless executions. */
struct thread *next_thread(void) {
    int list[MAX_THREADS], last[MAX_THREADS], rest[MAX_THREADS], open, later, left;
    do {
        open = later = left = 0;
        for (int t = 1; t <= R.threads; t++) {
            const struct thread *thread = &R.thread[t];
            if (runnable(thread))
                *(R.graph_rules && can_wait(thread) ? &last[later++] : &list[open++]) = t;
            else if (R.graph_rules && thread->blocked && thread->ended_by_turn)
                rest[left++] = t; /* it goes on only where an execution is built again */
        }
    } while (open == 0 && !R.graph_rules && unpark());
    int count = open;
    for (int i = 0; i < later; i++)
        list[count++] = last[i];
    open = open == 0 ? count : open;
    for (int i = 0; i < left; i++)
        list[count++] = rest[i];
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

void block_current(void) {
    R.current->blocked = true;
    go_on();
    leave_run(RUN_UNUSABLE); /* nobody resumes a blocked thread */
}
