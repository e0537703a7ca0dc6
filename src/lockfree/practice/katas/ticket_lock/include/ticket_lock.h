/* A lock that serves in the order of arrival, as a baker does: draw a number, wait until it is called. */
#ifndef TICKET_LOCK_H
#define TICKET_LOCK_H

#include <stdatomic.h>
#include <stdint.h>

/* Both begin at the same number, which may be any. Equal: the lock is free. */
struct ticket_lock {
    _Atomic uint32_t next;    /* the ticket that is drawn next */
    _Atomic uint32_t serving; /* the ticket whose turn it is */
};

void ticket_lock(struct ticket_lock *lock);
/* At once: 1 taken, 0 not, and then nobody notices the attempt. */
int ticket_try(struct ticket_lock *lock);
void ticket_unlock(struct ticket_lock *lock);

/* Given. Gives the CPU to another thread. */
void ticket_yield(void);

#endif
