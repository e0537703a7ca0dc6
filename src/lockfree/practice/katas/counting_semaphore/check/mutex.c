/* One mutex around everything: what the stage speed compares with. */
#include "counting_semaphore.h"

#include <pthread.h>

struct semaphore {
    pthread_mutex_t guard;
    pthread_cond_t changed;
    uint32_t permits, max;
};

size_t semaphore_size(void) { return sizeof(struct semaphore); }

void semaphore_init(struct semaphore *semaphore, uint32_t initial, uint32_t max) {
    pthread_mutex_init(&semaphore->guard, NULL);
    pthread_cond_init(&semaphore->changed, NULL);
    semaphore->permits = initial;
    semaphore->max = max;
}

void semaphore_acquire(struct semaphore *semaphore) {
    pthread_mutex_lock(&semaphore->guard);
    while (semaphore->permits == 0)
        pthread_cond_wait(&semaphore->changed, &semaphore->guard);
    semaphore->permits--;
    pthread_mutex_unlock(&semaphore->guard);
}

int semaphore_try_acquire(struct semaphore *semaphore) {
    pthread_mutex_lock(&semaphore->guard);
    int done = semaphore->permits > 0;
    semaphore->permits -= (uint32_t)done;
    pthread_mutex_unlock(&semaphore->guard);
    return done;
}

int semaphore_release(struct semaphore *semaphore, uint32_t count) {
    pthread_mutex_lock(&semaphore->guard);
    int done = count <= semaphore->max - semaphore->permits;
    if (done) {
        semaphore->permits += count;
        pthread_cond_broadcast(&semaphore->changed);
    }
    pthread_mutex_unlock(&semaphore->guard);
    return done;
}
