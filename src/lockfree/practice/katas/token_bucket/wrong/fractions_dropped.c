/* fails: edges B5 */
/* Each call rounds the time down, and remembers its own time. */
#include "token_bucket.h"

#include <stdatomic.h>

enum { TOKEN_BITS = 20 };

struct bucket {
    uint64_t capacity, interval, begin;
    _Alignas(64) _Atomic uint64_t state;
};

static uint64_t pack(uint64_t tick, uint64_t tokens) { return tick << TOKEN_BITS | tokens; }

size_t bucket_size(void) { return sizeof(struct bucket); }

void bucket_init(struct bucket *bucket, uint32_t capacity, uint32_t interval, uint64_t now) {
    bucket->capacity = capacity;
    bucket->interval = interval;
    bucket->begin = now;
    atomic_init(&bucket->state, pack(0, capacity));
}

int bucket_take(struct bucket *bucket, uint32_t tokens, uint64_t now) {
    uint64_t tick = now - bucket->begin;
    int enough;
    uint64_t state = atomic_load_explicit(&bucket->state, memory_order_relaxed), next;
    do {
        uint64_t last = state >> TOKEN_BITS, there = state & ((1 << TOKEN_BITS) - 1);
        uint64_t time = tick > last ? tick : last;
        there += (time - last) / bucket->interval;
        if (there > bucket->capacity)
            there = bucket->capacity;
        enough = there >= tokens;
        next = pack(time, enough ? there - tokens : there);
    } while (!atomic_compare_exchange_weak_explicit(&bucket->state, &state, next, memory_order_relaxed,
                                                    memory_order_relaxed));
    return enough;
}
