/* One mutex around everything: what the stage speed compares with. */
#include "barrier.h"

#include <pthread.h>

struct barrier {
    pthread_mutex_t guard;
    pthread_cond_t changed;
    uint32_t threads, here, round;
};

size_t barrier_size(void) { return sizeof(struct barrier); }

void barrier_init(struct barrier *barrier, uint32_t threads, uint32_t start) {
    pthread_mutex_init(&barrier->guard, NULL);
    pthread_cond_init(&barrier->changed, NULL);
    barrier->threads = threads;
    barrier->here = 0;
    barrier->round = start;
}

int barrier_wait(struct barrier *barrier) {
    pthread_mutex_lock(&barrier->guard);
    uint32_t round = barrier->round;
    int last = ++barrier->here == barrier->threads;
    if (last) {
        barrier->here = 0;
        barrier->round++;
        pthread_cond_broadcast(&barrier->changed);
    }
    while (barrier->round == round)
        pthread_cond_wait(&barrier->changed, &barrier->guard);
    pthread_mutex_unlock(&barrier->guard);
    return last;
}
