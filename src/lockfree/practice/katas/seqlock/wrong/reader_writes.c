/* fails: threads Q7 */
/* The second look is a read-modify-write that adds 0: a release, so the copy stays before it. */
#include "seqlock.h"

#include <stdatomic.h>

struct seqlock {
    _Alignas(64) _Atomic uint32_t count; /* odd: a writer is inside */
    _Atomic uint64_t stamp, word[SEQLOCK_WORDS];
};

size_t seqlock_size(void) { return sizeof(struct seqlock); }

void seqlock_init(struct seqlock *lock, uint32_t start) { atomic_init(&lock->count, start); }

int seqlock_write(struct seqlock *lock, const struct quote *record) {
    uint32_t count = atomic_load_explicit(&lock->count, memory_order_relaxed);
    do
        while (count % 2 != 0)
            count = atomic_load_explicit(&lock->count, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&lock->count, &count, count + 1, memory_order_acquire,
                                                  memory_order_relaxed));
    int newer = record->stamp > atomic_load_explicit(&lock->stamp, memory_order_relaxed);
    if (newer) {
        atomic_store_explicit(&lock->stamp, record->stamp, memory_order_release);
        for (int i = 0; i < SEQLOCK_WORDS; i++)
            atomic_store_explicit(&lock->word[i], record->word[i], memory_order_release);
    }
    atomic_store_explicit(&lock->count, count + 2, memory_order_release);
    return newer;
}

int seqlock_try_read(struct seqlock *lock, struct quote *record) {
    uint32_t count = atomic_load_explicit(&lock->count, memory_order_acquire);
    if (count % 2 != 0)
        return 0;
    record->stamp = atomic_load_explicit(&lock->stamp, memory_order_relaxed);
    for (int i = 0; i < SEQLOCK_WORDS; i++)
        record->word[i] = atomic_load_explicit(&lock->word[i], memory_order_relaxed);
    return atomic_fetch_add_explicit(&lock->count, 0, memory_order_release) == count;
}

void seqlock_read(struct seqlock *lock, struct quote *record) {
    while (!seqlock_try_read(lock, record))
        ;
}
