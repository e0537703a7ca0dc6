/* The sweep of a bounded queue whose values have a fixed order, event by event, and what reorder.c asks of it. */
#ifndef LF_LINEARIZE_SWEEP_H
#define LF_LINEARIZE_SWEEP_H

#include "linearize/internal.h"

enum { LIN_SWEEP_MAX = 1 << 15 };

struct lin_pair {
    uint32_t puts, gets;
    uint64_t right;
}; /* right: answers open now that were right once */

struct lin_sweeper {
    struct lin_problem *p;
    uint32_t *first_put, *last_put, *first_get, *last_get; /* by place in the order, monotone */
    uint32_t m;
    struct lin_pair *now, *seen;
    uint32_t n, seen_n, *slot;
    uint32_t answer[64]; /* open FULL and EMPTY answers, LIN_NO if free */
    uint32_t need[64];   /* how many puts (FULL) or gets (EMPTY) go before it */
    uint32_t *place;     /* with batches: operation -> 1 + place of its value */
    uint64_t full, empty;
};

/* False: out of memory. */
bool lin_sweep_open(struct lin_sweeper *s, struct lin_problem *p, const struct lin_value *v, uint32_t m,
                    const uint32_t *order);
/* The bounds of the values at places from..to, whose order has changed among them. */
void lin_sweep_rebound(struct lin_sweeper *s, const struct lin_value *v, const uint32_t *order, uint32_t from,
                       uint32_t to);
/* Event `r` and the gap behind it. False: no schedule of this order explains what has been seen. */
bool lin_sweep_step(struct lin_sweeper *s, uint32_t r);
void lin_sweep_close(struct lin_sweeper *s);

#endif
