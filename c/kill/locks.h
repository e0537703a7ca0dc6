/* locks.h: Mutex and SpinLock, killed at every instruction. The file that includes this defines `object` and
 * LOCK(name), which adds the lock's prefix to a name, and may define MORE_OPERATIONS.
 *
 * After the victim's death, the next one to acquire gets the lock. It is told of the death if the victim held the lock.
 * While the operation has not ended, both answers are possible. There are never two holders. Nobody is told twice. */
#ifndef LOCKFREE_KILL_LOCKS_H
#define LOCKFREE_KILL_LOCKS_H

static uint64_t until(uint64_t span) { return span == 0 ? 0 : span == LF_FOREVER ? LF_FOREVER : lf_now() + span; }

/* ---- what survivors call ---- */

static int64_t survivor_acquire(struct kill_message *m) {
    uint64_t deadline = until(m->deadline);
    int64_t status;
    do
        status = LOCK(acquire)(&object, deadline);
    while (status == LF_INTERRUPTED);
    return status;
}
static int64_t survivor_release(struct kill_message *m) { return (void)m, LOCK(release)(&object); }
static int64_t survivor_recover(struct kill_message *m) { return (void)m, LOCK(recover)(&object); }
static int64_t survivor_locked(struct kill_message *m) { return (void)m, LOCK(locked)(&object); }

static const char *status_name(int64_t status) {
    switch (status) {
    case LF_OK:
        return "OK";
    case LF_TIMEDOUT:
        return "a refusal";
    case LF_OWNER_DIED:
        return "OWNER_DIED";
    case LF_NOT_OWNER:
        return "NOT_OWNER";
    case LF_NOT_RECOVERABLE:
        return "NOT_RECOVERABLE";
    default:
        return "an error";
    }
}
static int64_t ask(struct kill_survivor *s, int64_t (*call)(struct kill_message *), uint64_t deadline) {
    struct kill_message m = {.call = call, .deadline = deadline};
    return kill_ask(s, &m);
}
static void expect(struct kill_survivor *s, int64_t (*call)(struct kill_message *), uint64_t deadline, int64_t expected,
                   const char *what) {
    int64_t answer = ask(s, call, deadline);
    if (answer != expected)
        kill_breach(status_name(expected), "%s by %s gave %s", what, s->name, status_name(answer));
}

/* ---- the operations ---- */

/* The answers that the next acquire may get: bits 1 << -status. */
#define TOLD(status) (1u << -(status))
struct details {
    unsigned before; /* while the operation has not ended */
    unsigned after;
    int held_by_a; /* A holds the lock all the time */
};
static const struct details *details(void) { return (const struct details *)kill_now.operation->details; }

static void arrange(void) {
    if (LOCK(create)(&object, NULL) != LF_OK)
        kill_breach("a lock", "it cannot be created");
    kill_attach_survivor(&kill_a);
    kill_attach_survivor(&kill_b);
    if (details()->held_by_a)
        expect(&kill_a, survivor_acquire, 0, LF_OK, "the first acquire");
}
static void hold(void) { LOCK(acquire)(&object, LF_FOREVER); }
static void arrange_doomed_holder(void) {
    arrange();
    kill_start_doomed(hold);
}
static void arrange_doomed_parent(void) {
    arrange();
    kill_start_doomed_parent(hold);
}
static void arrange_dead_holder(void) {
    arrange_doomed_holder();
    kill_end_doomed();
}

static void arm_held(void) { LOCK(try_acquire)(&object); } /* by this process, told of a death or not */

static int64_t act_try_acquire(void) { return LOCK(try_acquire)(&object); }
static int64_t act_acquire(void) { return LOCK(acquire)(&object, LF_FOREVER); }
static int64_t act_acquire_in_no_time(void) { return LOCK(acquire)(&object, until(1)); }
static int64_t act_release(void) { return LOCK(release)(&object); }
static int64_t act_recover(void) { return LOCK(recover)(&object); }
static int64_t act_locked(void) { return LOCK(locked)(&object); }
static int64_t act_reap(void) { return lf_reap(&object.h); }
static int64_t act_detach(void) { return lf_detach(&object.h), LF_OK; }
static int inherited;
static void arm_attach(void) { inherited = dup(object.h.fd); }
static int64_t act_attach(void) { return lf_segment_attach_fd(&object.h, inherited, kill_now.subject->kind); }

/* ---- what the others may see after that ---- */

static unsigned allowed(void) { return kill_now.ended ? details()->after : details()->before; }

static void must_be_allowed(const struct kill_survivor *s, int64_t status) {
    if (status <= 0 && status > -32 && (allowed() & TOLD(status)))
        return;
    kill_breach(allowed() == TOLD(LF_OK)           ? "OK"
                : allowed() == TOLD(LF_OWNER_DIED) ? "OWNER_DIED"
                : allowed() & TOLD(LF_OWNER_DIED)  ? "the lock, with news of a death or without"
                                                   : "NOT_RECOVERABLE",
                "an acquire by %s gave %s", s->name, status_name(status));
}

/* `s` holds the lock, told of a death or not. Nobody else holds it, and after its release the lock works as usual. */
static void holds(struct kill_survivor *s, int64_t status) {
    struct kill_survivor *others[] = {&kill_a, &kill_b, &kill_c};
    for (int i = 0; i < 3; i++)
        if (others[i] != s && others[i]->pid > 0) {
            expect(others[i], survivor_acquire, 0, LF_TIMEDOUT, "an acquire of a held lock");
            expect(others[i], survivor_release, 0, LF_NOT_OWNER, "a release by another");
            expect(others[i], survivor_locked, 0, 1, "locked()");
        }
    if (status == LF_OWNER_DIED)
        expect(s, survivor_recover, 0, LF_OK, "recover");
    expect(s, survivor_release, 0, LF_OK, "release");
}

static void as_ever(void) {
    kill_newcomer();
    for (uint64_t n = 0; n < 6; n++) {
        struct kill_survivor *s = kill_turn(n);
        expect(s, survivor_acquire, n % 2 ? KILL_AT_LAST : 0, LF_OK, "acquire");
        holds(s, LF_OK);
    }
}

static void judge_next(struct kill_survivor *s, int64_t status) {
    must_be_allowed(s, status);
    if (status == LF_NOT_RECOVERABLE) {
        kill_newcomer();
        for (uint64_t n = 0; n < 3; n++) {
            expect(kill_turn(n), survivor_acquire, n % 2 ? KILL_AT_LAST : 0, LF_NOT_RECOVERABLE, "acquire");
            expect(kill_turn(n), survivor_release, 0, LF_NOT_OWNER, "a release by another");
        }
        return;
    }
    holds(s, status);
    as_ever();
}

static void judge(void) {
    if (kill_now.mode == KILL_NEW)
        kill_newcomer();
    if (details()->held_by_a) {
        holds(&kill_a, LF_OK);
        as_ever();
        return;
    }
    struct kill_survivor *s = kill_now.mode == KILL_NEW ? &kill_c : kill_turn(0);
    int64_t status = ask(s, survivor_acquire, kill_now.mode == KILL_WAIT ? KILL_AT_LAST : 0);
    if (status == LF_TIMEDOUT && kill_now.mode != KILL_WAIT) /* a try looks for the dead once a tick; now wait */
        status = ask(s, survivor_acquire, KILL_AT_LAST);
    judge_next(s, status);
}

/* Beside a stopped victim there are never two holders. */
static void beside(void) {
    struct kill_survivor *s = kill_turn(0), *other = kill_turn(1);
    if (details()->held_by_a) {
        expect(&kill_b, survivor_acquire, 0, LF_TIMEDOUT, "an acquire of a held lock");
        return;
    }
    int64_t status = ask(s, survivor_acquire, 0);
    if (status == LF_TIMEDOUT) { /* the victim holds it */
        if (!(allowed() & (TOLD(LF_OWNER_DIED))))
            kill_breach("a free lock", "an acquire by %s was refused", s->name);
        expect(other, survivor_acquire, 0, LF_TIMEDOUT, "an acquire of a held lock");
        return;
    }
    if (status == LF_OK && kill_now.ended && allowed() == TOLD(LF_OWNER_DIED))
        kill_breach("a refusal, since the victim holds it", "an acquire by %s gave OK", s->name);
    if (status == LF_OK || status == LF_OWNER_DIED) {
        expect(other, survivor_acquire, 0, LF_TIMEDOUT, "an acquire of a held lock");
        if (status == LF_OWNER_DIED)
            expect(s, survivor_recover, 0, LF_OK, "recover");
        expect(s, survivor_release, 0, LF_OK, "release");
    }
}
static void judge_stopped_or_dead(void) {
    static const struct details free_now = {TOLD(LF_OK) | TOLD(LF_OWNER_DIED), TOLD(LF_OK) | TOLD(LF_OWNER_DIED), 0};
    static struct kill_operation later;
    if (kill_now.mode == KILL_STOPPED && !details()->held_by_a) { /* `beside` may have released it after recovery */
        later = *kill_now.operation;
        if (!(allowed() & TOLD(LF_NOT_RECOVERABLE)))
            later.details = &free_now;
        const struct kill_operation *operation = kill_now.operation;
        kill_now.operation = &later;
        judge();
        kill_now.operation = operation;
        return;
    }
    judge();
}

/* ---- with the victim asleep: A releases the lock ---- */

static void hand_over(void) { expect(&kill_a, survivor_release, 0, LF_OK, "release"); }
static void judge_handed(void) {
    if (!kill_now.roused)
        expect(&kill_a, survivor_release, 0, LF_OK, "release");
    struct kill_survivor *s = kill_now.mode == KILL_NEW ? (kill_newcomer(), &kill_c) : kill_turn(0);
    int64_t status = ask(s, survivor_acquire, KILL_AT_LAST);
    if (status != LF_OK && !(kill_now.roused && status == LF_OWNER_DIED))
        kill_breach("the lock", "an acquire by %s gave %s", s->name, status_name(status));
    if (status == LF_OK && kill_now.ended)
        kill_breach("OWNER_DIED", "an acquire by %s gave OK", s->name);
    holds(s, status);
    as_ever();
}

/* ---- with A asleep: it waits for the victim's lock ---- */

static struct kill_message sleeper;
static void send_a_to_sleep(void) {
    struct kill_message m = {.call = survivor_acquire, .deadline = 60000 * KILL_MS};
    sleeper = m;
    kill_begin_ask(&kill_a, &sleeper);
    kill_wait_asleep(&kill_a);
}
static void judge_sleeper(void) { judge_next(&kill_a, kill_end_ask(&kill_a, &sleeper)); }

#define WITH(...) (&(const struct details){__VA_ARGS__})
#define EITHER (TOLD(LF_OK) | TOLD(LF_OWNER_DIED))
#define OK TOLD(LF_OK)
#define DIED TOLD(LF_OWNER_DIED)
#define LOST TOLD(LF_NOT_RECOVERABLE)
#ifndef MORE_OPERATIONS
#define MORE_OPERATIONS
#endif
#define CALL(name, arrange, arm, act, answer, ...)                                                                     \
    {name, KILL_ALL_MODES, arrange, arm, NULL, act, answer, beside, judge_stopped_or_dead, WITH(__VA_ARGS__), NULL, 0}
#define SLEEPER(name, act, ...)                                                                                        \
    {name,          1u << KILL_WAIT,   arrange, arm_held, send_a_to_sleep, act, LF_OK, NULL,                           \
     judge_sleeper, WITH(__VA_ARGS__), NULL,    0}

static const struct kill_operation operations[] = {
    CALL("try-acquire-free", arrange, NULL, act_try_acquire, LF_OK, EITHER, DIED, 0),
    CALL("acquire-free", arrange, NULL, act_acquire, LF_OK, EITHER, DIED, 0),
    CALL("try-acquire-held", arrange, NULL, act_try_acquire, LF_TIMEDOUT, OK, OK, 1),
    CALL("acquire-held-in-vain", arrange, NULL, act_acquire_in_no_time, LF_TIMEDOUT, OK, OK, 1),
    {"acquire-held-handed-over", KILL_DEAD_MODES, arrange, NULL, NULL, act_acquire, LF_OK, NULL, judge_handed,
     WITH(EITHER, DIED, 1), hand_over, 0},
    CALL("acquire-after-death", arrange_dead_holder, NULL, act_acquire, LF_OWNER_DIED, DIED, DIED, 0),
    {"acquire-of-doomed", KILL_DEAD_MODES, arrange_doomed_holder, NULL, kill_end_doomed, act_acquire, LF_OWNER_DIED,
     NULL, judge, WITH(DIED, DIED, 0), NULL, 0},
    CALL("release", arrange, arm_held, act_release, LF_OK, EITHER, OK, 0),
    CALL("release-unrecovered", arrange_dead_holder, arm_held, act_release, LF_OK, DIED | LOST, LOST, 0),
    CALL("recover", arrange_dead_holder, arm_held, act_recover, LF_OK, DIED, DIED, 0),
    CALL("locked", arrange, NULL, act_locked, 1, OK, OK, 1),
    MORE_OPERATIONS SLEEPER("release-to-sleeper", act_release, EITHER, OK, 0),
    SLEEPER("detach-with-sleeper", act_detach, DIED, DIED, 0),
    {"reap", KILL_DEAD_MODES, arrange_doomed_holder, NULL, kill_end_doomed, act_reap, 1, NULL, judge,
     WITH(DIED, DIED, 0), NULL, 0},
    {"reap-of-parent", KILL_DEAD_MODES, arrange_doomed_parent, NULL, kill_end_doomed, act_reap, 1, NULL, judge,
     WITH(DIED, DIED, 0), NULL, 0},
    CALL("detach-holding", arrange, arm_held, act_detach, LF_OK, DIED, DIED, 0),
    {"detach", KILL_DEAD_MODES, arrange, NULL, NULL, act_detach, LF_OK, NULL, judge, WITH(OK, OK, 0), NULL, 0},
    {"attach", KILL_DEAD_MODES, arrange, arm_attach, NULL, act_attach, LF_OK, NULL, judge, WITH(OK, OK, 0), NULL, 1},
    {"attach-after-dead", KILL_DEAD_MODES, arrange_dead_holder, arm_attach, NULL, act_attach, LF_OK, NULL, judge,
     WITH(DIED, DIED, 0), NULL, 1},
};

const struct kill_subject kill_subject = {
    SUBJECT, operations, (int)(sizeof operations / sizeof operations[0]), &object.h, &KIND, NULL, NULL, NULL};

#endif
