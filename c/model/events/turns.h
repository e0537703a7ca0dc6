/* turns.h: turns of loops that change nothing, for turns.c, which knows them, and seen.c, which knows who has seen them. */
#ifndef LOCKFREE_MODEL_TURNS_H
#define LOCKFREE_MODEL_TURNS_H

#include "events.h"

#include <string.h>

static inline struct event *event_of(const struct thread *t, int32_t i) { return &R.event[R.by_thread[t->tid][i]]; }
static inline bool is_atomic_store(const struct event *e) { return e->kind == EV_STORE || e->kind == EV_RMW_WRITE; }
static inline bool tries_to_take(const struct event *e) {
    return e->doing != NULL && strncmp(e->doing, "try to ", 7) == 0;
}

void turn_made(const struct thread *t);          /* its last turn changed nothing */
bool turn_undoes_itself(const struct thread *t); /* all that it stored is as it was */
u128 before_turn(const struct event *w);         /* what was there before the first store of its turn to that place */

#endif
