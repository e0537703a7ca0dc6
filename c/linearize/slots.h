/* A bounded queue for the depth-first search: puts take effect, but which put it was is left open until a get takes its
 * value. */
#ifndef LF_LINEARIZE_SLOTS_H
#define LF_LINEARIZE_SLOTS_H

#include "linearize/claims.h"

struct lin_slots {
    struct lin_claims *claims; /* NULL: not used */
    uint32_t capacity;
    uint32_t *time;       /* [puts] the event before which the k-th put took effect */
    uint32_t first, last; /* so many gets, so many puts have taken effect */
    uint32_t *called;     /* [events + 1] puts that were called before the event */
    uint32_t *seen;       /* [events + 1] calls and returns of puts before the event */
    uint32_t *waiting;    /* scratch: puts that a slot came too early for */
    uint64_t hash;        /* of the times of time[first..last) */
};

/* Sets `claims` if the object is a queue with a capacity, for which the claims are. False: stopped. */
bool lin_slots_init(struct lin_slots *s, struct lin_claims *c);
/* How many more puts may take effect at event `at`, at most as many as there is room for. */
uint32_t lin_slots_room(const struct lin_slots *s, uint32_t at);
void lin_slots_put(struct lin_slots *s, uint32_t at);
void lin_slots_unput(struct lin_slots *s);
/* The put that `get` would take: of a pending one the `outcome`-th that it may; LIN_NO: none. */
uint32_t lin_slots_find(struct lin_slots *s, uint32_t get, uint32_t at, uint32_t outcome);
void lin_slots_get(struct lin_slots *s, uint32_t put, uint32_t get);
void lin_slots_unget(struct lin_slots *s, uint32_t put, uint32_t get);
/* Have all puts that returned before event `at` taken effect? */
bool lin_slots_hold(struct lin_slots *s, uint32_t at);
/* At the end: the puts that nobody took, in the order in which they took effect. */
void lin_slots_rest(struct lin_slots *s, uint32_t *put);

static inline uint32_t lin_slots_size(const struct lin_slots *s) { return s->last - s->first; }

#endif
