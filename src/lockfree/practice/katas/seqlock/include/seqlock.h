/* A record that is read often and written seldom. Readers write nothing, and read again if a writer was in the way. */
#ifndef SEQLOCK_H
#define SEQLOCK_H

#include <stddef.h>
#include <stdint.h>

enum { SEQLOCK_WORDS = 2 };

struct quote {
    uint64_t stamp; /* newer records have larger stamps */
    uint64_t word[SEQLOCK_WORDS];
};

struct seqlock; /* yours */

/* Bytes; the memory that seqlock_init gets is zeroed, and aligned to 64. */
size_t seqlock_size(void);
/* By one thread, before the others begin. The record is all zero. start: where your counter begins, an even number. */
void seqlock_init(struct seqlock *lock, uint32_t start);
/* By any thread. 1: the record is this one now. 0: its stamp is not larger than that of the record, which stays. */
int seqlock_write(struct seqlock *lock, const struct quote *record);
/* By any thread. 1: a whole record. 0: a writer was in the way; `record` holds anything then. Never waits. */
int seqlock_try_read(struct seqlock *lock, struct quote *record);
/* The same, and tries until it has one. */
void seqlock_read(struct seqlock *lock, struct quote *record);

#endif
