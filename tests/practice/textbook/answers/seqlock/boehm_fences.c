/* expected: ACCEPT */
/* A sequence lock as in Boehm 2012, figures 4 and 6. */
#include "seqlock.h"
#include <stdatomic.h>
#define LOAD(p) atomic_load_explicit(p, memory_order_relaxed)
#define STORE(p, v) atomic_store_explicit(p, v, memory_order_relaxed)
struct seqlock {
    _Atomic uint32_t seq;
    _Atomic uint64_t part[1 + SEQLOCK_WORDS];
};
size_t seqlock_size(void) { return sizeof(struct seqlock); }
void seqlock_init(struct seqlock *l, uint32_t start) { atomic_init(&l->seq, start); }
int seqlock_write(struct seqlock *l, const struct quote *q) {
    uint32_t was;
    do
        was = atomic_load_explicit(&l->seq, memory_order_relaxed) & ~UINT32_C(1);
    while (
        !atomic_compare_exchange_strong_explicit(&l->seq, &was, was + 1, memory_order_acquire, memory_order_relaxed));
    atomic_thread_fence(memory_order_release);
    int newer = q->stamp > LOAD(&l->part[0]);
    if (newer) {
        STORE(&l->part[0], q->stamp);
        STORE(&l->part[1], q->word[0]);
        STORE(&l->part[2], q->word[1]);
    }
    atomic_store_explicit(&l->seq, was + 2, memory_order_release);
    return newer;
}
int seqlock_try_read(struct seqlock *l, struct quote *q) {
    uint32_t before = atomic_load_explicit(&l->seq, memory_order_acquire);
    q->stamp = LOAD(&l->part[0]);
    q->word[0] = LOAD(&l->part[1]);
    q->word[1] = LOAD(&l->part[2]);
    atomic_thread_fence(memory_order_acquire);
    return before % 2 == 0 && atomic_load_explicit(&l->seq, memory_order_relaxed) == before;
}
void seqlock_read(struct seqlock *l, struct quote *q) {
    while (!seqlock_try_read(l, q))
        ;
}
