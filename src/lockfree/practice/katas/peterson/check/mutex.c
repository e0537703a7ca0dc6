/* One mutex around everything: what the stage speed compares with. */
#include "peterson.h"

#include <pthread.h>

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

void peterson_lock(struct peterson *lock, int me) {
    pthread_mutex_lock(&guard);
    (void)lock;
    (void)me;
}

void peterson_unlock(struct peterson *lock, int me) {
    pthread_mutex_unlock(&guard);
    (void)lock;
    (void)me;
}
