/* One thread. What the others do while it sleeps, the judge does inside futex_wait. */
#include "lockfree_model.h"
#include "sleeper_flag.h"

enum { FOR_EVER = 1000 };

static struct event event;
static void (*meanwhile[3])(void); /* while the first sleeper sleeps, the second */
static uint32_t asleep, woken, waits, wakes;

void futex_wait(_Atomic uint32_t *word, uint32_t expected) {
    lf_model_assert(waits++ < FOR_EVER);
    if (atomic_load(word) != expected)
        return;
    lf_model_assert(asleep < 2 && meanwhile[asleep] != NULL); /* nobody would wake it */
    asleep++;
    meanwhile[asleep - 1]();
    lf_model_assert(woken > 0); /* the event is set, and it sleeps on */
    woken--;
    asleep--;
}

void futex_wake(_Atomic uint32_t *word, uint32_t count) {
    (void)word;
    wakes++;
    woken = count < asleep - woken ? woken + count : asleep;
}

static void set(void) { event_set(&event); }
static void wait(void) { event_wait(&event); }
static void one_sleeps(void) { meanwhile[0] = set; }
static void two_sleep(void) {
    meanwhile[0] = wait;
    meanwhile[1] = set;
}

static void nobody_sleeps(void) {
    event_set(&event);
    event_wait(&event);
    event_wait(&event);
    event_set(&event);
    lf_model_assert(waits == 0 && wakes == 0);
}

LF_MODEL_CLIENT(edge_quiet, .threads = {nobody_sleeps});
LF_MODEL_CLIENT(edge_wake, .setup = one_sleeps, .threads = {wait});
LF_MODEL_CLIENT(edge_wake_2, .setup = two_sleep, .threads = {wait});
