/* seqcst.c: RC11's axiom for seq_cst: psc_base and psc_F together have no cycle, where
 *   scb      = po | po;hb;po between other locations | hb on one location | mo | fr
 *   psc_base = (SC | fence;hb?) ; scb ; (SC | hb?;fence)
 *   psc_F    = fence ; (hb | hb;eco;hb) ; fence
 *
 * psc orders all seq_cst events of a thread by po, so what is psc-before an event is a prefix of each
 * thread's seq_cst events: a vector clock (sc_before). Edges that lead into the newest event never close
 * a cycle. Edges out of it exist only if it reads a store that is not the newest, or stores into the
 * middle of mo; then they must not lead to something that is psc-before it. */
#include "events.h"

static const struct event *sc_event(int t, int number) { return &R.event[R.sc_list[t][number - 1]]; }

/* The last seq_cst event of thread t among its first `count` events. */
static int last_sc(int t, int count) {
    int least = 0, most = R.thread[t].sc_events;
    while (least < most) {
        int number = (least + most + 1) / 2;
        if (sc_event(t, number)->idx < count)
            least = number;
        else
            most = number - 1;
    }
    return least;
}

static int last_fence(int t, int count) {
    if (count > R.thread[t].events)
        count = R.thread[t].events;
    return count > 0 ? R.event[R.by_thread[t][count - 1]].last_fence : 0;
}

static void join_event(clk *into, int t, int number) {
    if (number > 0)
        clk_join(into, &sc_event(t, number)->sc_before);
}

/* Everything psc-before through a fence that happens before (or is) something with this clock. */
static void join_fences(clk *into, const clk *hb) {
    for (int t = 1; t <= R.threads; t++)
        join_event(into, t, last_fence(t, hb->of[t]));
}

static void join_access(clk *into, const struct event *a) {
    if (a->kind == EV_INIT)
        return;
    if (a->sc)
        clk_join(into, &a->sc_before);
    join_fences(into, &a->hb);
}

static void join_readers(clk *into, const struct event *store) {
    for (int r = store->first_reader; r != NO_EVENT; r = R.event[r].next_reader)
        join_access(into, &R.event[r]);
}

static void join_stores_before(clk *into, const struct loc *loc, int position) {
    for (int i = 0; i < position; i++) {
        join_access(into, &R.event[loc->store[i]]);
        join_readers(into, &R.event[loc->store[i]]);
    }
}

static bool other_location(const struct event *a, const struct loc *loc) {
    return a->kind != EV_CHOICE && a->loc != loc;
}

/* po;hb;po between other locations, and hb on one location. */
static void join_scb_through_hb(clk *into, const struct loc *loc, const clk *hb) {
    int own = R.current->tid;
    const struct event *via = NULL; /* the last event of this thread at another location */
    for (int i = hb->of[own] - 2; i >= 0 && via == NULL; i = R.event[R.by_thread[own][i]].before_run)
        if (other_location(&R.event[R.by_thread[own][i]], loc))
            via = &R.event[R.by_thread[own][i]];
    for (int t = 1; t <= R.threads; t++) {
        if (t == own)
            continue;
        for (int number = last_sc(t, hb->of[t]); number > 0; number--) {
            const struct event *a = sc_event(t, number);
            bool found = a->loc == loc;
            for (int i = a->idx + 1; !found && via != NULL && i < via->hb.of[t]; i++)
                found = other_location(&R.event[R.by_thread[t][i]], a->loc);
            if (found) {
                clk_join(into, &a->sc_before);
                break;
            }
        }
    }
}

/* hb;eco;hb between fences: what is before the store that was read, and that store. */
static void join_what_was_read(clk *into, const struct loc *loc, int position) {
    for (int i = 0; i <= position; i++) {
        const struct event *s = &R.event[loc->store[i]];
        if (s->kind != EV_INIT)
            join_fences(into, &s->hb);
        for (int r = s->first_reader; i < position && r != NO_EVENT; r = R.event[r].next_reader)
            join_fences(into, &R.event[r].hb);
    }
}

/* The locations that the events before a fence have touched, as a list: with the places of the last store among them,
 * and of the last that was read (-1: none). What is before an earlier one is before the last one, too. */
static struct loc *touched_before(const clk *hb) {
    struct loc *first = NULL;
    const int32_t fence = R.events;
    for (int id = 0; id < R.events; id++) {
        const struct event *y = &R.event[id];
        if (y->loc == NULL || y->kind == EV_INIT || !clk_has(hb, y))
            continue;
        struct loc *loc = y->loc;
        if (loc->touched != fence) {
            loc->touched = fence;
            loc->last_written = loc->last_read = -1;
            loc->next_touched = first;
            first = loc;
        }
        int *last = is_store(y) ? &loc->last_written : &loc->last_read;
        int place = is_store(y) ? y->mo : R.event[y->rf].mo;
        *last = place > *last ? place : *last;
    }
    return first;
}

static void join_before_fence(clk *into, const clk *hb) {
    for (int t = 1; t <= R.threads; t++)
        join_event(into, t, last_sc(t, hb->of[t]));
    for (struct loc *loc = touched_before(hb); loc != NULL; loc = loc->next_touched) {
        if (loc->last_written > 0)
            join_stores_before(into, loc, loc->last_written);
        join_what_was_read(into, loc, loc->last_read);
    }
}

/* What would be psc-before an access of this thread with clock hb. */
static clk before_access(const struct loc *loc, bool store, int position, const clk *hb) {
    clk before = {{0}};
    int own = R.current->tid;
    join_event(&before, own, last_sc(own, hb->of[own] - 1));
    join_fences(&before, hb);
    join_scb_through_hb(&before, loc, hb);
    if (store)
        join_stores_before(&before, loc, position);
    return before;
}

static bool precedes(const clk *before, int t, int number) { return number > 0 && before->of[t] >= number; }

/* The first fence of thread t that y happens before. */
static int first_fence_after(int t, const struct event *y) {
    int first = 0;
    for (int number = R.thread[t].last_fence; number > 0;) {
        const struct event *f = sc_event(t, number);
        if (!clk_has(&f->hb, y))
            break;
        first = number;
        number = f->idx > 0 ? R.event[R.by_thread[t][f->idx - 1]].last_fence : 0;
    }
    return first;
}

/* Calls use(t, number, only_for_fences) for each psc target of an event whose fr or mo leads to y. */
typedef bool (*target_function)(void *data, int t, int number, bool only_for_fences);

static bool each_target(const struct loc *loc, int from, target_function use, void *data) {
    for (int i = from; i < loc->stores; i++) {
        const struct event *y = &R.event[loc->store[i]];
        if (y->kind == EV_INIT)
            continue;
        if (y->sc && y->sc_number != 0 && !use(data, y->tid, y->sc_number, false))
            return false;
        for (int t = 1; t <= R.threads; t++)
            if (!use(data, t, first_fence_after(t, y), false))
                return false;
        for (int r = y->first_reader; r != NO_EVENT; r = R.event[r].next_reader)
            for (int t = 1; t <= R.threads; t++)
                if (!use(data, t, first_fence_after(t, &R.event[r]), true))
                    return false;
    }
    return true;
}

struct sources {
    clk access; /* psc-before the new event, if it is seq_cst itself */
    clk fences; /* psc-before a fence that happens before it */
    bool sc;
};

static bool closes_no_cycle(void *data, int t, int number, bool only_for_fences) {
    const struct sources *s = data;
    if (precedes(&s->fences, t, number))
        return false;
    return only_for_fences || !s->sc || !precedes(&s->access, t, number);
}

static struct sources sources_of(const struct loc *loc, bool store, int position, bool sc, const clk *hb) {
    struct sources s = {.sc = sc};
    join_fences(&s.fences, hb);
    if (sc)
        s.access = before_access(loc, store, position, hb);
    return s;
}

bool sc_allows_read(const struct loc *loc, int position, bool sc, const clk *hb) {
    if (!R.any_sc)
        return true;
    struct sources s = sources_of(loc, false, position, sc, hb);
    return each_target(loc, position + 1, closes_no_cycle, &s);
}

/* position: where the store would go; what is there now comes after it. */
bool sc_allows_store(const struct loc *loc, int position, bool sc, const clk *hb) {
    if (!R.any_sc)
        return true;
    struct sources s = sources_of(loc, true, position, sc, hb);
    return each_target(loc, position, closes_no_cycle, &s);
}

/* Everything that is psc-after (t, number), and it, learns what the new event brings. */
static bool spread(void *data, int t, int number, bool only_for_fences) {
    struct sources *s = data;
    if (number == 0)
        return true;
    for (int u = 1; u <= R.threads; u++)
        for (int n = 1; n <= R.thread[u].sc_events; n++) {
            struct event *e = &R.event[R.sc_list[u][n - 1]];
            if (!precedes(&e->sc_before, t, number))
                continue;
            clk_join(&e->sc_before, &s->fences);
            if (s->sc && !only_for_fences)
                clk_join(&e->sc_before, &s->access);
        }
    return true;
}

/* Enters a new event into psc. position: of the store that is read or made. */
void sc_commit(struct event *e, int position) {
    if (!e->sc && !R.any_sc)
        return;
    bool store = e->kind == EV_STORE || e->kind == EV_RMW_WRITE;
    struct sources s = {.sc = e->sc};
    if (e->kind != EV_FENCE)
        join_fences(&s.fences, &e->hb);
    if (e->sc) {
        R.any_sc = true;
        if (e->kind == EV_FENCE) {
            join_event(&s.access, e->tid, last_sc(e->tid, e->idx));
            join_before_fence(&s.access, &e->hb);
        } else {
            s.access = before_access(e->loc, store, position, &e->hb);
        }
        struct thread *t = &R.thread[e->tid];
        R.sc_list[e->tid][t->sc_events++] = (int)(e - R.event);
        e->sc_number = t->sc_events;
        s.access.of[e->tid] = e->sc_number;
        e->sc_before = s.access;
    }
    if (e->kind != EV_FENCE)
        each_target(e->loc, position + 1, spread, &s);
}
