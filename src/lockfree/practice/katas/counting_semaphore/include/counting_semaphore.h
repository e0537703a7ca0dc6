/* A semaphore that counts permits. A caller that finds none sleeps. */
#ifndef COUNTING_SEMAPHORE_H
#define COUNTING_SEMAPHORE_H

#include <stddef.h>
#include <stdint.h>

#include "futex.h"

struct semaphore; /* yours */

size_t semaphore_size(void);
/* By one thread, before the others begin. initial <= max. The memory is aligned to 64 bytes. */
void semaphore_init(struct semaphore *semaphore, uint32_t initial, uint32_t max);
/* Takes one permit; sleeps while there is none. */
void semaphore_acquire(struct semaphore *semaphore);
/* At once: 1 taken, 0 there was none. */
int semaphore_try_acquire(struct semaphore *semaphore);
/* Gives count permits, 1 or more. 0: there would be more than max, and then nothing has changed. */
int semaphore_release(struct semaphore *semaphore, uint32_t count);

#endif
