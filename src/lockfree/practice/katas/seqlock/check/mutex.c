/* One mutex around everything: what the stage speed compares with. */
#include "seqlock.h"

#include <pthread.h>

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER; /* not in the lock: there a reader writes nothing */

struct seqlock {
    struct quote record;
};

size_t seqlock_size(void) { return sizeof(struct seqlock); }

void seqlock_init(struct seqlock *lock, uint32_t start) {
    (void)lock;
    (void)start;
}

int seqlock_write(struct seqlock *lock, const struct quote *record) {
    pthread_mutex_lock(&guard);
    int newer = record->stamp > lock->record.stamp;
    if (newer)
        lock->record = *record;
    pthread_mutex_unlock(&guard);
    return newer;
}

void seqlock_read(struct seqlock *lock, struct quote *record) {
    pthread_mutex_lock(&guard);
    *record = lock->record;
    pthread_mutex_unlock(&guard);
}

int seqlock_try_read(struct seqlock *lock, struct quote *record) {
    seqlock_read(lock, record);
    return 1;
}
