/* seen.c: which threads have seen turns that change nothing (turns.c), and whether they may be left out all the
 * same. */
#include "turns.h"

enum { MADE = 32 };

struct turn {
    int32_t from, to;
    bool stays;
};
MODEL_STATE static struct {
    struct turn
        turn[MADE + 1]; /* of this execution, one after another; then the last one, if the thread has ended with it */
    int turns;
} made[MAX_THREADS];

void seen_reset(void) {
    for (int i = 0; i < MAX_THREADS; i++)
        made[i].turns = 0;
}

void turn_made(const struct thread *t) {
    int n = made[t->tid].turns;
    if (n == MADE || (n > 0 && t->turn_from < made[t->tid].turn[n - 1].to))
        return;
    made[t->tid].turn[n] = (struct turn){t->turn_from, t->turn_to, true};
    made[t->tid].turns = n + 1;
}

static bool in_turn(const struct event *e) {
    const struct thread *t = &R.thread[e->tid];
    return t->turn_from != t->turn_to && e->kind != EV_INIT && e->idx >= t->turn_from && e->idx < t->turn_to;
}

static bool waits_in_vain(const struct event *r) {
    const struct thread *t = &R.thread[r->tid];
    return t->blocked && t->waits_to != NULL && r->idx + 1 == t->events;
}

/* Would this read not be missed, if useless turns and vain waiting were taken out of the graph? */
static bool could_be_left_out(const struct event *r) {
    const struct thread *t = &R.thread[r->tid];
    return (t->blocked && in_turn(r)) || waits_in_vain(r);
}

/* Is the read in one of the turns that could go together? */
static bool could_go_with_others(const struct event *r) {
    for (int i = 0; i <= made[r->tid].turns; i++) {
        const struct turn *turn = &made[r->tid].turn[i];
        if (!turn->stays && r->idx >= turn->from && r->idx < turn->to)
            return true;
    }
    return waits_in_vain(r);
}

static bool is_of(const struct event *e, const struct thread *t, const struct turn *turn) {
    return e->tid == t->tid && e->kind != EV_INIT && e->idx >= turn->from && e->idx < turn->to;
}

/* Could the stores of the turn be taken out: are they together in mo, the last like what was before the first, and has
 * nobody else read another value from them, but in reads that are not missed? NULL: any may have. */
static bool can_go(const struct thread *t, const struct turn *turn, bool (*is_not_missed)(const struct event *read)) {
    for (int32_t i = turn->from; i < turn->to; i++) {
        const struct event *w = event_of(t, i);
        if (!is_atomic_store(w))
            continue;
        const struct loc *loc = w->loc;
        if (w->mo == 0 || w->mo >= loc->stores || &R.event[loc->store[w->mo]] != w)
            return false; /* plain code has initialized the object again */
        int first = w->mo;
        while (first > 0 && is_of(&R.event[loc->store[first - 1]], t, turn))
            first--;
        if (first == 0)
            return false;
        u128 before = R.event[loc->store[first - 1]].value;
        bool last = w->mo + 1 == loc->stores || !is_of(&R.event[loc->store[w->mo + 1]], t, turn);
        if (last && w->value != before)
            return false;
        for (int32_t j = i + 1; last && j < turn->to; j++) /* one more behind a foreign one */
            if (is_atomic_store(event_of(t, j)) && event_of(t, j)->loc == loc)
                return false;
        for (int r = w->first_reader; is_not_missed != NULL && w->value != before && r != NO_EVENT;
             r = R.event[r].next_reader)
            if (R.event[r].tid != t->tid && !is_not_missed(&R.event[r]))
                return false;
    }
    return true;
}

bool turn_undoes_itself(const struct thread *t) {
    return can_go(t, &(struct turn){t->turn_from, t->turn_to, false}, NULL);
}

/* Finds the turns that could be taken out together: all but those that a thread sees which stays. */
static void find_those_that_go(void) {
    for (int n = 1; n <= R.threads; n++) {
        const struct thread *t = &R.thread[n];
        bool ended = t->blocked && t->ended_by_turn;
        struct turn *turn = made[n].turn;
        turn[made[n].turns] = (struct turn){t->turn_from, t->turn_to, !ended};
        for (int i = 0; i < made[n].turns; i++)
            turn[i].stays = ended && turn[i].to > t->turn_from;
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (int n = 1; n <= R.threads; n++)
            for (int i = 0; i <= made[n].turns; i++) {
                struct turn *turn = &made[n].turn[i];
                if (turn->stays || can_go(&R.thread[n], turn, could_go_with_others))
                    continue;
                turn->stays = changed = true;
            }
    }
}

/* Of a thread that has ended with a useless turn: have others seen it in between? Then it goes on; but not if all that have
 * seen it were in turns that could be taken out with it: two that back off for each other. */
bool turn_was_seen(const struct thread *t) {
    struct turn last = {t->turn_from, t->turn_to, false};
    if (t->gave_up_turning || can_go(t, &last, could_be_left_out))
        return false;
    find_those_that_go();
    return made[t->tid].turn[made[t->tid].turns].stays;
}

/* What was there before the first store of the turn to the place of this one. */
u128 before_turn(const struct event *w) {
    int first = w->mo;
    while (first > 0 && in_turn(&R.event[w->loc->store[first]]) && R.event[w->loc->store[first]].tid == w->tid)
        first--;
    return R.event[w->loc->store[first]].value;
}

/* Does the turn store what it then undoes? */
bool turn_stores(const struct thread *t) {
    for (int32_t i = t->turn_from; i < t->turn_to; i++)
        if (is_atomic_store(event_of(t, i)) && event_of(t, i)->value != before_turn(event_of(t, i)))
            return true;
    return false;
}

/* In its turn `u` stores what would be new to the turn of `t`. A waiter for a lock sees it free in the end. */
static bool undoes_what_it_reads(const struct thread *u, const struct thread *t) {
    for (int32_t i = t->turn_from; i < t->turn_to; i++) {
        const struct event *r = event_of(t, i);
        if ((r->kind != EV_LOAD && r->kind != EV_RMW_READ) || (r->doing != NULL && r->kind == EV_RMW_READ))
            continue;
        for (int32_t j = u->turn_from; j < u->turn_to; j++)
            if (is_atomic_store(event_of(u, j)) && event_of(u, j)->loc == r->loc && event_of(u, j)->value != r->value)
                return true;
    }
    return false;
}

/* Did it try to lock what somebody has for a moment only, or gives back for a moment, in a turn? A thread that backs
 * off then waits for luck, and not for ever: it can try at another moment. */
static bool met_a_moment(const struct thread *t, const struct event *r) {
    if (!tries_to_take(r) || is_atomic_store(r))
        return false;
    for (int at = R.event[r->rf].mo; at < r->loc->stores; at++) {
        const struct event *w = &R.event[r->loc->store[at]];
        if (w->tid != t->tid && in_turn(w))
            return true;
    }
    return false;
}

/* Does something wait for the thread that its last turn has not seen? What useless turns store is there for a moment
 * only. It is news, but for two threads that both store and undo because of what the other stores and undoes. */
bool turn_has_news(const struct thread *t) {
    if (t->gave_up_turning)
        return true;
    for (int32_t i = t->turn_from; i < t->turn_to; i++) {
        const struct event *r = event_of(t, i);
        bool stores = is_atomic_store(r);
        if (!stores && r->kind != EV_LOAD && r->kind != EV_RMW_READ)
            continue;
        /* a store of the turn that others have overwritten would change something, if it were made again */
        for (int at = (stores ? r->mo : R.event[r->rf].mo) + 1; at < r->loc->stores; at++)
            if (!in_turn(&R.event[r->loc->store[at]]))
                return true;
        if (met_a_moment(t, r))
            return true;
    }
    for (int n = 1; n <= R.threads; n++) {
        const struct thread *u = &R.thread[n];
        if (u != t && u->turn_from != u->turn_to && undoes_what_it_reads(u, t) &&
            !(turn_stores(t) && turn_stores(u) && undoes_what_it_reads(t, u)))
            return true;
    }
    return false;
}
