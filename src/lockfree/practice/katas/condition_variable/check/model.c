#include "futex_given.h"

#include <pthread.h>

#include "condition_variable.h"
#include "lockfree_model.h"

struct mutex {
    pthread_mutex_t lock;
};

static struct condition *condition;
static struct mutex mutex = {PTHREAD_MUTEX_INITIALIZER};
static int ready, taken; /* guarded by the mutex */

void mutex_lock(struct mutex *it) { pthread_mutex_lock(&it->lock); }
void mutex_unlock(struct mutex *it) { pthread_mutex_unlock(&it->lock); }

static void make(void) {
    condition = lf_model_shared(condition_size());
    condition_init(condition, UINT32_MAX);
}

static void waits(void) {
    mutex_lock(&mutex);
    while (ready == 0)
        condition_wait(condition, &mutex);
    ready--;
    taken++;
    mutex_unlock(&mutex);
}

static void give(int count) {
    mutex_lock(&mutex);
    ready += count;
    mutex_unlock(&mutex);
}
static void signal_outside(void) {
    give(1);
    condition_signal(condition);
}
static void signal_inside(void) {
    mutex_lock(&mutex);
    ready++;
    condition_signal(condition);
    mutex_unlock(&mutex);
}
static void two_signals(void) {
    give(2);
    condition_signal(condition);
    condition_signal(condition);
}
static void one_broadcast(void) {
    give(2);
    condition_broadcast(condition);
}
static void all_taken(void) { lf_model_assert(ready == 0); }

#define CLIENT(name, ...) LF_MODEL_CLIENT(name, .setup = make, .final = all_taken, .threads = {__VA_ARGS__})

CLIENT(outside, waits, signal_outside);
CLIENT(inside, waits, signal_inside);
LF_MODEL_CLIENT(early, .setup = make, .final = all_taken, .threads = {waits, signal_outside}, .spurious = 1);
CLIENT(broadcast, waits, waits, one_broadcast);
CLIENT(signals, waits, waits, two_signals);
