/* A token bucket for many threads, without locks. Time is given with each call. */
#ifndef TOKEN_BUCKET_H
#define TOKEN_BUCKET_H

#include <stddef.h>
#include <stdint.h>

struct bucket; /* yours */

/* Bytes; the memory that bucket_init gets is zeroed, and aligned to 64. */
size_t bucket_size(void);
/* By one thread, before the others begin. The bucket is full. capacity: tokens, 1 to 1,000,000. interval: nanoseconds after
 * which one more token is there, 1,000 to 10^9. now: nanoseconds, below 2^61. */
void bucket_init(struct bucket *bucket, uint32_t capacity, uint32_t interval, uint64_t now);
/* By any thread. 1: so many tokens are taken. 0: there are fewer at that time, and nothing is taken. tokens: 1 or more; more
 * than the capacity are never there. now: not before the one of bucket_init, and less than 2^43 intervals after it. The calls of
 * different threads may arrive with their times in the wrong order. No time is paid for twice. */
int bucket_take(struct bucket *bucket, uint32_t tokens, uint64_t now);

#endif
