/* What the clients share. Times are counted in intervals from the beginning. */
#include "lockfree_model.h"
#include "token_bucket.h"

enum { INTERVAL = 1000 };
static const uint64_t BEGIN = UINT64_C(1) << 40;

static struct bucket *bucket;

static inline void make(uint32_t capacity) {
    bucket = lf_model_shared(bucket_size());
    bucket_init(bucket, capacity, INTERVAL, BEGIN);
}

static inline int take(uint32_t tokens, uint64_t intervals) {
    return bucket_take(bucket, tokens, BEGIN + intervals * INTERVAL);
}

/* How many can be taken one by one at this time. */
static inline int drain(uint64_t intervals, int most) {
    int taken = 0;
    while (taken <= most && take(1, intervals))
        taken++;
    return taken;
}
