/* An event that is set once. A waiter sleeps; a setter calls the kernel only if somebody sleeps. */
#ifndef SLEEPER_FLAG_H
#define SLEEPER_FLAG_H

#include "futex.h"

struct event {
    _Atomic uint32_t set;      /* 0, and 1 for ever after */
    _Atomic uint32_t sleepers; /* 1: somebody may sleep, or is about to */
};

/* Returns when the event is set. */
void event_wait(struct event *event);
void event_set(struct event *event);

#endif
