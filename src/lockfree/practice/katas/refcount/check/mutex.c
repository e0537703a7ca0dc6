/* One mutex around everything: what the stage speed compares with. */
#include "refcount.h"

#include <pthread.h>
#include <stdatomic.h>

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

/* With the guard. */
static uint32_t owners(struct refcount *count) { return atomic_load_explicit(&count->owners, memory_order_relaxed); }
static void change(struct refcount *count, uint32_t by) {
    atomic_store_explicit(&count->owners, owners(count) + by, memory_order_relaxed);
}

void ref_init(struct refcount *count, uint32_t number) { atomic_init(&count->owners, number); }

int ref_try(struct refcount *count) {
    pthread_mutex_lock(&guard);
    int done = owners(count) != 0 && owners(count) != REFCOUNT_MAX;
    if (done)
        change(count, 1);
    pthread_mutex_unlock(&guard);
    return done;
}

int ref_copy(struct refcount *count) { return ref_try(count); }

int ref_drop(struct refcount *count) {
    pthread_mutex_lock(&guard);
    change(count, UINT32_MAX);
    int last = owners(count) == 0;
    pthread_mutex_unlock(&guard);
    return last;
}

int ref_unique(struct refcount *count) {
    pthread_mutex_lock(&guard);
    int only = owners(count) == 1;
    pthread_mutex_unlock(&guard);
    return only;
}
