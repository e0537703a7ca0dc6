/* fails: model B6 */
/* Takes first, and gives back what was too much. */
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
    if (cost > bucket->full_time)
        return 0;
    uint64_t full_at = atomic_load_explicit(&bucket->full_at, memory_order_acquire);
    while (full_at < now && !atomic_compare_exchange_weak_explicit(&bucket->full_at, &full_at, now,
                                                                   memory_order_acq_rel, memory_order_acquire))
        ;
    if (atomic_fetch_add_explicit(&bucket->full_at, cost, memory_order_acq_rel) + cost <= now + bucket->full_time)
        return 1;
    atomic_fetch_sub_explicit(&bucket->full_at, cost, memory_order_acq_rel);
    return 0;
}
