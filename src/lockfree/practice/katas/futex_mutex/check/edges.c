/* One thread. What the others do while it sleeps, the judge does inside futex_wait. */
#include "futex_mutex.h"
#include "lockfree_model.h"

enum { FOR_EVER = 3000 };

static struct mutex mutex;
static void (*meanwhile[3])(void); /* while the first sleeper sleeps, the second */
static uint32_t asleep, woken, waits, wakes;
static int look_at_wake;

void futex_wait(_Atomic uint32_t *word, uint32_t expected) {
    lf_model_assert(waits++ < FOR_EVER);
    if (atomic_load(word) != expected)
        return;
    lf_model_assert(asleep < 2 && meanwhile[asleep] != NULL); /* nobody would wake it */
    asleep++;
    meanwhile[asleep - 1]();
    lf_model_assert(woken > 0); /* the mutex is free, and it sleeps on */
    woken--;
    asleep--;
}

void futex_wake(_Atomic uint32_t *word, uint32_t count) {
    wakes++;
    if (look_at_wake && asleep > 0) {
        uint32_t was = atomic_load(word);
        lf_model_assert(mutex_try(&mutex)); /* free before the wake */
        atomic_store(word, was);
    }
    woken = count < asleep - woken ? woken + count : asleep;
}

static void takes(void) {
    for (int turn = 0; turn < 3; turn++) {
        mutex_lock(&mutex);
        lf_model_assert(!mutex_try(&mutex));
        mutex_unlock(&mutex);
        lf_model_assert(mutex_try(&mutex));
        lf_model_assert(!mutex_try(&mutex));
        mutex_unlock(&mutex);
    }
}

static void quiet(void) {
    takes();
    lf_model_assert(waits == 0 && wakes == 0);
}

static void unlock(void) { mutex_unlock(&mutex); }
static void lock_and_unlock(void) {
    mutex_lock(&mutex);
    mutex_unlock(&mutex);
}

static void one_sleeps(void) { meanwhile[0] = unlock; }
static void looked_at(void) {
    one_sleeps();
    look_at_wake = 1;
}
/* The second sleeper gets the mutex first, and unlocks it: then the first one must be woken. */
static void two_sleep(void) {
    meanwhile[0] = lock_and_unlock;
    meanwhile[1] = unlock;
}

static void sleeps(void) {
    mutex_lock(&mutex);
    mutex_lock(&mutex);
    lf_model_assert(asleep == 0 && !mutex_try(&mutex));
    mutex_unlock(&mutex);
    lf_model_assert(mutex_try(&mutex));
}

LF_MODEL_CLIENT(edge_takes, .threads = {takes});
LF_MODEL_CLIENT(edge_quiet, .threads = {quiet});
LF_MODEL_CLIENT(edge_wake_first, .setup = looked_at, .threads = {sleeps});
LF_MODEL_CLIENT(edge_sleep, .setup = one_sleeps, .threads = {sleeps});
LF_MODEL_CLIENT(edge_two_sleep, .setup = two_sleep, .threads = {sleeps});
