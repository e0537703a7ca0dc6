/* One thread. What the others do while it sleeps, the judge does inside futex_wait. */
#include "counting_semaphore.h"
#include "lockfree_model.h"

static struct semaphore *semaphore;
static void (*meanwhile[3])(void); /* while the first sleeper sleeps, the second, ... */
static uint32_t asleep, woken;

void futex_wait(_Atomic uint32_t *word, uint32_t expected) {
    if (atomic_load(word) != expected)
        return;
    lf_model_assert(asleep < 2 && meanwhile[asleep] != NULL); /* nobody would wake it */
    asleep++;
    meanwhile[asleep - 1]();
    lf_model_assert(woken > 0); /* there is a permit, and it sleeps on */
    woken--;
    asleep--;
}

void futex_wake(_Atomic uint32_t *word, uint32_t count) {
    (void)word;
    woken = count < asleep - woken ? woken + count : asleep;
}

static void make(uint32_t initial, uint32_t max) {
    semaphore = lf_model_shared(semaphore_size());
    semaphore_init(semaphore, initial, max);
}
static void two_of_two(void) { make(2, 2); }
static void none_of_three(void) { make(0, 3); }
static void near_the_top(void) { make(UINT32_MAX - 2, UINT32_MAX); }
static void middle(void) { make(INT32_MAX, UINT32_MAX); }

static void has(uint32_t permits) {
    for (uint32_t i = 0; i < permits; i++)
        lf_model_assert(semaphore_try_acquire(semaphore));
    lf_model_assert(!semaphore_try_acquire(semaphore));
}

static void counts(void) {
    semaphore_acquire(semaphore);
    semaphore_acquire(semaphore);
    has(0);
    lf_model_assert(semaphore_release(semaphore, 1));
    has(1);
    lf_model_assert(semaphore_release(semaphore, 2));
    semaphore_acquire(semaphore);
    has(1);
}

static void begins_empty(void) {
    has(0);
    lf_model_assert(semaphore_release(semaphore, 3));
    has(3);
}

static void stops_at_max(void) {
    lf_model_assert(!semaphore_release(semaphore, 4));
    has(0);
    lf_model_assert(semaphore_release(semaphore, 2));
    lf_model_assert(!semaphore_release(semaphore, 2));
    lf_model_assert(semaphore_release(semaphore, 1));
    lf_model_assert(!semaphore_release(semaphore, 1));
    lf_model_assert(!semaphore_release(semaphore, UINT32_MAX));
    lf_model_assert(!semaphore_release(semaphore, UINT32_MAX - 1));
    has(3);
}

static void largest_max(void) {
    lf_model_assert(!semaphore_release(semaphore, 3));
    lf_model_assert(!semaphore_release(semaphore, UINT32_MAX));
    lf_model_assert(semaphore_release(semaphore, 2));
    lf_model_assert(!semaphore_release(semaphore, 1));
    semaphore_acquire(semaphore);
    lf_model_assert(!semaphore_release(semaphore, 2));
    lf_model_assert(semaphore_release(semaphore, 1));
    lf_model_assert(semaphore_try_acquire(semaphore));
}

static void past_the_sign(void) {
    lf_model_assert(semaphore_release(semaphore, 2));
    lf_model_assert(semaphore_try_acquire(semaphore));
    lf_model_assert(semaphore_release(semaphore, INT32_MAX));
    lf_model_assert(semaphore_try_acquire(semaphore));
    lf_model_assert(!semaphore_release(semaphore, 3));
}

static void acquires(void) { semaphore_acquire(semaphore); }
static void release_1(void) { lf_model_assert(semaphore_release(semaphore, 1)); }
static void release_2(void) { lf_model_assert(semaphore_release(semaphore, 2)); }
static void release_1_and_1(void) {
    release_1();
    release_1();
}
static void one_sleeps(void) {
    none_of_three();
    meanwhile[0] = release_1;
}
static void two_sleep(void) {
    none_of_three();
    meanwhile[0] = acquires;
    meanwhile[1] = release_2;
}
static void two_sleep_two_come(void) {
    two_sleep();
    meanwhile[1] = release_1_and_1;
}

LF_MODEL_CLIENT(edge_counts, .setup = two_of_two, .threads = {counts});
LF_MODEL_CLIENT(edge_empty, .setup = none_of_three, .threads = {begins_empty});
LF_MODEL_CLIENT(edge_max, .setup = none_of_three, .threads = {stops_at_max});
LF_MODEL_CLIENT(edge_max_largest, .setup = near_the_top, .threads = {largest_max});
LF_MODEL_CLIENT(edge_max_sign, .setup = middle, .threads = {past_the_sign});
LF_MODEL_CLIENT(edge_wake, .setup = one_sleeps, .threads = {acquires});
LF_MODEL_CLIENT(edge_wake_2, .setup = two_sleep, .threads = {acquires});
LF_MODEL_CLIENT(edge_wake_1_and_1, .setup = two_sleep_two_come, .threads = {acquires});
