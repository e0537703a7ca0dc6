/* event_count.c: EventCount, killed at every instruction.
 *
 * Whatever the victim was about, a notify wakes a sleeper, a sleeper that nobody notified goes on sleeping, and nobody
 * finds more sleepers announced than there are for longer than one notify. So also for a victim whose thread sleeps for
 * several waits (watching.h). */
#include "kill.h"

#include <lockfree/blocks/watching.h>
#include <lockfree/event_count.h>

static struct lf_event_count object;

#include "calls.h"

static int64_t wait_for(uint64_t deadline) {
    int64_t ticket = lf_event_count_prepare(&object), status = ticket;
    if (ticket >= 0)
        do
            status = lf_event_count_wait(&object, ticket, deadline);
        while (status == LF_INTERRUPTED);
    return status;
}

/* ---- what survivors call ---- */

static int64_t survivor_notify(struct kill_message *m) { return (void)m, lf_event_count_notify(&object, 1); }
static int64_t survivor_notify_all(struct kill_message *m) {
    return (void)m, lf_event_count_notify(&object, UINT32_MAX);
}
static int64_t survivor_cancel(struct kill_message *m) { return (void)m, lf_event_count_cancel(&object); }
static int64_t survivor_wait(struct kill_message *m) { return wait_for(until(m->deadline)); }
static int64_t survivor_retract(struct kill_message *m) {
    int64_t ticket = lf_event_count_prepare(&object);
    (void)m;
    lf_event_count_retract(&object, ticket);
    return ticket < 0 ? ticket : LF_OK;
}
static int64_t survivor_count(struct kill_message *m) { return (void)m, (int64_t)(object.body->changed.word >> 32); }

/* ---- the operations ---- */

static void arrange(void) {
    if (lf_event_count_create(&object, NULL) != LF_OK)
        kill_breach("an event count", "it cannot be created");
    kill_attach_survivor(&kill_a);
    kill_attach_survivor(&kill_b);
}
static void announce(void) { lf_event_count_prepare(&object); }
static void arrange_doomed(void) {
    arrange();
    kill_start_doomed(announce);
}
static int64_t act_prepare(void) { return lf_event_count_prepare(&object) < 0; }
static int64_t prepared;
static void arm_prepared(void) { prepared = lf_event_count_prepare(&object); }
static int64_t act_retract(void) { return lf_event_count_retract(&object, prepared), LF_OK; }
static int64_t act_notify(void) { return lf_event_count_notify(&object, 1); }
static int64_t act_cancel(void) { return lf_event_count_cancel(&object); }
static int64_t act_wait(void) { return wait_for(LF_FOREVER); }
static int64_t act_wait_in_no_time(void) { return wait_for(until(1)); }
static int never(void *unused) { return unused != NULL; }
static int64_t act_until_in_no_time(void) { return lf_event_count_wait_until(&object, never, NULL, until(1)); }

static struct lf_watch watches[2]; /* of one count, as two tasks have them */
static uint32_t control;
static void watch(struct lf_watch *w) { lf_watch_count(w, &object.h, &object.body->changed); }
static void arm_watch(void) { watch(&watches[0]); }
static int64_t act_watch(void) { return arm_watch(), LF_OK; }
static int64_t act_watch_end(void) { return lf_watch_end(&watches[0]), LF_OK; }
static int64_t act_watch_pass_on(void) { return lf_watch_pass_on(&watches[0]), LF_OK; }
/* Two waits, of which the first is given up when the wake has come. */
static int64_t act_watch_sleep(void) {
    watch(&watches[0]);
    watch(&watches[1]);
    uint64_t due = 0;
    while (due == 0)
        due = lf_watch_sleep(watches, 2, &control, 0, LF_FOREVER);
    lf_watch_end(&watches[0]);
    lf_watch_pass_on(&watches[0]);
    lf_watch_end(&watches[1]);
    return LF_OK;
}
static int64_t act_watch_in_vain(void) {
    watch(&watches[0]);
    int64_t due = (int64_t)lf_watch_sleep(watches, 1, &control, 0, 1);
    lf_watch_end(&watches[0]);
    return due;
}

/* ---- what the others may see after that ---- */

static void as_ever(void) {
    kill_newcomer();
    expect(&kill_c, survivor_notify_all, 0, LF_OK, "notify");
    expect(&kill_a, survivor_count, 0, 0, "nobody announced after a notify of all");
    for (uint64_t n = 0; n < 2; n++) {
        expect(kill_turn(n), survivor_wait, 0, LF_TIMEDOUT, "a wait that nobody notified");
        expect(kill_turn(n), survivor_retract, 0, LF_OK, "prepare and retract");
        send_b_to_sleep_in(survivor_wait);
        expect(&kill_a, survivor_count, 0, 1, "one waiter");
        expect(&kill_c, survivor_cancel, 0, LF_OK, "cancel");
        expect_of_sleeper(LF_OK, "a wake");
        send_b_to_sleep_in(survivor_wait);
        expect(n ? &kill_a : &kill_c, survivor_notify, 0, LF_OK, "notify");
        expect_of_sleeper(LF_OK, "a wake");
    }
    expect(&kill_a, survivor_count, 0, 0, "nobody announced");
}
static void judge(void) { as_ever(); }
static void beside(void) {
    expect(kill_turn(0), survivor_wait, 0, LF_TIMEDOUT, "a wait that nobody notified");
    expect(kill_turn(1), survivor_notify, 0, LF_OK, "notify");
}
static void rouse(void) { expect(&kill_a, survivor_notify, 0, LF_OK, "notify"); }
/* B sleeps in wait, and the victim notifies. */
static void send_b_to_sleep(void) { send_b_to_sleep_in(survivor_wait); }
static void judge_sleeper(void) {
    if (!kill_now.ended)
        expect(&kill_a, survivor_notify_all, 0, LF_OK, "notify");
    expect_of_sleeper(LF_OK, "a wake");
    as_ever();
}

/* B slept before the victim did. A's one notify came to B, or to the victim, which was to pass it on. */
static void judge_beside_sleeper(void) {
    if (!kill_now.roused || !kill_now.ended)
        expect(&kill_a, survivor_notify_all, 0, LF_OK, "notify");
    expect_of_sleeper(LF_OK, "a wake");
    as_ever();
}

#define CALL(name, arm, act, answer)                                                                                   \
    {name, KILL_ALL_MODES, arrange, arm, NULL, act, answer, beside, judge, NULL, NULL, 0}
#define SLEEPER(name, act)                                                                                             \
    {name, 1u << KILL_WAIT, arrange, NULL, send_b_to_sleep, act, LF_OK, NULL, judge_sleeper, NULL, NULL, 0}

static const struct kill_operation operations[] = {
    CALL("prepare", NULL, act_prepare, 0),
    CALL("retract", arm_prepared, act_retract, LF_OK),
    CALL("notify-nobody", NULL, act_notify, LF_OK),
    CALL("cancel", arm_prepared, act_cancel, LF_OK),
    CALL("wait-in-vain", NULL, act_wait_in_no_time, LF_TIMEDOUT),
    CALL("wait-until-in-vain", NULL, act_until_in_no_time, LF_TIMEDOUT),
    {"wait-woken", KILL_DEAD_MODES, arrange, NULL, NULL, act_wait, LF_OK, NULL, judge, NULL, rouse, 0},
    CALL("watch", NULL, act_watch, LF_OK),
    CALL("watch-end", arm_watch, act_watch_end, LF_OK),
    CALL("watch-in-vain", NULL, act_watch_in_vain, 0),
    {"watch-woken", KILL_DEAD_MODES, arrange, NULL, NULL, act_watch_sleep, LF_OK, NULL, judge, NULL, rouse, 0},
    {"watch-pass-on-to-sleeper", 1u << KILL_WAIT, arrange, arm_watch, send_b_to_sleep, act_watch_pass_on, LF_OK, NULL,
     judge_sleeper, NULL, NULL, 0},
    {"watch-woken-beside-sleeper", 1u << KILL_WAIT, arrange, NULL, send_b_to_sleep, act_watch_sleep, LF_OK, NULL,
     judge_beside_sleeper, NULL, rouse, 0},
    SLEEPER("notify-to-sleeper", act_notify),
    SLEEPER("cancel-with-sleeper", act_cancel),
    {"reap", KILL_ALL_MODES, arrange_doomed, NULL, kill_end_doomed, act_reap, 1, beside, judge, NULL, NULL, 0},
    CALL("detach", NULL, act_detach, LF_OK),
    {"attach", KILL_ALL_MODES, arrange, arm_attach, NULL, act_attach, LF_OK, beside, judge, NULL, NULL, 1},
};

const struct kill_subject kill_subject = {
    "event_count", operations, (int)(sizeof operations / sizeof operations[0]), &object.h, &lf_event_count_kind, NULL,
    NULL,          NULL};
