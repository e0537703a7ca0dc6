/* graph.h: what the files of the exhaustive search share. */
#ifndef LOCKFREE_MODEL_GRAPH_H
#define LOCKFREE_MODEL_GRAPH_H

#include "choices.h"

/* items.c */
struct graph_item *item_new(int count);
void item_push(struct graph_item *item);
int32_t entry_of_store(int id, const int *new_index);
void describe(struct graph_entry *entry, int id, const int *new_index);

/* revisit.c */
void revisit_all(struct loc *loc, int write);
void revisit_by_conflict(struct loc *loc, int position);

#endif
