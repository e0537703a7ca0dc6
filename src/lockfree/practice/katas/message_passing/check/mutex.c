/* One mutex around everything: what the stage speed compares with. */
#include "message_passing.h"

#include <pthread.h>
#include <stdatomic.h>

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

int letter_put(struct letter_box *box, const struct letter *letter) {
    pthread_mutex_lock(&guard);
    int done = atomic_load_explicit(&box->full, memory_order_relaxed) == 0;
    if (done) {
        box->inside = *letter;
        atomic_store_explicit(&box->full, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&guard);
    return done;
}

int letter_take(struct letter_box *box, struct letter *letter) {
    pthread_mutex_lock(&guard);
    int done = atomic_load_explicit(&box->full, memory_order_relaxed) == 1;
    if (done) {
        *letter = box->inside;
        atomic_store_explicit(&box->full, 0, memory_order_relaxed);
    }
    pthread_mutex_unlock(&guard);
    return done;
}
