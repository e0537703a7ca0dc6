/* The latest N events of one writer. The writer never waits and overwrites the oldest; a reader learns what it has missed. */
#ifndef OVERWRITING_RING_H
#define OVERWRITING_RING_H

#include <stddef.h>
#include <stdint.h>

enum { EVENT_WORDS = 2 };

struct event {
    uint64_t word[EVENT_WORDS];
};

enum latest_answer {
    LATEST_LOST = -1, /* overwritten, or just being overwritten */
    LATEST_LATER = 0, /* not there yet */
    LATEST_FOUND = 1,
};

struct latest; /* yours */

/* Bytes; the memory that latest_init gets is zeroed, and aligned to 64. slots: a power of two, 1 to 65,536. */
size_t latest_size(uint32_t slots);
/* By one thread, before the others begin. first: the number of the first event, below 2^62. */
void latest_init(struct latest *ring, uint32_t slots, uint64_t first);
/* By the one writer. Events are numbered first, first + 1, ... Wait-free. */
void latest_put(struct latest *ring, const struct event *event);
/* The number that the next event will get. What lies before it is no more LATER. */
uint64_t latest_next(const struct latest *ring);
/* By any reader. The event of this number, which is not below `first`. `event` holds anything if it is not FOUND. Wait-free. */
enum latest_answer latest_get(const struct latest *ring, uint64_t number, struct event *event);

#endif
