/* Which side of the lock is at fault shows by fences: the judge's own fence stands in for one side, or for both. */
#include <sched.h>

#include "lockfree_model.h"
#include "ticket_lock.h"

enum { ENTRY = 1, EXIT = 2 };

static struct ticket_lock lock;
static _Atomic int inside, entered, waiting[4];
static int data;
static uint32_t first;      /* the number at the beginning */
static uint32_t not_yet[4]; /* of each thread: it gets the CPU back when another number is called */

/* A thread gets the CPU back when that can make a difference: its other turns would change nothing. */
void ticket_yield(void) {
    int me = lf_model_thread();
    atomic_store_explicit(&waiting[me], 1, memory_order_relaxed);
    while (atomic_load_explicit(&lock.serving, memory_order_relaxed) == not_yet[me])
        sched_yield();
}

static void start(uint32_t number) {
    first = number;
    atomic_store(&lock.next, number);
    atomic_store(&lock.serving, number);
}
static void at_7(void) { start(7); }
static void at_the_wrap(void) { start(UINT32_MAX); }
static void in_the_middle(void) { start(INT32_MAX); }

static void section(int fences) {
    if (fences & ENTRY)
        atomic_thread_fence(memory_order_acquire);
    lf_model_assert(atomic_fetch_add_explicit(&inside, 1, memory_order_relaxed) == 0);
    data++;
    atomic_fetch_sub_explicit(&inside, 1, memory_order_relaxed);
    if (fences & EXIT)
        atomic_thread_fence(memory_order_release);
    ticket_unlock(&lock);
}

static void wait(int fences) {
    not_yet[lf_model_thread()] = atomic_load_explicit(&lock.serving, memory_order_relaxed);
    ticket_lock(&lock);
    section(fences);
}
static void once(int fences) {
    if (ticket_try(&lock))
        section(fences);
}

static void wait_both(void) { wait(ENTRY | EXIT); }
static void wait_entry(void) { wait(ENTRY); }
static void wait_exit(void) { wait(EXIT); }
static void wait_bare(void) { wait(0); }
static void once_both(void) { once(ENTRY | EXIT); }
static void once_exit(void) { once(EXIT); }
static void once_bare(void) { once(0); }

static void is_free(void) {
    lf_model_assert(lock.next == lock.serving);
    lf_model_assert(ticket_try(&lock));
}

/* The lock is held; thread 2 waits, then thread 3 comes, then the holder goes. */
static void held(void) {
    at_7();
    ticket_lock(&lock);
}
static void holder(void) {
    lf_model_assume(atomic_load_explicit(&waiting[2], memory_order_relaxed));
    lf_model_assume(atomic_load_explicit(&waiting[3], memory_order_relaxed));
    ticket_unlock(&lock);
}
static void arrive(uint32_t place) {
    not_yet[lf_model_thread()] = first;
    ticket_lock(&lock);
    atomic_thread_fence(memory_order_acquire);
    lf_model_assert(atomic_fetch_add_explicit(&entered, 1, memory_order_relaxed) == (int)place);
    atomic_thread_fence(memory_order_release);
    ticket_unlock(&lock);
}
static void arrive_first(void) { arrive(0); }
static void arrive_second(void) {
    lf_model_assume(atomic_load_explicit(&waiting[2], memory_order_relaxed));
    arrive(1);
}
static void leave(void) { ticket_unlock(&lock); }

LF_MODEL_CLIENT(exclusion, .setup = at_7, .threads = {wait_both, wait_both}, .final = is_free);
LF_MODEL_CLIENT(exclusion_try, .setup = at_7, .threads = {wait_both, once_both}, .final = is_free);
LF_MODEL_CLIENT(crowd, .setup = held, .threads = {leave, wait_both, once_both}, .final = is_free);
LF_MODEL_CLIENT(wrap, .setup = at_the_wrap, .threads = {wait_both, wait_both}, .final = is_free);
LF_MODEL_CLIENT(wrap_middle, .setup = in_the_middle, .threads = {wait_both, wait_both}, .final = is_free);
LF_MODEL_CLIENT(wrap_try, .setup = at_the_wrap, .threads = {wait_both, once_both}, .final = is_free);
LF_MODEL_CLIENT(order, .setup = held, .threads = {holder, arrive_first, arrive_second}, .final = is_free);
LF_MODEL_CLIENT(unlock, .setup = at_7, .threads = {wait_entry, wait_entry}, .final = is_free);
LF_MODEL_CLIENT(take_lock, .setup = at_7, .threads = {wait_exit, wait_exit}, .final = is_free);
LF_MODEL_CLIENT(take_try, .setup = at_7, .threads = {wait_exit, once_exit}, .final = is_free);
LF_MODEL_CLIENT(unlock_and_take, .setup = at_7, .threads = {wait_bare, once_bare}, .final = is_free);
