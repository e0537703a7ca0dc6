/* What a depth-first search has tried: a table of 128-bit fingerprints that forgets its older half when memory is
 * full. */
#ifndef LF_LINEARIZE_TRIED_H
#define LF_LINEARIZE_TRIED_H

#include "linearize/internal.h"

struct lin_seen {
    uint64_t a, b; /* a is odd */
};

struct lin_tried {
    struct lin_run *run;
    struct lin_seen *now, *before; /* before: what was in the table when it was full */
    uint32_t n, slots, before_slots;
    uint32_t forgot_at; /* how far the search was then */
};

bool lin_tried_find(const struct lin_tried *m, struct lin_seen x);
/* False when memory is full and forgetting leads nowhere. `furthest`: how far the search is. */
bool lin_tried_add(struct lin_tried *m, struct lin_seen x, uint32_t furthest);

#endif
