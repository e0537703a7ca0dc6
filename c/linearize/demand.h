/* Registers: which operations need a value to be there, and which bring it. */
#ifndef LF_LINEARIZE_DEMAND_H
#define LF_LINEARIZE_DEMAND_H

#include "linearize/search.h"

struct lin_demand {
    struct lin_problem *p;
    uint32_t *makes; /* [n] the state that a write or a compare-and-swap leads to, or LIN_NO */
    uint32_t *need;  /* operations that need state v, by return: need[need_from[v]..need_from[v + 1]); or NULL */
    uint32_t *need_from;
    uint32_t *make_call; /* the calls of those that lead to v, in order: make_call[make_from[v]..make_from[v + 1]) */
    uint32_t *make_from;
};

bool lin_demand_init(struct lin_demand *m, struct lin_stepper *s);
/* The place in `need` of the first that returns at event `at` or later. */
uint32_t lin_demand_first(const struct lin_demand *m, uint32_t state, uint32_t at);
/* The first call, at event `at` or later, of an operation that leads to the state; LIN_NO if there is none. */
uint32_t lin_demand_next_make(const struct lin_demand *m, uint32_t state, uint32_t at);

#endif
