/* What the clients share: records that show when they are torn. */
#include "lockfree_model.h"
#include "seqlock.h"

static struct seqlock *lock;

static inline void make(uint32_t start) {
    lock = lf_model_shared(seqlock_size());
    seqlock_init(lock, start);
}

static inline struct quote made(uint64_t stamp) {
    return (struct quote){stamp, {stamp == 0 ? 0 : 100 + stamp, stamp == 0 ? 0 : 200 + stamp}};
}

static inline int is_whole(const struct quote *record) {
    struct quote whole = made(record->stamp);
    return record->word[0] == whole.word[0] && record->word[1] == whole.word[1];
}

static inline int publish(uint64_t stamp) {
    struct quote record = made(stamp);
    return seqlock_write(lock, &record);
}
