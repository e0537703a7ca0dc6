/* A lock that many readers can hold together, or one writer alone. A thread that cannot have it sleeps. */
#ifndef RWLOCK_H
#define RWLOCK_H

#include <stddef.h>

#include "futex.h"

struct rwlock; /* yours */

size_t rwlock_size(void);
/* By one thread, before the others begin. The memory is aligned to 64 bytes. There are at most 1000 threads. */
void rwlock_init(struct rwlock *lock);

void rwlock_read(struct rwlock *lock);
/* At once: 1 taken, 0 not: a writer has the lock, or waits for it. */
int rwlock_try_read(struct rwlock *lock);
void rwlock_read_unlock(struct rwlock *lock);

void rwlock_write(struct rwlock *lock);
/* At once: 1 taken, 0 not. */
int rwlock_try_write(struct rwlock *lock);
void rwlock_write_unlock(struct rwlock *lock);

/* By a reader. 1: it is the writer now; nobody else wrote in between. 0, and at once: another reader is doing this
 * already, so the caller is still a reader. */
int rwlock_upgrade(struct rwlock *lock);

#endif
