/* event.c: Event, killed at every instruction.
 *
 * After the victim's death the flag is as its operation found it or left it, for everybody alike. Once the operation has
 * ended, it is as it left it. No waiter stays asleep beside a set flag, and the event works as before. */
#include "kill.h"

#include <lockfree/event.h>

static struct lf_event object;

#include "calls.h"

static int64_t wait_for(uint64_t deadline) {
    uint64_t first = lf_event_now(&object);
    int64_t status;
    do
        status = lf_event_wait_since(&object, first, deadline);
    while (status == LF_INTERRUPTED);
    return status;
}

/* ---- what survivors call ---- */

static int64_t survivor_set(struct kill_message *m) { return (void)m, lf_event_set(&object); }
static int64_t survivor_clear(struct kill_message *m) { return (void)m, lf_event_clear(&object); }
static int64_t survivor_is_set(struct kill_message *m) { return (void)m, lf_event_is_set(&object); }
static int64_t survivor_wait(struct kill_message *m) { return wait_for(until(m->deadline)); }

/* ---- the operations ---- */

struct details {
    int before, after; /* the flag */
};
static const struct details *details(void) { return (const struct details *)kill_now.operation->details; }

static void arrange(void) {
    if (lf_event_create(&object, NULL) != LF_OK)
        kill_breach("an event", "it cannot be created");
    kill_attach_survivor(&kill_a);
    kill_attach_survivor(&kill_b);
    if (details()->before)
        expect(&kill_a, survivor_set, 0, LF_OK, "set");
}
static void look(void) { lf_event_is_set(&object); }
static void arrange_doomed(void) {
    arrange();
    kill_start_doomed(look);
}

static int64_t act_set(void) { return lf_event_set(&object); }
static int64_t act_clear(void) { return lf_event_clear(&object); }
static int64_t act_is_set(void) { return lf_event_is_set(&object); }
static int64_t act_wait(void) { return wait_for(LF_FOREVER); }
static int64_t act_wait_in_no_time(void) { return wait_for(until(1)); }

/* ---- what the others may see after that ---- */

static void as_ever(int set) {
    kill_newcomer();
    for (uint64_t n = 0; n < 6; n++) {
        struct kill_survivor *s = kill_turn(n), *other = kill_turn(n + 1);
        expect(s, survivor_is_set, 0, set, "one answer for everybody");
        expect(other, survivor_wait, set && n % 2 ? KILL_AT_LAST : 0, set ? LF_OK : LF_TIMEDOUT, "wait");
        set = !set;
        expect(s, set ? survivor_set : survivor_clear, 0, LF_OK, "set or clear");
    }
    expect(&kill_a, survivor_is_set, 0, set, "the flag");
}
static int agreed(struct kill_survivor *s) {
    int64_t set = ask(s, survivor_is_set, 0);
    if (set != details()->after && (kill_now.ended || set != details()->before))
        kill_breach(details()->after ? "a set flag" : "a clear flag", "%s found %lld", s->name, (long long)set);
    return (int)set;
}
static void judge(void) {
    if (kill_now.mode == KILL_NEW)
        kill_newcomer();
    as_ever(agreed(kill_now.mode == KILL_NEW ? &kill_c : kill_turn(0)));
}
static void beside(void) { expect(kill_turn(1), survivor_is_set, 0, agreed(kill_turn(0)), "one answer for both"); }
/* The victim sleeps in wait, and A sets the flag. */
static void rouse(void) { expect(&kill_a, survivor_set, 0, LF_OK, "set"); }
static void judge_roused(void) {
    if (kill_now.roused)
        expect(&kill_b, survivor_is_set, 0, 1, "what A has set");
    as_ever(kill_now.roused);
}
/* B sleeps in wait, and the victim sets the flag. */
static void send_b_to_sleep(void) { send_b_to_sleep_in(survivor_wait); }
static void judge_sleeper(void) {
    int64_t set = ask(&kill_a, survivor_is_set, 0);
    if (!set && kill_now.ended && details()->after)
        kill_breach("a set flag", "A found it clear");
    if (!set)
        expect(&kill_a, survivor_set, 0, LF_OK, "set");
    expect_of_sleeper(LF_OK, "a wait that ends with the set");
    as_ever(1);
}

#define WITH(...) (&(const struct details){__VA_ARGS__})
#define CALL(name, act, answer, ...)                                                                                   \
    {name, KILL_ALL_MODES, arrange, NULL, NULL, act, answer, beside, judge, WITH(__VA_ARGS__), NULL, 0}

static const struct kill_operation operations[] = {
    CALL("set", act_set, LF_OK, 0, 1),
    CALL("set-again", act_set, LF_OK, 1, 1),
    CALL("clear", act_clear, LF_OK, 1, 0),
    CALL("clear-again", act_clear, LF_OK, 0, 0),
    CALL("is-set", act_is_set, 1, 1, 1),
    CALL("wait-set", act_wait, LF_OK, 1, 1),
    CALL("wait-in-vain", act_wait_in_no_time, LF_TIMEDOUT, 0, 0),
    {"wait-woken", KILL_DEAD_MODES, arrange, NULL, NULL, act_wait, LF_OK, NULL, judge_roused, WITH(0, 0), rouse, 0},
    {"set-to-sleeper", 1u << KILL_WAIT, arrange, NULL, send_b_to_sleep, act_set, LF_OK, NULL, judge_sleeper, WITH(0, 1),
     NULL, 0},
    {"reap", KILL_ALL_MODES, arrange_doomed, NULL, kill_end_doomed, act_reap, 1, beside, judge, WITH(1, 1), NULL, 0},
    {"detach", KILL_ALL_MODES, arrange, NULL, NULL, act_detach, LF_OK, beside, judge, WITH(1, 1), NULL, 0},
    {"attach", KILL_ALL_MODES, arrange, arm_attach, NULL, act_attach, LF_OK, beside, judge, WITH(1, 1), NULL, 1},
};

const struct kill_subject kill_subject = {
    "event", operations, (int)(sizeof operations / sizeof operations[0]), &object.h, &lf_event_kind, NULL, NULL, NULL};
