/* fails: model W5 */
/* The last reader wakes a writer only if exactly one waits. */
#include "rwlock.h"
#include <stdatomic.h>
enum { READER = 1, READERS = 0x7ff, WRITER = 0x800, UPGRADE = 0x1000, QUEUED = 0x2000 };
struct rwlock {
    _Atomic uint32_t state;
};
size_t rwlock_size(void) { return sizeof(struct rwlock); }
void rwlock_init(struct rwlock *l) { atomic_init(&l->state, 0); }
static void wake_everybody(struct rwlock *l) { futex_wake(&l->state, UINT32_MAX); }
static uint32_t look(struct rwlock *l) { return atomic_load_explicit(&l->state, memory_order_relaxed); }
static int change(struct rwlock *l, uint32_t *from, uint32_t to) {
    return atomic_compare_exchange_strong_explicit(&l->state, from, to, memory_order_acquire, memory_order_relaxed);
}
int rwlock_try_read(struct rwlock *l) {
    uint32_t s = look(l);
    while (s <= READERS) /* neither a writer, nor one that waits, nor an upgrade */
        if (change(l, &s, s + READER))
            return 1;
    return 0;
}
void rwlock_read(struct rwlock *l) {
    uint32_t s;
    while (!rwlock_try_read(l))
        if ((s = look(l)) > READERS)
            futex_wait(&l->state, s);
}
void rwlock_read_unlock(struct rwlock *l) {
    uint32_t s = atomic_fetch_sub_explicit(&l->state, READER, memory_order_release) - READER;
    uint32_t left = s & READERS;
    if ((left == 0 && s == QUEUED) || (left == 1 && (s & UPGRADE)))
        wake_everybody(l);
}
int rwlock_try_write(struct rwlock *l) {
    uint32_t s = 0;
    return change(l, &s, WRITER);
}
void rwlock_write(struct rwlock *l) {
    if (rwlock_try_write(l))
        return;
    uint32_t s = atomic_fetch_add_explicit(&l->state, QUEUED, memory_order_relaxed) + QUEUED;
    for (;;) {
        if (s & (READERS | WRITER)) {
            futex_wait(&l->state, s);
            s = look(l);
        } else if (change(l, &s, s - QUEUED + WRITER))
            return;
    }
}
void rwlock_write_unlock(struct rwlock *l) {
    atomic_fetch_sub_explicit(&l->state, WRITER, memory_order_release);
    wake_everybody(l);
}
int rwlock_upgrade(struct rwlock *l) {
    uint32_t s = atomic_fetch_or_explicit(&l->state, UPGRADE, memory_order_relaxed);
    if (s & UPGRADE)
        return 0;
    s |= UPGRADE;
    for (;;) {
        if ((s & READERS) > 1) {
            futex_wait(&l->state, s);
            s = look(l);
        } else if (change(l, &s, s - READER - UPGRADE + WRITER))
            return 1;
    }
}
