/* latest_value.c: LatestValue, killed at every instruction.
 *
 * After the victim's death every reader finds a whole value with its version: the one before the victim's set, or the one
 * that it set, and the same for all. Once the set has returned, it is that one. The next writer's versions follow on.
 * Nobody stays asleep beside a newer version for longer than a slice. */
#include "kill.h"

#include <lockfree/latest_value.h>

#define RECORD_SIZE 48

static struct lf_latest_value object;

#include "calls.h"

/* The value of a version: its number in each byte of a length that follows from it. */
static uint64_t length_of(uint64_t version) { return 17 + version % 30; }
static int64_t set_version(uint64_t version) {
    unsigned char value[RECORD_SIZE];
    memset(value, (int)version, sizeof value);
    return lf_latest_value_set(&object, value, length_of(version));
}
/* The version of the newest value, 0 if there is none; LF_CORRUPT if it is not what that version was set to. */
static int64_t get_version(void) {
    unsigned char value[RECORD_SIZE];
    uint64_t version = 0;
    int64_t length;
    do
        length = lf_latest_value_get(&object, value, &version);
    while (length == LF_INTERRUPTED);
    if (length == LF_EMPTY)
        return 0;
    if (length < 0 || (uint64_t)length != length_of(version))
        return LF_CORRUPT;
    for (int64_t i = 0; i < length; i++)
        if (value[i] != (unsigned char)version)
            return LF_CORRUPT;
    return (int64_t)version;
}
static int64_t wait_for(uint64_t newer_than, uint64_t deadline) {
    int64_t status;
    do
        status = lf_latest_value_wait(&object, newer_than, deadline);
    while (status == LF_INTERRUPTED);
    return status;
}

/* ---- what survivors call ---- */

static int64_t survivor_set(struct kill_message *m) { return set_version(m->amount); }
static int64_t survivor_get(struct kill_message *m) { return (void)m, get_version(); }
static int64_t survivor_version(struct kill_message *m) { return (void)m, lf_latest_value_version(&object); }
static int64_t survivor_release(struct kill_message *m) { return (void)m, lf_latest_value_release_role(&object); }
static int64_t survivor_wait(struct kill_message *m) { return wait_for(m->amount, until(m->deadline)); }

static int64_t ask_about(struct kill_survivor *s, int64_t (*call)(struct kill_message *), uint64_t amount,
                         uint64_t deadline) {
    struct kill_message m = {.call = call, .amount = amount, .deadline = deadline};
    return kill_ask(s, &m);
}
static void expect_about(struct kill_survivor *s, int64_t (*call)(struct kill_message *), uint64_t amount,
                         uint64_t deadline, int64_t expected, const char *what) {
    int64_t answer = ask_about(s, call, amount, deadline);
    if (answer != expected)
        kill_breach(what, "%s got %lld instead of %lld", s->name, (long long)answer, (long long)expected);
}

/* ---- the operations ---- */

struct details {
    uint64_t copies;
    uint64_t before, after; /* versions */
};
static const struct details *details(void) { return (const struct details *)kill_now.operation->details; }

static void arrange(void) {
    if (lf_latest_value_create(&object, NULL, RECORD_SIZE, details()->copies) != LF_OK)
        kill_breach("a value", "it cannot be created");
    kill_attach_survivor(&kill_a);
    kill_attach_survivor(&kill_b);
    for (uint64_t version = 1; version <= details()->before; version++)
        expect_about(&kill_a, survivor_set, version, 0, (int64_t)version, "set");
    if (details()->before != 0)
        expect(&kill_a, survivor_release, 0, LF_OK, "release of the role");
}
static void become_writer(void) { set_version(details()->before + 1); }
static void arrange_doomed(void) {
    arrange();
    kill_start_doomed(become_writer);
}
static void arm_writer(void) { lf_role_take(&object.h, &object.body->writer); }
static int64_t act_set(void) { return set_version(details()->before + 1); }
static int64_t act_get(void) { return get_version(); }
static int64_t act_version(void) { return lf_latest_value_version(&object); }
static int64_t act_release(void) { return lf_latest_value_release_role(&object); }
static int64_t act_wait(void) { return wait_for(details()->before, LF_FOREVER); }
static int64_t act_wait_for_old(void) { return wait_for(details()->before - 1, LF_FOREVER); }
static int64_t act_wait_in_no_time(void) { return wait_for(details()->before, until(1)); }

/* ---- what the others may see after that ---- */

static uint64_t agreed(struct kill_survivor *s) {
    int64_t version = ask(s, survivor_get, 0);
    if (version != (int64_t)details()->after && (kill_now.ended || version != (int64_t)details()->before))
        kill_breach("the value before, or the one that was set", "%s found version %lld", s->name, (long long)version);
    expect(kill_turn(1), survivor_get, 0, version, "one value for everybody");
    expect(s, survivor_version, 0, version, "its version");
    return (uint64_t)version;
}
/* Everybody writes in turn, and everybody reads it. */
static void as_ever(uint64_t version) {
    kill_newcomer();
    for (uint64_t n = 0; n < 4; n++) {
        struct kill_survivor *s = kill_turn(n), *other = kill_turn(n + 1);
        expect_about(other, survivor_wait, version, 0, LF_TIMEDOUT, "a wait for a newer one");
        for (int i = 0; i < 3; i++) {
            version++;
            expect_about(s, survivor_set, version, 0, (int64_t)version, "set");
            expect(other, survivor_get, 0, (int64_t)version, "the newest value");
        }
        expect_about(other, survivor_wait, version - 1, KILL_AT_LAST, LF_OK, "a wait that is over");
        expect(s, survivor_release, 0, LF_OK, "release of the role");
    }
}
static void judge(void) {
    if (kill_now.mode == KILL_NEW)
        kill_newcomer();
    as_ever(agreed(kill_now.mode == KILL_NEW ? &kill_c : kill_turn(0)));
}
/* A stopped writer keeps its role; readers never wait for it. */
static void beside(void) {
    uint64_t version = agreed(kill_turn(0));
    expect_about(kill_turn(1), survivor_wait, version, 0, LF_TIMEDOUT, "a wait for a newer one");
    expect(kill_turn(1), survivor_get, 0, (int64_t)version, "one value for both");
}
/* The victim sleeps in wait, and A sets. */
static void rouse(void) {
    expect_about(&kill_a, survivor_set, details()->before + 1, 0, (int64_t)details()->before + 1, "set");
    expect(&kill_a, survivor_release, 0, LF_OK, "release of the role");
}
static void judge_roused(void) { as_ever(details()->before + (kill_now.roused ? 1 : 0)); }
/* B sleeps in wait, and the victim sets. */
static void send_b_to_sleep(void) {
    struct kill_message m = {.call = survivor_wait, .amount = details()->before, .deadline = KILL_AT_LAST};
    sleeper = m;
    kill_begin_ask(&kill_b, &sleeper);
    kill_wait_asleep(&kill_b);
}
static void judge_sleeper(void) {
    int64_t version = ask(&kill_a, survivor_get, 0);
    if (version != (int64_t)details()->after && (kill_now.ended || version != (int64_t)details()->before))
        kill_breach("the value before, or the one that was set", "A found version %lld", (long long)version);
    if (version == (int64_t)details()->before) {
        version++;
        expect_about(&kill_a, survivor_set, (uint64_t)version, 0, version, "set");
        expect(&kill_a, survivor_release, 0, LF_OK, "release of the role");
    }
    expect_of_sleeper(LF_OK, "a wait that ends with the set");
    as_ever((uint64_t)version);
}

#define WITH(...) (&(const struct details){__VA_ARGS__})
#define CALL(name, arm, act, answer, ...)                                                                              \
    {name, KILL_ALL_MODES, arrange, arm, NULL, act, answer, beside, judge, WITH(__VA_ARGS__), NULL, 0}

static const struct kill_operation operations[] = {
    CALL("set-first", NULL, act_set, 1, 2, 0, 1),
    CALL("set", arm_writer, act_set, 6, 2, 5, 6),
    CALL("set-of-three", NULL, act_set, 5, 3, 4, 5),
    CALL("get", NULL, act_get, 5, 2, 5, 5),
    CALL("get-nothing", NULL, act_get, 0, 2, 0, 0),
    CALL("version", NULL, act_version, 5, 2, 5, 5),
    CALL("release-role", arm_writer, act_release, LF_OK, 2, 5, 5),
    CALL("wait-for-old", NULL, act_wait_for_old, LF_OK, 2, 5, 5),
    CALL("wait-in-vain", NULL, act_wait_in_no_time, LF_TIMEDOUT, 2, 5, 5),
    {"wait-woken", KILL_DEAD_MODES, arrange, NULL, NULL, act_wait, LF_OK, NULL, judge_roused, WITH(2, 5, 5), rouse, 0},
    {"set-to-sleeper", 1u << KILL_WAIT, arrange, NULL, send_b_to_sleep, act_set, 6, NULL, judge_sleeper, WITH(2, 5, 6),
     NULL, 0},
    {"reap", KILL_ALL_MODES, arrange_doomed, NULL, kill_end_doomed, act_reap, 1, beside, judge, WITH(2, 4, 5), NULL, 0},
    CALL("detach", arm_writer, act_detach, LF_OK, 2, 5, 5),
    {"attach", KILL_ALL_MODES, arrange, arm_attach, NULL, act_attach, LF_OK, beside, judge, WITH(2, 5, 5), NULL, 1},
};

const struct kill_subject kill_subject = {
    "latest_value", operations, (int)(sizeof operations / sizeof operations[0]), &object.h, &lf_latest_value_kind, NULL,
    NULL,           NULL};
