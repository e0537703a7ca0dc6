/* space.c: Space, killed at every instruction.
 *
 * Whatever the victim was about, the space holds whole objects only: the one that it was adding is there for everybody, or
 * for nobody, and the name stands for one object. Nobody waits for a lock that the dead one held: neither that of the space
 * nor that of an object in it. */
#include "kill.h"

#include <lockfree/space.h>

#define SIZE 4096

static struct lf_space object;

#include "calls.h"

/* ---- what survivors call: each finds its object by name ---- */

static const char *const names[] = {"there", "new", "other"};

static int64_t find(uint64_t which, struct lf_mutex *m) {
    int status;
    do
        status = lf_space_mutex(&object, m, names[which]);
    while (status == LF_INTERRUPTED);
    return status;
}
/* 1: taken; 2: taken from a dead one, and recovered. */
static int64_t take(uint64_t which, uint64_t deadline) {
    struct lf_mutex m;
    int64_t status = find(which, &m);
    while (status == LF_OK || status == LF_INTERRUPTED) {
        status = lf_mutex_acquire(&m, deadline);
        if (status == LF_OWNER_DIED)
            return lf_mutex_recover(&m) == LF_OK ? 2 : LF_CORRUPT;
        if (status == LF_OK)
            return 1;
    }
    return status;
}
static int64_t let_go(uint64_t which) {
    struct lf_mutex m;
    int64_t status = find(which, &m);
    return status == LF_OK ? lf_mutex_release(&m) : status;
}
static int64_t survivor_take(struct kill_message *m) { return take(m->amount, until(m->deadline)); }
static int64_t survivor_let_go(struct kill_message *m) { return let_go(m->amount); }
static int64_t survivor_left(struct kill_message *m) { return (void)m, lf_space_left(&object); }
static int64_t survivor_place(struct kill_message *m) {
    struct lf_mutex found;
    int64_t status = find(m->amount, &found);
    return status == LF_OK ? (int64_t)lf_space_place(&object, &found.h) : status;
}

static int64_t ask_about(struct kill_survivor *s, int64_t (*call)(struct kill_message *), uint64_t which,
                         uint64_t deadline) {
    struct kill_message m = {.call = call, .amount = which, .deadline = deadline};
    return kill_ask(s, &m);
}
static void expect_about(struct kill_survivor *s, int64_t (*call)(struct kill_message *), uint64_t which,
                         uint64_t deadline, int64_t expected, const char *what) {
    int64_t answer = ask_about(s, call, which, deadline);
    if (answer != expected)
        kill_breach(what, "%s got %lld instead of %lld", s->name, (long long)answer, (long long)expected);
}

/* ---- the operations ---- */

enum { THERE, NEW, OTHER };
struct details {
    int adds;  /* the victim adds NEW */
    int takes; /* bit n: the one that dies may have the lock of object n */
};
static const struct details *details(void) { return (const struct details *)kill_now.operation->details; }

static void arrange(void) {
    struct lf_mutex m;
    if (lf_space_create(&object, NULL, SIZE) != LF_OK || find(THERE, &m) != LF_OK)
        kill_breach("a space with an object", "it cannot be created");
    kill_attach_survivor(&kill_a);
    kill_attach_survivor(&kill_b);
}
static struct lf_mutex mine;
static void arm(void) { find(THERE, &mine); }
static void arm_held(void) {
    arm();
    lf_mutex_acquire(&mine, LF_FOREVER);
}
static void hold_two(void) {
    take(THERE, LF_FOREVER);
    take(OTHER, LF_FOREVER);
}
static void arrange_doomed(void) {
    arrange();
    kill_start_doomed(hold_two);
}
static int64_t act_add(void) { return find(NEW, &mine); }
static int64_t act_find(void) { return find(THERE, &mine); }
static int64_t act_at(void) { return lf_space_at(&object, &mine.h, LF_KIND_MUTEX, 0); }
static int64_t act_take(void) { return lf_mutex_acquire(&mine, LF_FOREVER); }
static int64_t act_release(void) { return lf_mutex_release(&mine); }
static int64_t act_detach_object(void) { return lf_detach(&mine.h), LF_OK; }
static int64_t act_take_in_vain(void) { return lf_mutex_acquire(&mine, until(1)); }
static void take_there(void) { expect_about(&kill_a, survivor_take, THERE, 0, 1, "the lock"); }

/* ---- what the others may see after that ---- */

static void as_ever(uint64_t objects) {
    int64_t need = (int64_t)lf_space_needs(&object, LF_KIND_MUTEX), left = SIZE - (int64_t)objects * need;
    kill_newcomer();
    for (uint64_t n = 0; n < 3; n++) {
        struct kill_survivor *s = kill_turn(n), *other = kill_turn(n + 1);
        int64_t before = ask(s, survivor_left, 0), place = ask_about(s, survivor_place, n, KILL_AT_LAST);
        int64_t after = ask(other, survivor_left, 0);
        if (before != left || after < before - need || after > before || place % need != 0)
            kill_breach("whole objects", "%s found %lld and then %lld bytes left, not %lld", s->name, (long long)before,
                        (long long)after, (long long)left);
        left = after;
        expect_about(other, survivor_place, n, 0, place, "one object for a name");
        int64_t status = ask_about(s, survivor_take, n, KILL_AT_LAST);
        if (status != 1 && !(status == 2 && (details()->takes >> n & 1)))
            kill_breach("the lock of an object", "%s got %lld", s->name, (long long)status);
        expect_about(other, survivor_take, n, 0, LF_TIMEDOUT, "a lock that is held");
        expect_about(s, survivor_let_go, n, 0, LF_OK, "release");
    }
    expect(&kill_a, survivor_left, 0, SIZE - 3 * need, "three objects");
}
/* How many objects there are: the victim may have added one. */
static uint64_t counted(struct kill_survivor *s) {
    int64_t need = (int64_t)lf_space_needs(&object, LF_KIND_MUTEX), left = ask(s, survivor_left, 0);
    uint64_t objects = (uint64_t)((SIZE - left) / need);
    if (left % need != 0 || objects < 1 || objects > 2 || (objects == 2 && !details()->adds) ||
        (objects == 1 && details()->adds && kill_now.ended))
        kill_breach("one object, or two", "%s found %lld bytes left", s->name, (long long)left);
    return objects;
}
static void judge(void) {
    if (kill_now.mode == KILL_NEW)
        kill_newcomer();
    as_ever(counted(kill_now.mode == KILL_NEW ? &kill_c : kill_turn(0)));
}
static void judge_doomed(void) { as_ever(2); }
/* The victim sleeps for the lock that A has; A lets it go. */
static void rouse(void) { expect_about(&kill_a, survivor_let_go, THERE, 0, LF_OK, "release"); }
static void judge_roused(void) {
    if (!kill_now.roused)
        expect_about(&kill_a, survivor_let_go, THERE, 0, LF_OK, "release");
    as_ever(1);
}

#define WITH(...) (&(const struct details){__VA_ARGS__})
#define CALL(name, arm, act, answer, ...)                                                                              \
    {name, KILL_DEAD_MODES, arrange, arm, NULL, act, answer, NULL, judge, WITH(__VA_ARGS__), NULL, 0}

static const struct kill_operation operations[] = {
    CALL("add", NULL, act_add, LF_OK, 1, 0),
    CALL("find", NULL, act_find, LF_OK, 0, 0),
    CALL("at", NULL, act_at, LF_OK, 0, 0),
    CALL("take", arm, act_take, LF_OK, 0, 1),
    CALL("release", arm_held, act_release, LF_OK, 0, 1),
    CALL("detach-object", arm_held, act_detach_object, LF_OK, 0, 1),
    {"take-in-vain", KILL_DEAD_MODES, arrange, arm, take_there, act_take_in_vain, LF_TIMEDOUT, NULL, judge_roused,
     WITH(0, 1), NULL, 0},
    {"take-woken", KILL_DEAD_MODES, arrange, arm, take_there, act_take, LF_OK, NULL, judge_roused, WITH(0, 1), rouse,
     0},
    {"reap", KILL_DEAD_MODES, arrange_doomed, NULL, kill_end_doomed, act_reap, 1, NULL, judge_doomed,
     WITH(0, 1 | 1 << OTHER), NULL, 0},
    CALL("detach", arm_held, act_detach, LF_OK, 0, 1),
    {"attach", KILL_DEAD_MODES, arrange, arm_attach, NULL, act_attach, LF_OK, NULL, judge, WITH(0, 0), NULL, 1},
};

const struct kill_subject kill_subject = {
    "space", operations, (int)(sizeof operations / sizeof operations[0]), &object.h, &lf_space_kind, NULL, NULL, NULL};
