/* A lock for two threads, made of loads and stores alone (G. L. Peterson, 1981). */
#ifndef PETERSON_H
#define PETERSON_H

#include <stdatomic.h>

struct peterson {
    _Atomic int wants[2]; /* the thread wants to go in, or is inside */
    _Atomic int turn;     /* the one that goes first if both want to */
};

/* me: 0 or 1, the number of the calling thread. */
void peterson_lock(struct peterson *lock, int me);
void peterson_unlock(struct peterson *lock, int me);

#endif
