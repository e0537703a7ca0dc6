/* One mutex around everything: what the stage speed compares with. */
#include "rwlock.h"

#include <pthread.h>

struct rwlock {
    pthread_mutex_t guard;
    pthread_cond_t changed;
    uint32_t readers, writers; /* writers: that wait, too */
    int written, upgrading;
};

size_t rwlock_size(void) { return sizeof(struct rwlock); }

void rwlock_init(struct rwlock *lock) {
    pthread_mutex_init(&lock->guard, NULL);
    pthread_cond_init(&lock->changed, NULL);
    lock->readers = lock->writers = 0;
    lock->written = lock->upgrading = 0;
}

void rwlock_read(struct rwlock *lock) {
    pthread_mutex_lock(&lock->guard);
    while (lock->writers > 0)
        pthread_cond_wait(&lock->changed, &lock->guard);
    lock->readers++;
    pthread_mutex_unlock(&lock->guard);
}

int rwlock_try_read(struct rwlock *lock) {
    pthread_mutex_lock(&lock->guard);
    int done = lock->writers == 0;
    lock->readers += (uint32_t)done;
    pthread_mutex_unlock(&lock->guard);
    return done;
}

void rwlock_read_unlock(struct rwlock *lock) {
    pthread_mutex_lock(&lock->guard);
    lock->readers--;
    pthread_cond_broadcast(&lock->changed);
    pthread_mutex_unlock(&lock->guard);
}

void rwlock_write(struct rwlock *lock) {
    pthread_mutex_lock(&lock->guard);
    lock->writers++;
    while (lock->written || lock->readers > 0)
        pthread_cond_wait(&lock->changed, &lock->guard);
    lock->written = 1;
    pthread_mutex_unlock(&lock->guard);
}

int rwlock_try_write(struct rwlock *lock) {
    pthread_mutex_lock(&lock->guard);
    int done = !lock->written && lock->readers == 0;
    if (done) {
        lock->writers++;
        lock->written = 1;
    }
    pthread_mutex_unlock(&lock->guard);
    return done;
}

void rwlock_write_unlock(struct rwlock *lock) {
    pthread_mutex_lock(&lock->guard);
    lock->writers--;
    lock->written = 0;
    pthread_cond_broadcast(&lock->changed);
    pthread_mutex_unlock(&lock->guard);
}

int rwlock_upgrade(struct rwlock *lock) {
    pthread_mutex_lock(&lock->guard);
    int done = !lock->upgrading;
    if (done) {
        lock->upgrading = 1;
        lock->writers++;
        while (lock->written || lock->readers > 1)
            pthread_cond_wait(&lock->changed, &lock->guard);
        lock->readers--;
        lock->written = 1;
        lock->upgrading = 0;
    }
    pthread_mutex_unlock(&lock->guard);
    return done;
}
