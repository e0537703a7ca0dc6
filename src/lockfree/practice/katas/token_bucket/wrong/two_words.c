/* fails: model B1 */
/* Tokens and time are two words. */
#include "token_bucket.h"

#include <stdatomic.h>

struct bucket {
    uint64_t capacity, interval, begin;
    _Alignas(64) _Atomic uint64_t last, there;
};

size_t bucket_size(void) { return sizeof(struct bucket); }

void bucket_init(struct bucket *bucket, uint32_t capacity, uint32_t interval, uint64_t now) {
    bucket->capacity = capacity;
    bucket->interval = interval;
    bucket->begin = now;
    atomic_init(&bucket->last, 0);
    atomic_init(&bucket->there, capacity);
}

int bucket_take(struct bucket *bucket, uint32_t tokens, uint64_t now) {
    uint64_t tick = (now - bucket->begin) / bucket->interval;
    uint64_t last = atomic_load(&bucket->last);
    if (tick > last) {
        uint64_t there = atomic_load(&bucket->there), sum;
        do
            sum = there + tick - last > bucket->capacity ? bucket->capacity : there + tick - last;
        while (!atomic_compare_exchange_weak(&bucket->there, &there, sum));
        atomic_store(&bucket->last, tick);
    }
    uint64_t there = atomic_load(&bucket->there);
    do
        if (there < tokens)
            return 0;
    while (!atomic_compare_exchange_weak(&bucket->there, &there, there - tokens));
    return 1;
}
