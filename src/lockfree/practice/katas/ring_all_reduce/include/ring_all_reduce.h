/* The sum of the vectors of all ranks, in place, over a ring of links: rank r sends to rank r + 1, the last one to rank 0. */
#ifndef RING_ALL_REDUCE_H
#define RING_ALL_REDUCE_H

#include <stdint.h>

/* Given. A link has one sender and one receiver. It passes messages in order, and holds few that are not given back: one at least. */
struct link;

enum { LINK_WORDS = 2 }; /* the most words of a message, so that a test shows what large vectors do */

/* Waits while the link holds as many messages as it can. The words are not copied: they must stay as they are until the
 * receiver gives them back. count: 1 to LINK_WORDS. */
void link_send(struct link *link, const int64_t *words, uint32_t count);
/* Waits for the oldest message. Its words are the sender's own; they may be read until link_done. */
const int64_t *link_receive(struct link *link, uint32_t *count);
/* Gives the oldest message back. */
void link_done(struct link *link);
/* By the sender. Waits until all its messages are given back. */
void link_flush(struct link *link);

/* Yours. Called by all ranks at about the same time, with the same `ranks` (1 to 64) and `count` (0 or more). When it returns, `words`
 * holds the sums of all ranks, and nobody looks at `words` any more. With one rank there are no links: they are NULL.
 * A rank sends at most 2 * (ranks - 1) * ceil(count / ranks) words. */
void ring_all_reduce(uint32_t rank, uint32_t ranks, int64_t *words, uint32_t count, struct link *to_next,
                     struct link *from_previous);

#endif
