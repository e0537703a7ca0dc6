/* named_segment.c: creating, attaching by name and sweeping, killed at every instruction. A name stands for a whole
 * object or for none. It disappears with the next sweep after the last participant has died. */
#include "kill.h"

#include <lockfree/mpmc_ring.h>

#define CAPACITY 3
#define RECORD_SIZE 8

static struct lf_mpmc_ring object;

static const char *name(void) {
    static char text[64];
    snprintf(text, sizeof text, "kill-everywhere-%d", (int)kill_driver);
    return text;
}

/* ---- what survivors call ---- */

static int64_t survivor_create(struct kill_message *m) {
    (void)m;
    return lf_mpmc_ring_create(&object, name(), CAPACITY, RECORD_SIZE, 0);
}
static int64_t survivor_create_again(struct kill_message *m) {
    struct lf_mpmc_ring second;
    (void)m;
    int status = lf_mpmc_ring_create(&second, name(), CAPACITY, RECORD_SIZE, 0);
    return status == LF_SYSTEM && second.h.error == EEXIST ? LF_BUSY : status;
}
static int64_t survivor_attach(struct kill_message *m) {
    (void)m;
    int status = lf_mpmc_ring_attach(&object, name());
    return status == LF_SYSTEM && object.h.error == ENOENT ? LF_EMPTY : status;
}
static int64_t survivor_leave(struct kill_message *m) { return (void)m, lf_detach(&object.h), LF_OK; }
static int64_t survivor_sweep(struct kill_message *m) { /* 1 removed, 0 in use, EMPTY: no such name */
    (void)m;
    struct lf_handle h;
    int status = lf_segment_open(&h, name(), NULL);
    if (status != LF_OK)
        return status == LF_SYSTEM && h.error == ENOENT ? LF_EMPTY : status;
    status = lf_segment_sweep(&h, name());
    lf_segment_unmap(&h);
    return status;
}
/* Fills and empties the ring twice. Returns how many records went in and came out in order. */
static int64_t survivor_use(struct kill_message *m) {
    int64_t done = 0;
    (void)m;
    for (int cycle = 0; cycle < 2; cycle++) {
        uint64_t n = 0, seen;
        while (lf_mpmc_ring_try_put(&object, &n, sizeof n) == LF_OK)
            n++;
        for (uint64_t i = 0; i < n && lf_mpmc_ring_try_get(&object, &seen) == sizeof seen && seen == i; i++)
            done++;
    }
    return done;
}

static int64_t ask(struct kill_survivor *s, int64_t (*call)(struct kill_message *)) {
    struct kill_message m = {.call = call};
    return kill_ask(s, &m);
}
static void expect(struct kill_survivor *s, int64_t (*call)(struct kill_message *), int64_t expected,
                   const char *what) {
    int64_t answer = ask(s, call);
    if (answer != expected)
        kill_breach(what, "%s got %lld, not %lld", s->name, (long long)answer, (long long)expected);
}
static void expect_whole(struct kill_survivor *s) { expect(s, survivor_use, 2 * CAPACITY, "a whole, empty ring"); }

/* ---- the operations ---- */

static void no_name(void) {
    struct lf_handle h;
    memset(&h, 0, sizeof h);
    lf_segment_unlink(&h, name());
}
static void arrange_nothing(void) { no_name(); }
static void arrange_held(void) { /* A has created it, and lives */
    no_name();
    expect(&kill_a, survivor_create, LF_OK, "a new ring");
}
static void arrange_unused(void) {
    arrange_held();
    expect(&kill_a, survivor_leave, LF_OK, "leaving");
}

static int64_t act_create(void) { return lf_mpmc_ring_create(&object, name(), CAPACITY, RECORD_SIZE, 0); }
static int64_t act_attach(void) { return lf_mpmc_ring_attach(&object, name()); }
static struct lf_handle opened;
static void arm_sweep(void) { lf_segment_open(&opened, name(), NULL); }
static int64_t act_sweep(void) { return lf_segment_sweep(&opened, name()); }

/* At the end nobody holds the object. It can be swept, its name can be used again, and it can be swept once more. */
static void leave_nothing(void) {
    expect(&kill_b, survivor_sweep, 1, "a name that nobody holds any more");
    expect(&kill_b, survivor_attach, LF_EMPTY, "no such name");
    expect(&kill_a, survivor_create, LF_OK, "the name for somebody else");
    expect(&kill_b, survivor_attach, LF_OK, "the new one");
    expect(&kill_a, survivor_sweep, 0, "no sweep of what is in use");
    expect_whole(&kill_b);
    expect(&kill_a, survivor_leave, LF_OK, "leaving");
    expect(&kill_b, survivor_leave, LF_OK, "leaving");
    expect(&kill_a, survivor_sweep, 1, "a name that nobody holds any more");
}

static void judge_create(void) { /* the creator is dead: there may be a name */
    int64_t status = ask(&kill_a, survivor_attach);
    if (status == LF_EMPTY && !kill_now.ended)
        expect(&kill_a, survivor_create, LF_OK, "a name that is free");
    else if (status != LF_OK)
        kill_breach("a whole ring, or none", "A got %lld from attaching", (long long)status);
    expect(&kill_b, survivor_attach, LF_OK, "a name that somebody holds");
    expect(&kill_b, survivor_create_again, LF_BUSY, "a name that is taken");
    expect_whole(&kill_a);
    expect_whole(&kill_b);
    expect(&kill_a, survivor_leave, LF_OK, "leaving");
    expect(&kill_b, survivor_leave, LF_OK, "leaving");
    leave_nothing();
}
static void beside_create(void) {
    int64_t status = ask(&kill_b, survivor_attach);
    if (status == LF_OK) {
        expect_whole(&kill_b);
        expect(&kill_a, survivor_sweep, 0, "no sweep of what is in use");
        expect(&kill_b, survivor_leave, LF_OK, "leaving");
    } else if (status != LF_EMPTY || kill_now.ended) {
        kill_breach("a whole ring, or none", "B got %lld from attaching", (long long)status);
    }
}
static void judge_attach(void) {
    expect(&kill_b, survivor_attach, LF_OK, "a name that somebody holds");
    expect_whole(&kill_b);
    expect_whole(&kill_a);
    expect(&kill_a, survivor_leave, LF_OK, "leaving");
    expect(&kill_b, survivor_leave, LF_OK, "leaving");
    leave_nothing();
}
static void judge_attach_to_unused(void) {
    expect(&kill_a, survivor_attach, LF_OK, "the object that its name stands for");
    judge_attach();
}
static void beside_attach(void) {
    expect_whole(&kill_a);
    expect(&kill_b, survivor_sweep, 0, "no sweep of what is in use");
}
static void judge_sweep(void) {
    int64_t status = ask(&kill_a, survivor_attach);
    if (status == LF_EMPTY)
        expect(&kill_a, survivor_create, LF_OK, "a name that is free");
    else if (status != LF_OK || kill_now.ended)
        kill_breach(kill_now.ended ? "no such name" : "a whole ring, or none", "A got %lld from attaching",
                    (long long)status);
    judge_attach();
}

#define TWO_MODES (1u << KILL_GO_ON | 1u << KILL_STOPPED)
static const struct kill_operation operations[] = {
    {"create", TWO_MODES, arrange_nothing, NULL, NULL, act_create, LF_OK, beside_create, judge_create, NULL, NULL, 1},
    {"attach", TWO_MODES, arrange_held, NULL, NULL, act_attach, LF_OK, beside_attach, judge_attach, NULL, NULL, 1},
    {"attach-to-unused", 1u << KILL_GO_ON, arrange_unused, NULL, NULL, act_attach, LF_OK, NULL, judge_attach_to_unused,
     NULL, NULL, 1},
    {"sweep", 1u << KILL_GO_ON, arrange_unused, arm_sweep, NULL, act_sweep, 1, NULL, judge_sweep, NULL, NULL, 1},
};

const struct kill_subject kill_subject = {
    "named_segment", operations, (int)(sizeof operations / sizeof operations[0]), &object.h, &lf_mpmc_ring_kind, NULL,
    no_name,         NULL};
