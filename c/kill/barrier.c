/* barrier.c: Barrier, killed at every instruction.
 *
 * A death breaks the barrier, unless the victim had left. Waiters are told; nobody sleeps on. A round that was
 * complete when its waits ended stays complete. After reset the barrier works as before. */
#include "kill.h"

#include <lockfree/barrier.h>

static struct lf_barrier object;

#include "calls.h"

enum { PARTIES = 2 };

static int64_t survivor_wait(struct kill_message *m) {
    int64_t place = lf_barrier_wait(&object, until(m->deadline));
    return place >= 0 ? 1 : place;
}
static int64_t survivor_reset(struct kill_message *m) { return (void)m, lf_barrier_reset(&object); }
static int64_t survivor_abort(struct kill_message *m) { return (void)m, lf_barrier_abort(&object); }
static int64_t survivor_broken(struct kill_message *m) {
    (void)m;
    lf_reap(&object.h);
    return lf_barrier_broken(&object);
}
static int64_t survivor_waiting(struct kill_message *m) { return (void)m, lf_barrier_waiting(&object); }

/* ---- the operations ---- */

struct details {
    int leaves; /* the victim leaves: that is no death */
};
static const struct details *details(void) { return (const struct details *)kill_now.operation->details; }

static void arrange(void) {
    if (lf_barrier_create(&object, NULL, PARTIES) != LF_OK)
        kill_breach("a barrier", "it cannot be created");
    kill_attach_survivor(&kill_a);
    kill_attach_survivor(&kill_b);
}
static void arrange_broken(void) {
    arrange();
    expect(&kill_a, survivor_abort, 0, LF_OK, "abort");
}
static void look(void) { lf_barrier_broken(&object); }
static void arrange_doomed(void) {
    arrange();
    kill_start_doomed(look);
}
static void send_b_to_sleep(void) { send_b_to_sleep_in(survivor_wait); }
static void arrange_waiter(void) {
    arrange();
    send_b_to_sleep();
}
static int64_t act_wait(void) { return lf_barrier_wait(&object, LF_FOREVER); }
static int64_t act_wait_in_no_time(void) { return lf_barrier_wait(&object, until(1)); }
static int64_t act_abort(void) { return lf_barrier_abort(&object); }
static int64_t act_reset(void) { return lf_barrier_reset(&object); }
static int64_t act_waiting(void) { return lf_barrier_waiting(&object); }

/* ---- what the others may see after that ---- */

static void as_ever(void) {
    expect(&kill_a, survivor_reset, 0, LF_OK, "reset");
    expect(&kill_b, survivor_broken, 0, 0, "a barrier that is new after reset");
    kill_newcomer();
    for (int i = 0; i < 2; i++) {
        send_b_to_sleep();
        expect(&kill_c, survivor_waiting, 0, 1, "one who waits");
        expect(i ? &kill_a : &kill_c, survivor_wait, KILL_AT_LAST, 1, "a place");
        expect_of_sleeper(1, "a place");
    }
    expect(&kill_a, survivor_waiting, 0, 0, "nobody who waits");
    send_b_to_sleep();
    expect(&kill_c, survivor_abort, 0, LF_OK, "abort");
    expect_of_sleeper(LF_BROKEN, "a broken barrier");
    expect(&kill_a, survivor_wait, KILL_AT_LAST, LF_BROKEN, "a broken barrier");
}
static void judge(void) {
    if (kill_now.mode == KILL_NEW)
        kill_newcomer();
    kill_next_tick();
    int64_t broken = ask(kill_turn(0), survivor_broken, 0);
    if (broken != 1 && !details()->leaves)
        kill_breach("a broken barrier", "it is not");
    if (broken == 1)
        expect(kill_turn(1), survivor_wait, KILL_AT_LAST, LF_BROKEN, "a broken barrier");
    as_ever();
}
/* B waits: it is told of the death, or its round is complete. */
static void judge_waiter(void) {
    int64_t answer = kill_end_ask(&kill_b, &sleeper);
    if (answer != LF_BROKEN && !(answer == 1 && kill_now.operation->act == act_wait))
        kill_breach("a broken barrier, or a complete round", "the sleeper got %lld", (long long)answer);
    if (kill_now.operation->act == act_wait && kill_now.ended && answer != 1)
        kill_breach("a complete round", "the sleeper got %lld", (long long)answer);
    as_ever();
}
/* The victim waits, and A comes. */
static void rouse(void) { expect(&kill_a, survivor_wait, 60000 * KILL_MS, 1, "a place"); }

#define WITH(...) (&(const struct details){__VA_ARGS__})
#define CALL(name, arrange, act, answer)                                                                               \
    {name, KILL_DEAD_MODES, arrange, NULL, NULL, act, answer, NULL, judge, WITH(0), NULL, 0}
#define WAITER(name, act, answer)                                                                                      \
    {name, 1u << KILL_WAIT, arrange_waiter, NULL, NULL, act, answer, NULL, judge_waiter, WITH(0), NULL, 0}

static const struct kill_operation operations[] = {
    CALL("wait-in-vain", arrange, act_wait_in_no_time, LF_BROKEN),
    CALL("wait-broken", arrange_broken, act_wait, LF_BROKEN),
    CALL("abort", arrange, act_abort, LF_OK),
    CALL("reset-new", arrange, act_reset, LF_OK),
    CALL("reset-broken", arrange_broken, act_reset, LF_OK),
    CALL("waiting", arrange, act_waiting, 0),
    {"wait-woken", KILL_DEAD_MODES, arrange, NULL, NULL, act_wait, 0, NULL, judge, WITH(0), rouse, 0},
    WAITER("wait-as-last", act_wait, 1),
    WAITER("abort-with-waiter", act_abort, LF_OK),
    WAITER("reset-with-waiter", act_reset, LF_OK),
    {"reap", KILL_DEAD_MODES, arrange_doomed, NULL, kill_end_doomed, act_reap, 1, NULL, judge, WITH(0), NULL, 0},
    {"detach", KILL_DEAD_MODES, arrange, NULL, NULL, act_detach, LF_OK, NULL, judge, WITH(1), NULL, 0},
};

const struct kill_subject kill_subject = {
    "barrier", operations, (int)(sizeof operations / sizeof operations[0]), &object.h, &lf_barrier_kind, NULL,
    NULL,      NULL};
