/* Which side is at fault shows by fences: the judge's own fence stands in for one side, or for both. */
#include <sched.h>
#include <stdatomic.h>

#include "barrier.h"
#include "lockfree_model.h"

enum { BEFORE = 1, AFTER = 2 };

static struct barrier *barrier;
static int members;
static _Atomic int at[4];   /* the round that a thread has come to */
static _Atomic int ones[4]; /* the threads that got 1 in a round */
static int data[4];

void barrier_yield(void) { sched_yield(); }

static void make(uint32_t threads, uint32_t start) {
    members = (int)threads;
    barrier = lf_model_shared(barrier_size());
    barrier_init(barrier, threads, start);
}
static void two(void) { make(2, 6); }
static void three(void) { make(3, 6); }
static void two_at_the_wrap(void) { make(2, UINT32_MAX - 2); }
static void three_at_the_wrap(void) { make(3, UINT32_MAX); }

static int meet(int fences) {
    if (fences & BEFORE)
        atomic_thread_fence(memory_order_release);
    int one = barrier_wait(barrier);
    if (fences & AFTER)
        atomic_thread_fence(memory_order_acquire);
    return one;
}

/* After the barrier all others have come to this round, and nobody to the one after the next. */
static void rounds(int count) {
    int me = lf_model_thread();
    for (int round = 1; round <= count; round++) {
        atomic_store_explicit(&at[me], round, memory_order_relaxed);
        meet(BEFORE | AFTER);
        for (int other = 1; other <= members; other++) {
            int seen = atomic_load_explicit(&at[other], memory_order_relaxed);
            lf_model_assert(seen == round || seen == round + 1);
        }
    }
}
static void one_round(void) { rounds(1); }
static void two_rounds(void) { rounds(2); }
static void three_rounds(void) { rounds(3); }

static void count(int round) { atomic_fetch_add_explicit(&ones[round], meet(BEFORE | AFTER), memory_order_relaxed); }
static void count_ones(void) { count(0); }
static void count_both(void) {
    count(0);
    count(1);
}
static void one_in_each(void) { lf_model_assert(ones[0] == 1); }
static void one_in_both(void) { lf_model_assert(ones[0] == 1 && ones[1] == 1); }

/* Each writes its own, and reads the others' after the barrier. */
static void exchange(int fences) {
    int me = lf_model_thread(), sum = 0;
    data[me] = me;
    meet(fences);
    for (int other = 1; other <= members; other++)
        sum += data[other];
    lf_model_assert(sum == members * (members + 1) / 2);
}
static void publish(void) { exchange(AFTER); }
static void take_over(void) { exchange(BEFORE); }
static void write_again(void) {
    exchange(0);
    meet(0);
    data[lf_model_thread()] = 7;
}

LF_MODEL_CLIENT(meet_2, .setup = two, .threads = {one_round, one_round});
LF_MODEL_CLIENT(one_in_2, .setup = two, .threads = {count_ones, count_ones}, .final = one_in_each);
LF_MODEL_CLIENT(publish_2, .setup = two, .threads = {publish, publish});
LF_MODEL_CLIENT(take_2, .setup = two, .threads = {take_over, take_over});
LF_MODEL_CLIENT(publish_3, .setup = three, .threads = {publish, publish, publish});
LF_MODEL_CLIENT(take_3, .setup = three, .threads = {take_over, take_over, take_over});
LF_MODEL_CLIENT(meet_again, .setup = two, .threads = {two_rounds, two_rounds});
LF_MODEL_CLIENT(meet_3_times, .setup = two, .threads = {three_rounds, three_rounds});
LF_MODEL_CLIENT(meet_3, .setup = three, .threads = {one_round, one_round, one_round});
LF_MODEL_CLIENT(one_again, .setup = two, .threads = {count_both, count_both}, .final = one_in_both);
LF_MODEL_CLIENT(wrap_2, .setup = two_at_the_wrap, .threads = {three_rounds, three_rounds});
LF_MODEL_CLIENT(wrap_3, .setup = three_at_the_wrap, .threads = {two_rounds, two_rounds, two_rounds});
LF_MODEL_CLIENT(take_and_publish, .setup = two, .threads = {write_again, write_again});
