/* What is inside a queue or a stack while the depth-first search runs: each effect, and taking it back, in constant
 * time, with a 128-bit hash of the content. */
#ifndef LF_LINEARIZE_CONTENT_H
#define LF_LINEARIZE_CONTENT_H

#include "linearize/internal.h"

struct lin_content {
    int64_t *value; /* value[first..last); NULL: the object is neither queue nor stack */
    uint32_t first, last;
    int64_t capacity; /* 0: none */
    bool stack;
    uint64_t sum[2];    /* queue: of key(value[i]) * base^i */
    uint64_t high[2];   /* base^last */
    uint64_t low[2];    /* base^-first */
    uint32_t *soonest;  /* stack: soonest[i]: when one of value[0..i) is certainly taken, as a gap */
    uint64_t *below[2]; /* stack: below[k][i] is the hash of value[0..i) */
};

bool lin_content_init(struct lin_content *c, struct lin_problem *p);
bool lin_content_allows(const struct lin_content *c, const struct lf_history_op *op);
/* `taken`: the last gap in which the value is taken, LIN_NO if that is not known. */
void lin_content_put(struct lin_content *c, int64_t value, uint32_t taken);
int64_t lin_content_get(struct lin_content *c);
void lin_content_unput(struct lin_content *c);
void lin_content_unget(struct lin_content *c, int64_t value, uint32_t taken);
void lin_content_hash(const struct lin_content *c, uint64_t *a, uint64_t *b);

static inline uint32_t lin_content_size(const struct lin_content *c) { return c->last - c->first; }
/* The value that would come out next; there must be one. */
static inline int64_t lin_content_next(const struct lin_content *c) {
    return c->value[c->stack ? c->last - 1 : c->first];
}

#endif
