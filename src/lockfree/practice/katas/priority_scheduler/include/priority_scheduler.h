/* The run queue of a server: tasks in levels, the most urgent level first, and in each level the oldest first. */
#ifndef PRIORITY_SCHEDULER_H
#define PRIORITY_SCHEDULER_H

#include <stddef.h>
#include <stdint.h>

enum { SCHEDULER_LEVELS = 4 }; /* 0 is the most urgent */

struct scheduler; /* yours */

/* Bytes; the memory that scheduler_init gets is zeroed, and aligned to 64. capacity: tasks of each level, 1 to 65,536. */
size_t scheduler_size(uint32_t capacity);
/* By one thread, before the others begin. start: where your counters begin. */
void scheduler_init(struct scheduler *scheduler, uint32_t capacity, uint32_t start);
/* By any thread. 1 done; 0: this level held `capacity` tasks. level: 0 to SCHEDULER_LEVELS - 1. */
int scheduler_put(struct scheduler *scheduler, uint32_t level, uint32_t task);
/* By any thread. 1: of all tasks that were there at one moment of the call, the oldest of the most urgent level. 0: at some moment of
 * the call there was none. */
int scheduler_get(struct scheduler *scheduler, uint32_t *task);

#endif
