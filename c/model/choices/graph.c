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
 * the branch in which its store is what the other one reads; the execution itself then ends there. */
#include "choices.h"

#include <stdlib.h>
#include <string.h>

static struct graph_item *item_new(int count) {
    struct graph_item *item = malloc(sizeof *item + (size_t)count * sizeof item->entry[0]);
    item->count = count;
    return item;
}

static void push(struct graph_item *item) {
    item->next = X.todo;
    X.todo = item;
    X.pushed++;
}

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
    push(item_new(0));
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
    X.conflict = false;
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

static int32_t entry_of_store(int id, const int *new_index) {
    const struct event *w = &R.event[id];
    if (w->kind == EV_INIT)
        return -1 - w->pseudo;
    return new_index != NULL ? new_index[X.entry_of[id]] : X.entry_of[id];
}

/* new_index: of entries in a shorter list, or NULL. */
static void describe(struct graph_entry *entry, int id, const int *new_index) {
    const struct event *e = &R.event[id];
    memset(entry, 0, sizeof *entry);
    entry->tid = e->tid;
    entry->kind = e->kind;
    entry->stamp = e->stamp;
    entry->value = e->kind == EV_CHOICE ? (uint16_t)e->value : 0;
    if (e->kind == EV_LOAD || e->kind == EV_RMW_READ) {
        entry->rf = entry_of_store(e->rf, new_index);
    }
    if (is_store(e))
        entry->rank = 2 * e->mo + 2;
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
int graph_pick_read(struct loc *loc, const int *candidate, const bool *conflicting, int count, bool *conflict) {
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
        for (int i = 0; i < count && !R.current->impatient; i++) {
            if (i == picked || is_in_vain(loc, candidate[i]))
                continue;
            struct graph_item *item = with_alternative(EV_LOAD);
            item->entry[X.at].rf = entry_of_store(loc->store[candidate[i]], NULL);
            push(item);
        }
        if (picked < 0)
            leave_run(RUN_CUT);
    }
    for (int i = 0; i < picked; i++)
        number += !conflicting[i];
    if (open_candidates(conflicting, count) > 1)
        trail_add(number);
    *conflict = X.conflict = conflicting[picked];
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
            push(item);
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
            push(item);
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
        push(item);
    }
    trail_add(impatient);
    return impatient;
}

/* Was e there when `limit` was added, or does w depend on it? */
static bool previous(const struct event *e, const struct event *limit, const struct event *w) {
    return e->kind == EV_INIT || e->stamp <= limit->stamp || clk_has(&w->porf, e);
}

static bool none_newer(const struct loc *loc, int from, const struct event *limit, const struct event *w) {
    for (int i = from; i < loc->stores; i++)
        if (previous(&R.event[loc->store[i]], limit, w))
            return false;
    return true;
}

/* Did e take the newest store there was, as seen by a deletion for the sake of w? */
static bool maximally_added(const struct event *e, const struct event *w) {
    if (e->kind == EV_FENCE)
        return true;
    if (e->kind == EV_CHOICE)
        return e->value == 0;
    if (is_store(e)) {
        for (int r = e->first_reader; r != NO_EVENT; r = R.event[r].next_reader)
            if (previous(&R.event[r], e, w))
                return false;
        return none_newer(e->loc, e->mo + 1, e, w);
    }
    const struct event *from = &R.event[e->rf];
    return previous(from, e, w) && none_newer(e->loc, from->mo + 1, e, w);
}

static bool deleted(const struct event *e, const struct event *r, const struct event *w) {
    return e != w && e->stamp > r->stamp && !clk_has(&w->porf, e);
}

static void revisit(struct loc *loc, int w_id, int r_id) {
    struct event *w = &R.event[w_id], *r = &R.event[r_id];
    if (!maximally_added(r, w))
        return;
    int kept = 0;
    int *new_index = X.new_index;
    for (int i = 0; i < X.at; i++) {
        const struct event *e = &R.event[X.built[i]];
        new_index[i] = -1;
        if (e == r)
            continue;
        if (!deleted(e, r, w))
            new_index[i] = kept++;
        else if (!maximally_added(e, w))
            return;
    }
    bool rmw = w->kind == EV_RMW_WRITE;
    int low = rmw ? R.event[w->rf].mo + 1 : coherence_bound(loc, &w->hb) + 1;
    for (int i = low; rmw && i < loc->stores; i++) { /* the store it read must not stay taken */
        const struct event *other = &R.event[loc->store[i]];
        if (other->kind == EV_RMW_WRITE && other->rf == w->rf && !deleted(other, r, w))
            return;
    }
    for (int place = rmw ? low : loc->stores; place >= low; place--) {
        /* A place is named by the kept store behind it. */
        const struct event *behind = place < loc->stores ? &R.event[loc->store[place]] : NULL;
        if (!rmw && behind != NULL && (deleted(behind, r, w) || behind->kind == EV_RMW_WRITE))
            continue;
        struct graph_item *item = item_new(kept + 2);
        for (int i = 0; i < X.at; i++)
            if (new_index[i] >= 0)
                describe(&item->entry[new_index[i]], X.built[i], new_index);
        struct graph_entry *store = &item->entry[kept], *read = &item->entry[kept + 1];
        memset(store, 0, 2 * sizeof *store);
        store->tid = w->tid;
        store->kind = EV_STORE;
        store->stamp = X.next_stamp;
        store->rank = 2 * place + 1;
        read->tid = r->tid;
        read->kind = EV_LOAD;
        read->stamp = r->stamp;
        read->rf = (int32_t)kept;
        push(item);
    }
}

static int in_order(const void *a, const void *b) {
    int first = X.entry_of[*(const int *)a], second = X.entry_of[*(const int *)b];
    return (first > second) - (first < second);
}

/* Only the readers of this location are looked at: a client may have many. */
static void revisit_all(struct loc *loc, int write) {
    int count = 0;
    for (int i = 0; i < loc->stores; i++)
        for (int r = R.event[loc->store[i]].first_reader; r != NO_EVENT; r = R.event[r].next_reader)
            if (!R.event[r].impatient && !clk_has(&R.event[write].porf, &R.event[r]))
                X.readers[count++] = r;
    qsort(X.readers, (size_t)count, sizeof *X.readers, in_order);
    for (int i = 0; i < count; i++)
        revisit(loc, write, X.readers[i]);
}

/* A new store that has not been put into mo yet. */
void graph_new_store(struct loc *loc, int write, bool conflict) {
    if (!replaying() && !R.event[write].impatient)
        revisit_all(loc, write);
    if (conflict)
        leave_run(RUN_CUT);
}
