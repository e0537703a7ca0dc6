/* A condition variable: a place to sleep until somebody says that something has changed. */
#ifndef CONDITION_VARIABLE_H
#define CONDITION_VARIABLE_H

#include <stddef.h>

#include "futex.h"

struct mutex; /* given */
void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

struct condition; /* yours */

size_t condition_size(void);
/* By one thread, before the others begin. start: where your counter begins, if you have one. The memory is aligned to 64
 * bytes. */
void condition_init(struct condition *condition, uint32_t start);
/* By the holder of the mutex: lets it go and sleeps in one step, as others see it; has it again when it returns. It can
 * return for no reason. */
void condition_wait(struct condition *condition, struct mutex *mutex);
/* Wakes one thread that waits, if there is one. With or without the mutex. */
void condition_signal(struct condition *condition);
/* Wakes all threads that wait. */
void condition_broadcast(struct condition *condition);

#endif
