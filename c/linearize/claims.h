/* A queue or a priority queue whose values may be equal, for the depth-first search: gets claim puts. Without a capacity no put
 * takes effect. */
#ifndef LF_LINEARIZE_CLAIMS_H
#define LF_LINEARIZE_CLAIMS_H

#include "linearize/search.h"

struct lin_claims {
    struct lin_problem *p;
    uint32_t *next, *prev;     /* puts nobody has claimed, by return: for each level a ring with head n + level;
                                * NULL: not used */
    uint32_t *later, *earlier; /* those of one value, by return: a ring with head n + 1 + value number */
    uint32_t *value;           /* [n] number of the value of a put, or of what a get returned, or LIN_NO */
    uint32_t *level;           /* [n] of a put, or of what a get returned, from the most urgent on; NULL: one level */
    uint32_t levels;
    uint32_t *horizon; /* [events + 1] the last return of a put that was called before the event */
    uint32_t *spare;   /* [values] puts of a value that nobody has claimed, beyond those that gets still to come will */
    uint64_t hash[2];  /* of what was claimed */
};

/* Sets `next` if this is such a queue. False: stopped. */
bool lin_claims_init(struct lin_claims *c, struct lin_problem *p);
/* The put that `get` would claim at event `at`: of a pending one the `outcome`-th that it may; LIN_NO: none. */
uint32_t lin_claims_find(const struct lin_claims *c, uint32_t get, uint32_t at, uint32_t outcome);
/* May levels 0..levels-1 be empty at event `at`? */
bool lin_claims_empty(const struct lin_claims *c, uint32_t levels, uint32_t at);
/* If a get or an EMPTY cannot take effect at event `at`: the put that must be claimed before; else LIN_NO. */
uint32_t lin_claims_blocker(const struct lin_claims *c, uint32_t get, uint32_t at);
bool lin_claims_has(const struct lin_claims *c, uint32_t put); /* nobody has claimed it */
/* How many puts of levels 0..levels-1 that have returned nobody has claimed; at most `most` + 1. */
uint32_t lin_claims_left(const struct lin_claims *c, uint32_t levels, uint32_t at, uint32_t most);
/* The level of a put or a get; for a get that never returned, and for EMPTY, one behind all of them. */
static inline uint32_t lin_claims_level(const struct lin_claims *c, uint32_t op) {
    return c->value[op] == LIN_NO ? c->levels : c->level ? c->level[op] : 0;
}
void lin_claims_take(struct lin_claims *c, uint32_t put, uint32_t get);
void lin_claims_give_back(struct lin_claims *c, uint32_t put, uint32_t get); /* in the reverse order of taking */

#endif
