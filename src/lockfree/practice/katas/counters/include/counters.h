/* Hits that many threads count, spread over several places so that they do not wait for each other. */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stddef.h>
#include <stdint.h>

struct counters; /* yours */

/* shards: 1 to 1000. */
size_t counters_size(uint32_t shards);
/* By one thread, before the others begin. start: hits that are there already. The memory is zeroed, and aligned to 64
 * bytes. */
void counters_init(struct counters *counters, uint32_t shards, uint64_t start);
/* `who` is the thread's number, any. Two threads can have the same one. */
void counters_add(struct counters *counters, uint32_t who, uint64_t hits);
/* All hits that are not taken: each that was added before the call, and of those that are added meanwhile, any. */
uint64_t counters_total(struct counters *counters);
/* The same, and takes them away: each hit is taken once. By any thread. */
uint64_t counters_take(struct counters *counters);

#endif
