#include "rwlock.h"

struct rwlock {
    _Atomic uint32_t state;
};

size_t rwlock_size(void) { return sizeof(struct rwlock); }

void rwlock_init(struct rwlock *lock) { atomic_init(&lock->state, 0); }

void rwlock_read(struct rwlock *lock) { (void)lock; }

int rwlock_try_read(struct rwlock *lock) {
    (void)lock;
    return 0;
}

void rwlock_read_unlock(struct rwlock *lock) { (void)lock; }

void rwlock_write(struct rwlock *lock) { (void)lock; }

int rwlock_try_write(struct rwlock *lock) {
    (void)lock;
    return 0;
}

void rwlock_write_unlock(struct rwlock *lock) { (void)lock; }

int rwlock_upgrade(struct rwlock *lock) {
    (void)lock;
    return 0;
}
