/* Which side of the lock is at fault shows by fences: the judge's own fence stands in for one side, or for both. */
#include "lockfree_model.h"
#include "peterson.h"

enum { ENTRY = 1, EXIT = 2 };

static struct peterson lock;
static _Atomic int inside;
static int data;

static void section(int fences) {
    int me = lf_model_thread() - 1;
    peterson_lock(&lock, me);
    if (fences & ENTRY)
        atomic_thread_fence(memory_order_acquire);
    lf_model_assert(atomic_fetch_add_explicit(&inside, 1, memory_order_relaxed) == 0);
    data++;
    atomic_fetch_sub_explicit(&inside, 1, memory_order_relaxed);
    if (fences & EXIT)
        atomic_thread_fence(memory_order_release);
    peterson_unlock(&lock, me);
}

static void both(void) { section(ENTRY | EXIT); }
static void entry(void) { section(ENTRY); }
static void leave(void) { section(EXIT); }
static void bare(void) { section(0); }
static void twice(void) {
    section(0);
    section(0);
}

LF_MODEL_CLIENT(exclusion, .threads = {both, both});
LF_MODEL_CLIENT(unlock, .threads = {entry, entry});
LF_MODEL_CLIENT(take, .threads = {leave, leave});
LF_MODEL_CLIENT(exclusion_bare, .threads = {bare, bare});
LF_MODEL_CLIENT(exclusion_again, .threads = {twice, bare});
