/* Given: how a thread sleeps in the kernel, and how others wake it. */
#ifndef FUTEX_H
#define FUTEX_H

#include <stdatomic.h>
#include <stdint.h>

/* Sleeps if *word still equals expected. The look and the falling asleep are one step. It can return for no reason. */
void futex_wait(_Atomic uint32_t *word, uint32_t expected);
/* Wakes at most count threads that sleep on the word. Only the address is used: the memory may be gone. */
void futex_wake(_Atomic uint32_t *word, uint32_t count);

#endif
