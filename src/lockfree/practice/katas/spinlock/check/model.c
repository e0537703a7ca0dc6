/* Which side of the lock is at fault shows by fences: the judge's own fence stands in for one side, or for both. */
#include <sched.h>

#include "lockfree_model.h"
#include "spinlock.h"

static struct spinlock lock;
static _Atomic int inside;
static int data;
static uint64_t ticks[4]; /* of each thread's clock */
static int timed[4];      /* which threads wait with a time-out */

uint64_t spinlock_now(void) { return ticks[lf_model_thread()]++; }

/* A thread that waits without a time-out gets the CPU back when the lock looks free: its other turns would change
 * nothing. */
void spinlock_yield(void) {
    while (!timed[lf_model_thread()] && atomic_load_explicit(&lock.word, memory_order_relaxed) != 0)
        sched_yield();
}

static int by_lock(void) {
    spinlock_lock(&lock);
    return 1;
}
static int by_try(void) { return spinlock_try(&lock); }
static int by_time(void) {
    timed[lf_model_thread()] = 1;
    return spinlock_lock_for(&lock, 2);
}

enum { ENTRY = 1, EXIT = 2 };

static void section(int (*take)(void), int fences) {
    if (!take())
        return;
    if (fences & ENTRY)
        atomic_thread_fence(memory_order_acquire);
    lf_model_assert(atomic_fetch_add_explicit(&inside, 1, memory_order_relaxed) == 0);
    data++;
    atomic_fetch_sub_explicit(&inside, 1, memory_order_relaxed);
    if (fences & EXIT)
        atomic_thread_fence(memory_order_release);
    spinlock_unlock(&lock);
}

#define SECTIONS(name, take)                                                                                           \
    static void name##_both(void) { section(take, ENTRY | EXIT); }                                                     \
    static void name##_entry(void) { section(take, ENTRY); }                                                           \
    static void name##_exit(void) { section(take, EXIT); }                                                             \
    static void name##_bare(void) { section(take, 0); }
SECTIONS(wait, by_lock)
SECTIONS(once, by_try)
SECTIONS(until, by_time)

static void is_free(void) { lf_model_assert(spinlock_try(&lock)); }

LF_MODEL_CLIENT(exclusion, .threads = {wait_both, wait_both}, .final = is_free);
LF_MODEL_CLIENT(exclusion_try, .threads = {wait_both, once_both}, .final = is_free);
LF_MODEL_CLIENT(timed_exclusion, .threads = {wait_both, until_both}, .final = is_free);
LF_MODEL_CLIENT(unlock, .threads = {wait_entry, wait_entry}, .final = is_free);
LF_MODEL_CLIENT(take_lock, .threads = {wait_exit, wait_exit}, .final = is_free);
LF_MODEL_CLIENT(take_try, .threads = {wait_exit, once_exit}, .final = is_free);
LF_MODEL_CLIENT(take_timed, .threads = {wait_exit, until_exit}, .final = is_free);
LF_MODEL_CLIENT(unlock_and_take, .threads = {wait_bare, once_bare, until_bare}, .final = is_free);
