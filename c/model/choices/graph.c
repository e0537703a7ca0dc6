/* graph.c: every execution graph of the client, each once.
 *
 * The algorithm is TruSt (Kokologiannakis, Marmanis, Gladstein, Vafeiadis: "Truly stateless, optimal
 * dynamic partial order reduction", POPL 2022). Events are added one at a time, the thread being a function
 * of the graph. A read branches over the stores it can see, a store over its places in mo; and a store w
 * branches over the earlier reads r of its location that could have read it: the events added after r that
 * w does not depend on are deleted, and r reads w. The latter only if each deleted event, and r, took the
 * newest store there was at its time: so that of all graphs that differ only in what is deleted, exactly
 * one does it.
 *
 * A branch is kept as the list of its events in an order in which they can be executed. To follow it, the
 * client runs again and takes its choices from the list. A read-modify-write is two events, the store
 * directly after the read; its read may see a store that another one has taken already, for the sake of
 * the branches in which its store is what the other one reads; those are found without following it. */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

static void graph_forget(void) {
    while (X.todo != NULL) {
        struct graph_item *item = X.todo;
        X.todo = item->next;
        free(item);
    }
    free(X.item);
    X.item = NULL;
}

void graph_begin(void) {
    if (X.built == NULL) {
        X.built = calloc(MAX_EVENTS, sizeof *X.built);
        X.entry_of = calloc(MAX_EVENTS, sizeof *X.entry_of);
        X.new_index = calloc(MAX_EVENTS, sizeof *X.new_index);
        X.readers = calloc(MAX_EVENTS, sizeof *X.readers);
    }
    graph_forget();
    item_push(item_new(0));
    X.todo->weight = 1;
    X.seen = 0;
}

/* How much of the search is done, if each execution's branches are equally large (Knuth, "Estimating the efficiency of
 * backtrack programs", 1975). */
static void share_weight(void) {
    double share = X.item->weight / (X.pushed + 1);
    struct graph_item *item = X.todo;
    for (int i = 0; i < X.pushed; i++, item = item->next)
        item->weight = share;
    X.seen += share;
}

bool graph_next(void) {
    if (X.item != NULL)
        share_weight();
    free(X.item);
    X.item = X.todo;
    if (X.item == NULL)
        return false;
    X.todo = X.item->next;
    X.pushed = 0;
    return true;
}

void graph_start_run(void) {
    X.at = 0;
    X.next_stamp = 0;
    for (int i = 0; i < X.item->count; i++)
        if (X.item->entry[i].stamp >= X.next_stamp)
            X.next_stamp = X.item->entry[i].stamp + 1;
}

static bool replaying(void) { return X.at < X.item->count; }

bool graph_is_new(void) { return R.options.mode == MODE_EXHAUSTIVE && !replaying(); }

static __attribute__((noreturn)) void behaves_differently(void) {
    fail("unusable client", "it behaves differently when it is run again: something outside of the model, such as a "
                            "clock, a file or the address of a variable, decides what it does");
    abort();
}

static bool listed(const int *list, int count, int thread) {
    for (int i = 0; i < count; i++)
        if (list[i] == thread)
            return true;
    return false;
}

int graph_thread(const int *list, int open, int count) {
    if (!replaying())
        return open > 0 ? list[0] : 0;
    int wanted = X.item->entry[X.at].tid;
    if (!listed(list, count, wanted))
        behaves_differently();
    return wanted;
}

/* What an event is to a list: a branch of a compare-and-swap is made before it is known whether it writes. */
static int class_of(enum event_kind kind) {
    switch (kind) {
    case EV_LOAD:
    case EV_RMW_READ:
        return EV_LOAD;
    case EV_STORE:
    case EV_RMW_WRITE:
        return EV_STORE;
    default:
        return (int)kind;
    }
}

static const struct graph_entry *forced(enum event_kind kind) {
    const struct graph_entry *entry = &X.item->entry[X.at];
    if (entry->tid != R.current->tid || class_of(entry->kind) != class_of(kind))
        behaves_differently();
    return entry;
}

/* Every event, in order of execution. */
void graph_added(int id) {
    struct event *e = &R.event[id];
    if (replaying()) {
        e->stamp = forced(e->kind)->stamp;
        e->rank = X.item->entry[X.at].rank;
    } else {
        e->stamp = X.next_stamp++;
    }
    X.built[X.at] = id;
    X.entry_of[id] = X.at++;
}

/* The graph up to now with one more entry. */
static struct graph_item *with_alternative(enum event_kind kind) {
    struct graph_item *item = item_new(X.at + 1);
    for (int i = 0; i < X.at; i++)
        describe(&item->entry[i], X.built[i], NULL);
    struct graph_entry *last = &item->entry[X.at];
    memset(last, 0, sizeof *last);
    last->tid = R.current->tid;
    last->kind = (uint8_t)kind;
    last->stamp = X.next_stamp;
    return item;
}

static int open_candidates(const bool *conflicting, int count) {
    int open = 0;
    for (int i = 0; i < count; i++)
        open += !conflicting[i];
    return open;
}

/* Would a thread that waits go on waiting with this store, although there is a newer one? That execution is dropped in
 * the end: it is not fair. */
static bool is_in_vain(const struct loc *loc, int position) {
    const struct thread *t = R.current;
    return t->hopes_for != NULL && position != loc->stores - 1 &&
           !t->hopes_for(R.event[loc->store[position]].value, t->hopes_with);
}

/* candidate[]: positions in mo, newest first. Returns the position to read. The kind of the alternatives
 * is not known here (a compare-and-swap may fail with another value); replays accept both. */
int graph_pick_read(struct loc *loc, const int *candidate, const bool *conflicting, int count) {
    int picked = -1, number = 0;
    if (replaying()) {
        const struct graph_entry *entry = forced(EV_LOAD);
        for (int i = 0; i < count && picked < 0; i++) {
            const struct event *w = &R.event[loc->store[candidate[i]]];
            bool same = w->kind == EV_INIT ? entry->rf == -1 - w->pseudo
                                           : entry->rf >= 0 && X.built[entry->rf] == loc->store[candidate[i]];
            if (same)
                picked = i;
        }
        if (picked < 0)
            leave_run(RUN_CUT); /* the new graph is not consistent */
    } else {
        for (int i = 0; i < count && picked < 0; i++)
            if (!conflicting[i] && !is_in_vain(loc, candidate[i]))
                picked = i;
        /* The newest one is followed first: what a thread learns from it is useful where it finds an older one and fails. */
        for (int i = count - 1; i >= 0 && !R.current->impatient; i--) {
            if (i == picked || is_in_vain(loc, candidate[i]))
                continue;
            if (conflicting[i]) {
                revisit_by_conflict(loc, candidate[i]);
                continue;
            }
            struct graph_item *item = with_alternative(EV_LOAD);
            item->entry[X.at].rf = entry_of_store(loc->store[candidate[i]], NULL);
            item_push(item);
        }
        if (picked < 0)
            leave_run(RUN_CUT);
    }
    for (int i = 0; i < picked; i++)
        number += !conflicting[i];
    if (open_candidates(conflicting, count) > 1)
        trail_add(number);
    return candidate[picked];
}

int graph_pick_place(struct loc *loc, const int *place, int count) {
    int picked = 0;
    if (replaying()) {
        const struct graph_entry *entry = forced(EV_STORE);
        int after = 0; /* directly before the first store of a higher rank */
        for (int i = 0; i < loc->stores; i++)
            if (R.event[loc->store[i]].kind == EV_INIT || R.event[loc->store[i]].rank < entry->rank)
                after = i + 1;
        for (picked = 0; picked < count && place[picked] != after;)
            picked++;
        if (picked == count)
            leave_run(RUN_CUT);
    } else {
        for (int i = 1; i < count; i++) {
            struct graph_item *item = with_alternative(EV_STORE);
            item->entry[X.at].rank = 2 * place[i] + 1;
            item_push(item);
        }
    }
    if (count > 1)
        trail_add(picked);
    return place[picked];
}

int graph_pick_value(int options) {
    int value = 0;
    if (replaying()) {
        value = forced(EV_CHOICE)->value;
    } else {
        for (int i = 1; i < options; i++) {
            struct graph_item *item = with_alternative(EV_CHOICE);
            item->entry[X.at].value = (uint32_t)i;
            item_push(item);
        }
    }
    trail_add(value);
    return value;
}

/* A step without a choice. */
void graph_pick_nothing(void) {
    if (replaying())
        (void)forced(EV_CHOICE);
}

bool graph_pick_impatience(bool open) {
    bool impatient = open;
    if (replaying()) {
        impatient = forced(EV_CHOICE)->value != 0;
    } else if (open) {
        struct graph_item *item = with_alternative(EV_CHOICE);
        item_push(item);
    }
    trail_add(impatient);
    return impatient;
}

/* A new store that has not been put into mo yet. */
void graph_new_store(struct loc *loc, int write) {
    if (!replaying() && !R.event[write].impatient)
        revisit_all(loc, write);
}
