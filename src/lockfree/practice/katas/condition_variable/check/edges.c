/* One thread. What the others do while it sleeps, or just before, the judge does in the given functions. */
#include "condition_variable.h"
#include "lockfree_model.h"

struct mutex {
    int held;
};

static struct condition *condition;
static struct mutex mutex;
static void (*meanwhile[3])(void); /* while the first sleeper sleeps, the second */
static uint32_t asleep, woken, sleeps;
static _Atomic uint32_t *slept_on;
static uint32_t slept_value;
static int gap; /* signals that come between the next unlock and the sleep; -1: a broadcast */

void mutex_lock(struct mutex *it) {
    lf_model_assert(!it->held);
    it->held = 1;
}

void mutex_unlock(struct mutex *it) {
    lf_model_assert(it->held);
    it->held = 0;
    int signals = gap;
    gap = 0;
    if (signals < 0)
        condition_broadcast(condition);
    for (int i = 0; i < signals; i++)
        condition_signal(condition);
}

void futex_wait(_Atomic uint32_t *word, uint32_t expected) {
    lf_model_assert(!mutex.held); /* nobody sleeps with the mutex */
    if (atomic_load(word) != expected)
        return;
    lf_model_assert(asleep < 2 && meanwhile[asleep] != NULL); /* nobody would wake it */
    sleeps++;
    asleep++;
    slept_on = word;
    slept_value = expected;
    meanwhile[asleep - 1]();
    lf_model_assert(woken > 0); /* it was signalled, and sleeps on */
    woken--;
    asleep--;
}

void futex_wake(_Atomic uint32_t *word, uint32_t count) {
    uint32_t at_wake = atomic_load(word);
    lf_model_assert(asleep == woken || word != slept_on || at_wake != slept_value);
    woken = count < asleep - woken ? woken + count : asleep;
}

static void make(uint32_t start) {
    condition = lf_model_shared(condition_size());
    condition_init(condition, start);
}
static void at_0(void) { make(0); }
static void at_the_wrap(void) { make(UINT32_MAX); }

static void waits(void) {
    mutex_lock(&mutex);
    condition_wait(condition, &mutex);
    lf_model_assert(mutex.held);
    mutex_unlock(&mutex);
}

static void signals(void) {
    mutex_lock(&mutex);
    condition_signal(condition);
    mutex_unlock(&mutex);
}
static void signals_outside(void) { condition_signal(condition); }
static void broadcasts(void) { condition_broadcast(condition); }

static void woken_by_signal(void) {
    meanwhile[0] = signals;
    at_the_wrap();
}
static void woken_outside(void) {
    meanwhile[0] = signals_outside;
    at_the_wrap();
}
static void three_times(void) {
    for (int turn = 0; turn < 3; turn++)
        waits();
}

/* Signals that nobody waits for, then a wait: it must sleep. */
static void to_nobody(void) {
    for (uint32_t turn = 1; turn <= 3; turn++) {
        condition_signal(condition);
        condition_broadcast(condition);
        condition_signal(condition);
        waits();
        lf_model_assert(sleeps == turn); /* it sleeps: old signals are gone */
    }
}

static void two_and_broadcast(void) {
    meanwhile[0] = waits;
    meanwhile[1] = broadcasts;
    at_0();
}

static void gap_of(int count) {
    gap = count;
    waits();
    lf_model_assert(sleeps == 0);
}
static void gap_1(void) { gap_of(1); }
static void gap_1_broadcast(void) { gap_of(-1); }
static void gap_2(void) { gap_of(2); }
static void gap_some(void) {
    for (int count = 3; count < 9; count++)
        gap_of(count);
    for (int count = 16; count <= 512; count *= 2)
        gap_of(count);
}

LF_MODEL_CLIENT(edge_signal, .setup = woken_by_signal, .threads = {three_times});
LF_MODEL_CLIENT(edge_signal_outside, .setup = woken_outside, .threads = {three_times});
LF_MODEL_CLIENT(edge_nobody, .setup = woken_by_signal, .threads = {to_nobody});
LF_MODEL_CLIENT(edge_broadcast, .setup = two_and_broadcast, .threads = {waits});
LF_MODEL_CLIENT(edge_gap_1, .setup = at_0, .threads = {gap_1});
LF_MODEL_CLIENT(edge_gap_1_wrap, .setup = at_the_wrap, .threads = {gap_1});
LF_MODEL_CLIENT(edge_gap_1_broadcast, .setup = at_0, .threads = {gap_1_broadcast});
LF_MODEL_CLIENT(edge_gap_2, .setup = at_0, .threads = {gap_2});
LF_MODEL_CLIENT(edge_gap_some, .setup = at_0, .threads = {gap_some});
