/* condition: monitors; nobody sleeps beside a notify, also if another waiter dies, times out or gives up. */
#define LF_WAITERS 4u
#include <lockfree/condition.h>

#include "lockfree_model.h"

static struct lf_condition condition[4];
static int permits;

static void setup(void) {
    void *memory = lf_model_shared(LF_CONDITION_BYTES);
    lf_model_assert(lf_condition_create_local(&condition[0], memory, 0) == LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&condition[t].h, &lf_condition_kind, memory, t) == LF_OK);
    lf_model_label(condition[0].word, 8, "lock");
    lf_model_label(condition[0].body->waiters.places, sizeof condition[0].body->waiters.places, "places");
}
#define ME (&condition[lf_model_thread()])

static void takes(void) {
    lf_model_assert(lf_condition_acquire(ME, LF_FOREVER) == LF_OK);
    while (permits == 0)
        lf_model_assert(lf_condition_wait(ME, LF_FOREVER) == LF_OK);
    permits--;
    lf_model_assert(lf_condition_release(ME) == LF_OK);
}
static void gives(void) {
    lf_model_assert(lf_condition_acquire(ME, LF_FOREVER) == LF_OK);
    permits++;
    lf_model_assert(lf_condition_notify(ME, 1) >= 0);
    lf_model_assert(lf_condition_release(ME) == LF_OK);
}
static void all_taken(void) { lf_model_assert(permits == 0); }

/* Thread 1 and participant 3 wait, 3 was notified and is dead: its notify goes to thread 1. */
static int64_t place, other;
static void setup_dead_notified(void) {
    setup();
    lf_model_assert((other = lf_condition_begin(&condition[3])) >= 0);
    lf_model_assert((place = lf_condition_begin(&condition[1])) >= 0);
    lf_model_assert(lf_condition_notify_unlocked(&condition[0], 1) == 1);
    lf_model_set_participant_dead(3);
}
static void sleeps(void) {
    condition[1].h.last_reap = lf_now_coarse(); /* it has looked for the dead in this tick */
    lf_model_assert(lf_condition_sleep(&condition[1], place, LF_FOREVER) == LF_OK);
    lf_model_assert(lf_condition_end(&condition[1], place) == 1);
}
static void reaps(void) { lf_model_assert(lf_reap(&condition[2].h) == 1); }
/* Participant 3 lives, and gives up. */
static void setup_gives_up(void) {
    setup();
    lf_model_assert((other = lf_condition_begin(&condition[3])) >= 0);
    lf_model_assert((place = lf_condition_begin(&condition[1])) >= 0);
}
static void notifies_one(void) { lf_condition_notify_unlocked(&condition[2], 1); }
static void gives_up(void) { lf_condition_pass_on(&condition[3], other); }

/* Participant 3 holds the lock and is dead: it may have meant to notify thread 1. */
static void setup_dead_holder(void) {
    setup();
    lf_model_assert((place = lf_condition_begin(&condition[1])) >= 0);
    *condition[0].word = (uint64_t)99 << 32 | 3;
    lf_model_set_participant_dead(3);
}

/* A waiter that times out and was notified meanwhile counts as notified. */
static int woke, late;
static int64_t notified;
static void sleeps_a_while(void) {
    int status = lf_condition_sleep(&condition[1], place, lf_now() + 1);
    lf_model_assert(status == LF_OK || status == LF_TIMEDOUT);
    late = status == LF_TIMEDOUT;
    woke = lf_condition_end(&condition[1], place);
    lf_model_assert(woke || late);
}
static void notifies(void) { notified = lf_condition_notify_unlocked(&condition[2], 1); }
static void not_lost(void) {
    lf_model_assert(woke == notified);
    lf_model_assert(lf_waiters_count(&condition[0].body->waiters, LF_WAITERS) == 0);
}
static void setup_begun(void) {
    setup();
    lf_model_assert((place = lf_condition_begin(&condition[1])) >= 0);
}

static void sleeps_until_closed(void) {
    lf_model_assert(lf_condition_sleep(&condition[1], place, LF_FOREVER) == LF_CLOSED);
}
static void close_it(void) { lf_condition_close(&condition[1]); }

LF_MODEL_CLIENT(condition_1w_sleep, .setup = setup, .threads = {takes, gives}, .final = all_taken);
LF_MODEL_CLIENT(condition_dead_notified_sleep, .setup = setup_dead_notified, .threads = {sleeps, reaps});
LF_MODEL_CLIENT(condition_gives_up_sleep, .setup = setup_gives_up, .threads = {sleeps, notifies_one, gives_up});
LF_MODEL_CLIENT(condition_dead_holder_sleep, .setup = setup_dead_holder, .threads = {sleeps, reaps});
LF_MODEL_CLIENT(condition_in_time_sleep, .setup = setup_begun, .threads = {sleeps_a_while, notifies}, .final = not_lost,
                .timeouts = 1);
LF_MODEL_CLIENT(condition_close_sleep, .setup = setup_gives_up, .threads = {sleeps_until_closed, close_it});
