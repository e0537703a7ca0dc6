/* A barrier that can be used again and again: nobody goes on before all have come. */
#ifndef BARRIER_H
#define BARRIER_H

#include <stddef.h>
#include <stdint.h>

struct barrier; /* yours */

size_t barrier_size(void);
/* By one thread, before the others begin. threads: 1 to 1000. start: where your counters begin that never go back, if any.
 * The memory is aligned to 64 bytes. */
void barrier_init(struct barrier *barrier, uint32_t threads, uint32_t start);
/* Returns when all threads have called it in this round: 1 in one of them, 0 in the others. */
int barrier_wait(struct barrier *barrier);

/* Given. Gives the CPU to another thread. */
void barrier_yield(void);

#endif
