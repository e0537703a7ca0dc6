/* condition.c: Condition: its lock as in locks.h; and waits, of which no notify is lost. */
#include "kill.h"

#include <lockfree/condition.h>

#define LOCK(name) lf_condition_##name
#define SUBJECT "condition"
#define KIND lf_condition_kind
static struct lf_condition object;
static int lf_condition_create_named(struct lf_condition *c, const char *name) {
    return (lf_condition_create)(c, name, 0);
}
#define lf_condition_create(c, name) lf_condition_create_named(c, name)

static int64_t place, depth;

/* Under the lock: waits once, and gives the lock back. */
static int64_t wait_once(uint64_t deadline) {
    int status = lf_condition_acquire(&object, LF_FOREVER), waited;
    if (status == LF_OWNER_DIED)
        lf_condition_recover(&object);
    int64_t mine = lf_condition_begin(&object), levels = lf_condition_release_all(&object);
    do
        waited = lf_condition_sleep(&object, mine, deadline);
    while (waited == LF_INTERRUPTED);
    do
        status = lf_condition_acquire_again(&object, levels);
    while (status == LF_INTERRUPTED);
    if (lf_condition_end(&object, mine))
        waited = LF_OK;
    if (status == LF_OWNER_DIED)
        lf_condition_recover(&object);
    lf_condition_release(&object);
    return status == LF_OK ? waited : status;
}
static int64_t survivor_wait(struct kill_message *m) { return wait_once(lf_now() + m->deadline); }
static int64_t survivor_notify(struct kill_message *m) {
    int status = lf_condition_acquire(&object, LF_FOREVER);
    (void)m;
    if (status == LF_OWNER_DIED)
        lf_condition_recover(&object);
    int64_t notified = lf_condition_notify(&object, 1);
    lf_condition_release(&object);
    return notified;
}

static void hold_and_begin(void) { /* the victim is the first in the queue */
    lf_condition_acquire(&object, LF_FOREVER);
    place = lf_condition_begin(&object);
    depth = lf_condition_release_all(&object);
}
static struct kill_message waiter;
static void let_b_wait(void) {
    struct kill_message m = {.call = survivor_wait, .deadline = 60000 * KILL_MS};
    waiter = m;
    kill_begin_ask(&kill_b, &waiter);
    kill_wait_asleep(&kill_b);
}
static void notify_one(void) {
    struct kill_message m = {.call = survivor_notify};
    if (kill_ask(&kill_a, &m) != 1)
        kill_breach("one notified", "A notified %lld", (long long)m.answer);
}
static int64_t act_sleep_and_end(void) {
    int status;
    do
        status = lf_condition_sleep(&object, place, LF_FOREVER);
    while (status == LF_INTERRUPTED);
    do
        status = lf_condition_acquire_again(&object, depth);
    while (status == LF_INTERRUPTED);
    return lf_condition_end(&object, place) && status == LF_OK ? LF_OK : LF_TIMEDOUT;
}
static int64_t act_wait_in_no_time(void) { return lf_condition_wait(&object, lf_now() + 1); }
static int64_t act_notify(void) { return lf_condition_notify(&object, 1); }
static int64_t act_pass_on(void) { return lf_condition_pass_on(&object, place), LF_OK; }
static void arm_notified(void) { /* the only one in the queue, B comes later */
    hold_and_begin();
    lf_condition_notify_unlocked(&object, 1);
}
static void arrange_waiter(void);
/* The victim dies with the lock, or with a notify, or with both: B goes on all the same. */
static void judge_waiter(void);

#define MORE_OPERATIONS                                                                                                \
    CALL("wait-in-vain", arrange, arm_held, act_wait_in_no_time, LF_TIMEDOUT, EITHER, DIED, 0),                        \
        {"wait-notified", KILL_DEAD_MODES,         arrange,    hold_and_begin,                                         \
         let_b_wait,      act_sleep_and_end,       LF_OK,      NULL,                                                   \
         judge_waiter,    WITH(EITHER, EITHER, 0), notify_one, 0},                                                     \
        {"notify-with-waiter", KILL_DEAD_MODES,       arrange_waiter, arm_held, NULL, act_notify, 1, NULL,             \
         judge_waiter,         WITH(EITHER, DIED, 0), NULL,           0},                                              \
        {"pass-on-to-waiter",                                                                                          \
         KILL_DEAD_MODES,                                                                                              \
         arrange,                                                                                                      \
         arm_notified,                                                                                                 \
         let_b_wait,                                                                                                   \
         act_pass_on,                                                                                                  \
         LF_OK,                                                                                                        \
         NULL,                                                                                                         \
         judge_waiter,                                                                                                 \
         WITH(EITHER, EITHER, 0),                                                                                      \
         NULL,                                                                                                         \
         0},

#include "locks.h"

static void arrange_waiter(void) {
    arrange();
    let_b_wait();
}
static void judge_waiter(void) {
    if (kill_now.mode == KILL_NEW)
        kill_newcomer();
    if (kill_now.operation->act == act_sleep_and_end && !kill_now.roused)
        notify_one(); /* to the dead victim, if it was not given back yet: it is passed on */
    int64_t answer = kill_end_ask(&kill_b, &waiter);
    if (answer != LF_OK && answer != LF_OWNER_DIED)
        kill_breach("a waiter that goes on", "B got %s", status_name(answer));
    as_ever();
    struct kill_message m = {.call = survivor_notify};
    if (kill_ask(&kill_a, &m) != 0)
        kill_breach("nobody who waits", "A notified %lld", (long long)m.answer);
    let_b_wait();
    notify_one();
    if (kill_end_ask(&kill_b, &waiter) != LF_OK)
        kill_breach("OK", "a notified waiter got %s", status_name(waiter.answer));
}
