#include "seqlock.h"

#include <stdatomic.h>

struct seqlock {
    struct quote record;
};

size_t seqlock_size(void) { return sizeof(struct seqlock); }

void seqlock_init(struct seqlock *lock, uint32_t start) {
    (void)lock;
    (void)start;
}

int seqlock_write(struct seqlock *lock, const struct quote *record) {
    (void)lock;
    (void)record;
    return 0;
}

int seqlock_try_read(struct seqlock *lock, struct quote *record) {
    (void)lock;
    (void)record;
    return 0;
}

void seqlock_read(struct seqlock *lock, struct quote *record) {
    while (!seqlock_try_read(lock, record))
        ;
}
