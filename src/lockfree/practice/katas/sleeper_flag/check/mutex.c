/* One mutex around everything: what the stage speed compares with. */
#include "sleeper_flag.h"

#include <pthread.h>
#include <stdatomic.h>

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

void event_wait(struct event *event) {
    pthread_mutex_lock(&guard);
    while (atomic_load_explicit(&event->set, memory_order_relaxed) == 0)
        pthread_cond_wait(&changed, &guard);
    pthread_mutex_unlock(&guard);
}

void event_set(struct event *event) {
    pthread_mutex_lock(&guard);
    atomic_store_explicit(&event->set, 1, memory_order_relaxed);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&guard);
}
