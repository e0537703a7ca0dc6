/* fails: edges B7 */
/* Tokens times nanoseconds do not fit into 32 bits. */
#include "token_bucket.h"

#include <stdatomic.h>

/* One word: when the bucket will be full again. A bucket that was never touched is full since its beginning. Taking n tokens
 * moves the word on by n intervals; it may lie one full time ahead of now. So tokens, time and fractions are one number. */
struct bucket {
    uint64_t interval, full_time; /* full_time: nanoseconds from empty to full */
    _Alignas(64) _Atomic uint64_t full_at;
};

size_t bucket_size(void) { return sizeof(struct bucket); }

void bucket_init(struct bucket *bucket, uint32_t capacity, uint32_t interval, uint64_t now) {
    bucket->interval = interval;
    bucket->full_time = (uint64_t)capacity * interval;
    atomic_init(&bucket->full_at, now);
}

int bucket_take(struct bucket *bucket, uint32_t tokens, uint64_t now) {
    uint32_t cost = tokens * (uint32_t)bucket->interval;
    uint64_t full_at = atomic_load_explicit(&bucket->full_at, memory_order_acquire), then;
    do {
        then = (full_at > now ? full_at : now) + cost;
        if (then > now + bucket->full_time)
            return 0;
    } while (!atomic_compare_exchange_weak_explicit(&bucket->full_at, &full_at, then, memory_order_acq_rel,
                                                    memory_order_acquire));
    return 1;
}
