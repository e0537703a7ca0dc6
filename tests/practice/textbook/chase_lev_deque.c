/* The deque of a work-stealing scheduler (Chase and Lev 2005) for C11, as in Lê, Pop, Cohen and Zappa Nardelli, Correct and
 * Efficient Work-Stealing for Weak Memory Models (PPoPP 2013): the owner puts and takes at the bottom, thieves at the top. */
#include <stdatomic.h>
#include <stdbool.h>

#include "lockfree_model.h"

enum { PLACES = 4, JOBS = 2, NOTHING = -1 };
static _Atomic int top, bottom, place[PLACES];
static int work[JOBS];     /* plain: what a job is, written before it is put */
static _Atomic int done[JOBS];
static bool take_is_fenced, put_is_fenced;

static void fenced(void) { take_is_fenced = put_is_fenced = true; }
static void take_without_fence(void) { put_is_fenced = true; }
static void put_without_fence(void) { take_is_fenced = true; }

static void put(int job) {
    work[job] = job + 1;
    int end = atomic_load_explicit(&bottom, memory_order_relaxed);
    atomic_store_explicit(&place[end % PLACES], job, memory_order_relaxed);
    if (put_is_fenced)
        atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&bottom, end + 1, memory_order_relaxed);
}

static int take(void) {
    int end = atomic_load_explicit(&bottom, memory_order_relaxed) - 1;
    atomic_store_explicit(&bottom, end, memory_order_relaxed);
    if (take_is_fenced)
        atomic_thread_fence(memory_order_seq_cst);
    int begin = atomic_load_explicit(&top, memory_order_relaxed), job = NOTHING;
    if (begin < end)
        return atomic_load_explicit(&place[end % PLACES], memory_order_relaxed);
    if (begin == end) { /* the last one: thieves want it too */
        job = atomic_load_explicit(&place[end % PLACES], memory_order_relaxed);
        if (!atomic_compare_exchange_strong_explicit(&top, &begin, begin + 1, memory_order_seq_cst, memory_order_relaxed))
            job = NOTHING;
    }
    atomic_store_explicit(&bottom, end + 1, memory_order_relaxed);
    return job;
}

static int steal(void) {
    int begin = atomic_load_explicit(&top, memory_order_acquire);
    atomic_thread_fence(memory_order_seq_cst);
    int end = atomic_load_explicit(&bottom, memory_order_acquire);
    if (begin >= end)
        return NOTHING;
    int job = atomic_load_explicit(&place[begin % PLACES], memory_order_relaxed);
    if (!atomic_compare_exchange_strong_explicit(&top, &begin, begin + 1, memory_order_seq_cst, memory_order_relaxed))
        return NOTHING;
    return job;
}

static void run(int job) {
    if (job == NOTHING)
        return;
    lf_model_assert(work[job] == job + 1);
    lf_model_assert(atomic_fetch_add_explicit(&done[job], 1, memory_order_relaxed) == 0); /* once */
}

static void owner(void) {
    put(0);
    put(1);
    run(take());
    run(take());
}
static void thief(void) {
    run(steal());
    run(steal());
}
static void thief_once(void) { run(steal()); }

/* Nothing is left, and nothing is lost. */
static void all_done(void) {
    for (int job = take(); job != NOTHING; job = take())
        run(job);
    lf_model_assert(done[0] == 1 && done[1] == 1);
}

LF_MODEL_CLIENT(chase_lev, .setup = fenced, .threads = {owner, thief}, .final = all_done);
LF_MODEL_CLIENT(chase_lev_two_thieves, .setup = fenced, .threads = {owner, thief_once, thief_once}, .final = all_done);
LF_MODEL_CLIENT(chase_lev_take_bare, .setup = take_without_fence, .threads = {owner, thief}, .final = all_done);
LF_MODEL_CLIENT(chase_lev_put_bare, .setup = put_without_fence, .threads = {owner, thief}, .final = all_done);
