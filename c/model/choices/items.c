/* items.c: branches of the search: lists of events that are to be built again. */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

struct graph_item *item_new(int count) {
    struct graph_item *item = malloc(sizeof *item + (size_t)count * sizeof item->entry[0]);
    item->count = count;
    return item;
}

void item_push(struct graph_item *item) {
    item->next = X.todo;
    X.todo = item;
    X.pushed++;
}

int32_t entry_of_store(int id, const int *new_index) {
    const struct event *w = &R.event[id];
    if (w->kind == EV_INIT)
        return -1 - w->pseudo;
    return new_index != NULL ? new_index[X.entry_of[id]] : X.entry_of[id];
}

/* new_index: of entries in a shorter list, or NULL. */
void describe(struct graph_entry *entry, int id, const int *new_index) {
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
