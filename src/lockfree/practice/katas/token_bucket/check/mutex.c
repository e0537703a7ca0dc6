/* One mutex around everything: what the stage speed compares with. */
#include "token_bucket.h"

#include <pthread.h>

struct bucket {
    pthread_mutex_t guard;
    uint64_t full_at, interval, full_time;
};

size_t bucket_size(void) { return sizeof(struct bucket); }

void bucket_init(struct bucket *bucket, uint32_t capacity, uint32_t interval, uint64_t now) {
    pthread_mutex_init(&bucket->guard, NULL);
    bucket->full_at = now;
    bucket->interval = interval;
    bucket->full_time = (uint64_t)capacity * interval;
}

int bucket_take(struct bucket *bucket, uint32_t tokens, uint64_t now) {
    pthread_mutex_lock(&bucket->guard);
    uint64_t then = (bucket->full_at > now ? bucket->full_at : now) + tokens * bucket->interval;
    int done = then <= now + bucket->full_time;
    if (done)
        bucket->full_at = then;
    pthread_mutex_unlock(&bucket->guard);
    return done;
}
