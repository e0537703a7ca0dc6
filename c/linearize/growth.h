/* Maps whose values are texts that grow: `append` adds a text to the value of its key. The engine compares values and does
 * not compute with them, so this is a specification of its own, by keys: its step goes to lf_lin_check.
 *
 * What no get of the history can tell apart is one state. A value with which an answer begins is the first such answer in
 * alphabetical order, and a length; every other value is LOST. */
#ifndef LF_LINEARIZE_GROWTH_H
#define LF_LINEARIZE_GROWTH_H

#include "linearize/linearize.h"
#include "linearize/parse.h"

enum { LF_GROWTH_ABSENT, LF_GROWTH_LOST, LF_GROWTH_EMPTY, LF_GROWTH_FIRST };

/* NULL: there are other operations than put, get, append, contains, remove and delete, or values that are no plain
 * texts, or there is no memory. `ops` and the reader, which has their texts and gets no new ones, outlive it. It leaves out orders after which
 * the longest answer of a key that only grows cannot come. So it is about the whole history, not about parts of it. */
struct lf_growth *lf_growth_new(const struct lf_history_reader *texts, const struct lf_history_op *ops, size_t count);
void lf_growth_free(struct lf_growth *g);
size_t lf_growth_bytes(const struct lf_growth *g);
/* For lf_lin_options.step; `growth` is the context. */
int32_t lf_growth_step(void *growth, uint32_t state, uint32_t op, uint32_t *out, uint32_t room);
/* The text of a state that is LF_GROWTH_FIRST or more. */
const char *lf_growth_text(const struct lf_growth *g, uint32_t state, size_t *count);

#endif
