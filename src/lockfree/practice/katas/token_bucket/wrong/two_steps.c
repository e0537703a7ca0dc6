/* fails: model B4 */
/* Looks, and then stores: two steps. */
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
    uint64_t cost = tokens * bucket->interval;
    uint64_t full_at = atomic_load_explicit(&bucket->full_at, memory_order_acquire), then;
    for (;;) {
        then = (full_at > now ? full_at : now) + cost;
        if (then > now + bucket->full_time)
            return 0;
        atomic_store_explicit(&bucket->full_at, then, memory_order_release);
        return 1;
    }
}
