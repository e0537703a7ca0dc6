/* revisit.c: which reads a new store revisits: see graph.c. */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

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

/* Will no revisit delete or change this event, whatever is added later? It had newer stores to take from the beginning. */
static bool stays_for_good(const struct event *e) {
    if (e->kind == EV_FENCE)
        return false;
    if (e->kind == EV_CHOICE)
        return e->value != 0;
    const struct loc *loc = e->loc;
    for (int i = (is_store(e) ? e->mo : R.event[e->rf].mo) + 1; i < loc->stores; i++)
        if (R.event[loc->store[i]].kind == EV_INIT || R.event[loc->store[i]].stamp <= e->stamp)
            return true;
    return false;
}

/* Is all that comes of this execution like it in that a thread has gone the way that it went? */
bool graph_is_settled(const struct thread *t) {
    return R.options.mode != MODE_EXHAUSTIVE ||
           (t->events > 0 && stays_for_good(&R.event[R.by_thread[t->tid][t->events - 1]]));
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
        item_push(item);
    }
}

static int in_order(const void *a, const void *b) {
    int first = X.entry_of[*(const int *)a], second = X.entry_of[*(const int *)b];
    return (first > second) - (first < second);
}

/* Only the readers of this location are looked at: a client may have many. */
void revisit_all(struct loc *loc, int write) {
    int count = 0;
    for (int i = 0; i < loc->stores; i++)
        for (int r = R.event[loc->store[i]].first_reader; r != NO_EVENT; r = R.event[r].next_reader)
            if (!R.event[r].impatient && !clk_has(&R.event[write].porf, &R.event[r]))
                X.readers[count++] = r;
    qsort(X.readers, (size_t)count, sizeof *X.readers, in_order);
    for (int i = count - 1; i >= 0;
         i--) /* the first read is followed first: a thread that tries again learns from it */
        revisit(loc, write, X.readers[i]);
}

/* The current thread is about to make a read-modify-write. What would its store revisit, if it read a store that another
 * read-modify-write has taken? Both cannot stay, so there is nothing to execute: the two events are put up for the look
 * alone. */
void revisit_by_conflict(struct loc *loc, int position) {
    const struct thread *t = R.current;
    const int store = loc->store[position];
    struct event *read = &R.event[R.events], *write = read + 1;
    memset(read, 0, 2 * sizeof *read);
    read->kind = EV_RMW_READ;
    write->kind = EV_RMW_WRITE;
    read->tid = write->tid = t->tid;
    read->idx = t->events;
    write->idx = t->events + 1;
    read->loc = write->loc = loc;
    read->rf = write->rf = store;
    read->first_reader = write->first_reader = NO_EVENT;
    read->porf = t->porf;
    clk_join(&read->porf, &R.event[store].porf);
    read->porf.of[t->tid] = read->idx + 1;
    write->porf = read->porf;
    write->porf.of[t->tid] = write->idx + 1;
    read->stamp = X.next_stamp++;
    write->stamp = X.next_stamp;
    X.entry_of[R.events] = X.at;
    X.built[X.at++] = R.events;
    revisit_all(loc, R.events + 1);
    X.at--;
    X.next_stamp--;
}
