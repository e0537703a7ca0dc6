/* fails: model Q2 */
/* The words are no atomics. */
#include "seqlock.h"

#include <stdatomic.h>

struct seqlock {
    _Alignas(64) _Atomic uint32_t count; /* odd: a writer is inside */
    uint64_t stamp, word[SEQLOCK_WORDS];
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
    atomic_thread_fence(memory_order_release);
    int newer = record->stamp > lock->stamp;
    if (newer) {
        lock->stamp = record->stamp;
        for (int i = 0; i < SEQLOCK_WORDS; i++)
            lock->word[i] = record->word[i];
    }
    atomic_store_explicit(&lock->count, count + 2, memory_order_release);
    return newer;
}

int seqlock_try_read(struct seqlock *lock, struct quote *record) {
    uint32_t count = atomic_load_explicit(&lock->count, memory_order_acquire);
    if (count % 2 != 0)
        return 0;
    record->stamp = lock->stamp;
    for (int i = 0; i < SEQLOCK_WORDS; i++)
        record->word[i] = lock->word[i];
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&lock->count, memory_order_relaxed) == count;
}

void seqlock_read(struct seqlock *lock, struct quote *record) {
    while (!seqlock_try_read(lock, record))
        ;
}
