/* Which side of the mutex is at fault shows by fences: the judge's own fence stands in for one side, or for both. */
#include "futex_given.h"

#include <stdlib.h>

#include "futex_mutex.h"
#include "lockfree_model.h"

enum { ENTRY = 1, EXIT = 2 };

static struct mutex mutex;
static _Atomic int inside;
static int data;

static void section(int fences) {
    if (fences & ENTRY)
        atomic_thread_fence(memory_order_acquire);
    lf_model_assert(atomic_fetch_add_explicit(&inside, 1, memory_order_relaxed) == 0);
    data++;
    atomic_fetch_sub_explicit(&inside, 1, memory_order_relaxed);
    if (fences & EXIT)
        atomic_thread_fence(memory_order_release);
    mutex_unlock(&mutex);
}
static void wait(int fences) {
    mutex_lock(&mutex);
    section(fences);
}
static void once(int fences) {
    if (mutex_try(&mutex))
        section(fences);
}

static void wait_both(void) { wait(ENTRY | EXIT); }
static void wait_entry(void) { wait(ENTRY); }
static void wait_exit(void) { wait(EXIT); }
static void wait_bare(void) { wait(0); }
static void once_both(void) { once(ENTRY | EXIT); }
static void once_exit(void) { once(EXIT); }
static void lock_and_unlock(void) {
    mutex_lock(&mutex);
    mutex_unlock(&mutex);
}

static void held(void) { mutex_lock(&mutex); }
static void leave(void) { mutex_unlock(&mutex); }

static void is_free(void) {
    lf_model_assert(mutex_try(&mutex));
    mutex_unlock(&mutex);
}

/* Something with a mutex and a count of users; the last user frees it. */
static struct {
    struct mutex mutex;
    int users;
} *thing;

static void make(void) {
    thing = malloc(sizeof *thing);
    thing->users = 2;
    atomic_init(&thing->mutex.word, 0);
}
static void use(void) {
    mutex_lock(&thing->mutex);
    int last = --thing->users == 0;
    mutex_unlock(&thing->mutex);
    if (last)
        free(thing);
}

LF_MODEL_CLIENT(exclusion, .threads = {wait_both, wait_both}, .final = is_free);
LF_MODEL_CLIENT(exclusion_try, .threads = {wait_both, once_both}, .final = is_free);
LF_MODEL_CLIENT(exclusion_early, .threads = {wait_both, wait_both}, .final = is_free, .spurious = 1);
LF_MODEL_CLIENT(unlock, .threads = {wait_entry, wait_entry}, .final = is_free);
LF_MODEL_CLIENT(take_lock, .threads = {wait_exit, wait_exit}, .final = is_free);
LF_MODEL_CLIENT(take_try, .threads = {wait_exit, once_exit}, .final = is_free);
LF_MODEL_CLIENT(unlock_and_take, .threads = {wait_bare, wait_bare}, .final = is_free);
LF_MODEL_CLIENT(freed, .setup = make, .threads = {use, use});
LF_MODEL_CLIENT(three, .setup = held, .threads = {leave, lock_and_unlock, lock_and_unlock}, .final = is_free);
