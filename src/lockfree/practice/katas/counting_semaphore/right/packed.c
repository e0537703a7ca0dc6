/* Permits and sleepers in one 64-bit word, as glibc has it: the release learns in its own step whether to wake. */
#include "counting_semaphore.h"

struct semaphore {
    _Atomic uint64_t word; /* sleepers << 32 | permits */
    uint32_t max;
};

static const uint64_t SLEEPER = (uint64_t)1 << 32;

size_t semaphore_size(void) { return sizeof(struct semaphore); }

void semaphore_init(struct semaphore *semaphore, uint32_t initial, uint32_t max) {
    atomic_init(&semaphore->word, initial);
    semaphore->max = max;
}

/* The half that sleepers sleep on. */
static _Atomic uint32_t *permits(struct semaphore *semaphore) {
    return (_Atomic uint32_t *)&semaphore->word + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

/* Takes a permit; sleeping: SLEEPER if the caller is counted as one, else 0. */
static int take(struct semaphore *semaphore, uint64_t sleeping) {
    uint64_t word = atomic_load_explicit(&semaphore->word, memory_order_relaxed);
    while ((uint32_t)word > 0)
        if (atomic_compare_exchange_strong_explicit(&semaphore->word, &word, word - 1 - sleeping, memory_order_acquire,
                                                    memory_order_relaxed))
            return 1;
    return 0;
}

int semaphore_try_acquire(struct semaphore *semaphore) { return take(semaphore, 0); }

void semaphore_acquire(struct semaphore *semaphore) {
    if (take(semaphore, 0))
        return;
    atomic_fetch_add_explicit(&semaphore->word, SLEEPER, memory_order_relaxed);
    while (!take(semaphore, SLEEPER))
        futex_wait(permits(semaphore), 0);
}

int semaphore_release(struct semaphore *semaphore, uint32_t count) {
    uint64_t word = atomic_load_explicit(&semaphore->word, memory_order_relaxed);
    do {
        if (count > semaphore->max - (uint32_t)word)
            return 0;
    } while (!atomic_compare_exchange_strong_explicit(&semaphore->word, &word, word + count, memory_order_release,
                                                      memory_order_relaxed));
    if (word >= SLEEPER)
        futex_wake(permits(semaphore), count);
    return 1;
}
