/* semaphore.c: the semaphore, killed at every instruction. A holds one permit all the time. The permits of the victim
 * or of another dead process come back exactly, and never one too many. */
#include "kill.h"

#define LF_SEATS 16u /* of 1024: a recovery looks at every one of them */
#include <lockfree/semaphore.h>

#define SUBJECT_INITIAL 5
#define SUBJECT_MAX 6

static struct lf_semaphore object;

static uint64_t until(uint64_t span) { return span == 0 ? 0 : span == LF_FOREVER ? LF_FOREVER : lf_now() + span; }

/* Seats follow from thread ids. The same roles get the same ids, so that every run takes the same path. */
static void attached(void) { lf_thread_token(), lf__thread.token = 1000 + object.h.participant; }

/* ---- what survivors call ---- */

static int64_t survivor_acquire(struct kill_message *m) {
    uint64_t deadline = until(m->deadline);
    int64_t status;
    do
        status = lf_semaphore_acquire(&object, m->amount, deadline);
    while (status == LF_INTERRUPTED);
    return status;
}
static int64_t survivor_release(struct kill_message *m) { return lf_semaphore_release(&object, m->amount); }
static int64_t survivor_value(struct kill_message *m) { return (void)m, lf_semaphore_value(&object); }

/* ---- the states: what can be taken, and what the dead or stopped processes hold ---- */

#define WORLDS 16
#define THINGS "permits"
#include "worlds.h"

static void possible_unless_ended(int64_t value, int64_t out) {
    if (!kill_now.ended)
        possible(value, out, 0);
}

static int agrees(struct world *w, const struct kill_message *m) {
    int64_t n = (int64_t)m->amount;
    if (m->call == survivor_value)
        return m->answer == w->free;
    if (m->call == survivor_acquire) {
        if (m->answer == LF_OK && w->free >= n)
            return w->free -= n, 1;
        return m->answer == LF_TIMEDOUT && w->free < n && (m->deadline == 0 || w->out == 0);
    }
    if (m->answer == LF_OK && w->free + n <= SUBJECT_MAX)
        return w->free += n, 1;
    return m->answer == LF_OVERFLOW && w->free + n > SUBJECT_MAX;
}
static void comes_back(const struct world *w) { possible(w->free + w->out, 0, 0); } /* all in one step */
static int describe(const struct world *w, char *text, size_t room) {
    return snprintf(text, room, "a value of %lld with %lld out", (long long)w->free, (long long)w->out);
}
static const char *name_of(const struct kill_message *m) {
    return m->call == survivor_value ? "value" : m->call == survivor_acquire ? "acquire" : "release";
}

/* ---- the operations ---- */

struct details {
    uint64_t held;    /* by the victim, or the doomed one, before */
    uint64_t n;       /* what its call is about */
    int64_t acquired; /* what it holds when the call has ended */
};
static const struct details *details(void) { return (const struct details *)kill_now.operation->details; }

static const uint32_t starts[] = {0, UINT32_MAX - 1, (1u << 23) - 2, (1u << 23) - 1};

static void arrange(void) {
    n_worlds = 0;
    if (lf_semaphore_create(&object, NULL, SUBJECT_INITIAL, SUBJECT_MAX, starts[kill_now.seed >> 8 & 3]) != LF_OK)
        kill_breach("a semaphore", "it cannot be created");
    kill_attach_survivor(&kill_a);
    kill_attach_survivor(&kill_b);
    possible(SUBJECT_INITIAL, 0, 0);
    must(&kill_a, survivor_acquire, 1, 0, LF_OK);
}
static void hold(uint64_t n) { /* from several seats, as several threads would */
    uint32_t token = lf__thread.token;
    for (uint64_t i = 0; i < n; i++, lf__thread.token += 5)
        lf_semaphore_try_acquire(&object, 1);
    lf__thread.token = token;
}
static void arm(void) { hold(details()->held); }
/* As if two threads had handed permits over: +2 in one seat and -2 in an earlier one, so that nothing is held. */
static void hold_crosswise(void) {
    uint32_t token = lf__thread.token, me = object.h.participant;
    lf_semaphore_try_acquire(&object, 2);
    for (lf__thread.token = token;; lf__thread.token++) {
        uint32_t first = lf__sem_home(&object), own = 0;
        while ((object.body->seats[own].claim & LF__SEAT_PARTICIPANT) != me)
            own++;
        if (first < own && object.body->seats[first].claim == 0)
            break;
    }
    lf_semaphore_release(&object, 2);
    lf__thread.token = token;
}
static void arrange_doomed(void) {
    arrange();
    kill_now.recovering = 1;
    kill_start_doomed(arm);
}
/* Two doomed processes: one holds permits; the other has handed permits over, holds none, and is recovered first. */
static void arrange_two_doomed(void) {
    arrange();
    kill_now.recovering = 1;
    kill_start_doomed(arm);
    kill_start_another_doomed(hold_crosswise);
}
static void arrange_doomed_parent(void) {
    arrange();
    kill_now.recovering = 1;
    kill_start_doomed_parent(arm);
}
static void arrange_dead(void) {
    arrange_doomed();
    kill_end_doomed();
}

static int64_t act_try_acquire(void) { return lf_semaphore_try_acquire(&object, details()->n); }
static int64_t act_acquire(void) { return lf_semaphore_acquire(&object, details()->n, LF_FOREVER); }
static int64_t act_acquire_in_no_time(void) { return lf_semaphore_acquire(&object, details()->n, until(1)); }
static int64_t act_release(void) { return lf_semaphore_release(&object, details()->n); }
static int64_t act_value(void) { return lf_semaphore_value(&object); }
static int64_t act_reap(void) { return lf_reap(&object.h); }
/* As a waiter does for the one in the turnstile: of the participants in use before us, the last. */
static int64_t act_reap_one(void) { return lf_reap_one(&object.h, object.h.participant - 1); }
static int64_t act_detach(void) { return lf_detach(&object.h), LF_OK; }
static int inherited;
static void arm_attach(void) { inherited = dup(object.h.fd); }
static int64_t act_attach(void) { return lf_segment_attach_fd(&object.h, inherited, kill_now.subject->kind); }

/* ---- what the others may see after that ---- */

static void after(void) {
    int64_t free_now = SUBJECT_INITIAL - 1, held = (int64_t)details()->held, then = details()->acquired;
    n_worlds = 0;
    possible_unless_ended(free_now - held, held);
    possible(free_now - then, then, 0);
}

static void go_on(void) {
    uint64_t taken = take_turns(survivor_value, survivor_acquire, survivor_release);
    if (ask(&kill_a, survivor_acquire, 1, 0) == LF_OK) /* A looked for the dead in time */
        must(&kill_a, survivor_release, 1, 0, LF_OK);
    if (taken > 0)
        must(&kill_b, survivor_release, taken, 0, LF_OK);
}

static void hold_three(void) { hold(3); }

/* Every permit that is out must stand in a seat that a participant owns. Otherwise it is lost, or one is created, when
 * that seat gets its next owner. */
static void books_balance(void) {
    int32_t balances[LF_PARTICIPANTS];
    int64_t out = 0;
    lf__sem_help(&object, object.body->word);
    lf__sem_balances(&object, balances);
    for (uint32_t i = 1; i < LF_PARTICIPANTS; i++)
        out += balances[i];
    if (balances[0] != 0 || out + lf_semaphore_value(&object) != SUBJECT_INITIAL || object.body->debt != 0)
        kill_breach("accounts that add up", "%lld in seats without owner, %lld in others, value %lld, debt %llu",
                    (long long)balances[0], (long long)out, (long long)lf_semaphore_value(&object),
                    (unsigned long long)object.body->debt);
}

/* Anybody can get all permits but A's, and not one more. The next death is handled as exactly as this one. */
static void as_ever(void) {
    kill_newcomer();
    for (uint64_t n = 0; n < 6; n++) {
        struct kill_survivor *s = kill_turn(n);
        must(s, survivor_acquire, SUBJECT_INITIAL - 1, KILL_AT_LAST, LF_OK);
        ask(s, survivor_value, 0, 0);
        must(kill_turn(n + 1), survivor_acquire, 1, 0, LF_TIMEDOUT);
        must(s, survivor_release, SUBJECT_INITIAL - 1, 0, LF_OK);
    }
    must(&kill_a, survivor_release, 1, 0, LF_OK);
    must(&kill_a, survivor_release, SUBJECT_MAX - SUBJECT_INITIAL + 1, 0, LF_OVERFLOW);
    must(&kill_b, survivor_value, 0, 0, SUBJECT_INITIAL);
    books_balance();
    if (kill_now.seed & 7)
        return;
    kill_start_doomed(hold_three);
    kill_end_doomed();
    kill_next_tick();
    n_worlds = 0;
    possible(SUBJECT_INITIAL - 3, 3, 0);
    must(&kill_b, survivor_acquire, SUBJECT_INITIAL, KILL_AT_LAST, LF_OK);
    must(&kill_c, survivor_value, 0, 0, 0);
    must(&kill_b, survivor_release, SUBJECT_INITIAL, 0, LF_OK);
}

static void judge_from_here(void) {
    if (kill_now.mode == KILL_NEW)
        kill_newcomer();
    if (kill_now.mode != KILL_WAIT) {
        go_on();
    } else {
        must(&kill_b, survivor_acquire, SUBJECT_INITIAL - 1, KILL_AT_LAST, LF_OK);
        must(&kill_b, survivor_release, SUBJECT_INITIAL - 1, 0, LF_OK);
    }
    as_ever();
}
static void beside(void) {
    after();
    go_on();
    go_on();
}
static void judge(void) {
    if (kill_now.mode != KILL_STOPPED)
        after();
    judge_from_here();
}

/* ---- with the victim asleep: A's release wakes it ---- */

static void rouse(void) {
    struct kill_message m = {.call = survivor_release, .amount = 1};
    kill_ask(&kill_a, &m);
}
static void judge_roused(void) {
    n_worlds = 0;
    if (!kill_now.roused) {
        possible(SUBJECT_INITIAL - 1, 0, 0);
    } else {
        possible_unless_ended(SUBJECT_INITIAL, 0);
        possible(0, SUBJECT_INITIAL, 0);
        must(&kill_a, survivor_acquire, 1, KILL_AT_LAST, LF_OK);
    }
    judge_from_here();
}

/* ---- with B asleep: it waits for all permits but A's, and gets them at the latest when the victim dies ---- */

static struct kill_message sleeper;
static void send_b_to_sleep(void) {
    struct kill_message m = {.call = survivor_acquire, .amount = SUBJECT_INITIAL - 1, .deadline = 60000 * KILL_MS};
    sleeper = m;
    kill_begin_ask(&kill_b, &sleeper);
    kill_wait_asleep(&kill_b);
}
static void judge_sleeper(void) {
    after();
    kill_end_ask(&kill_b, &sleeper);
    agree(&kill_b, &sleeper);
    must(&kill_b, survivor_release, SUBJECT_INITIAL - 1, 0, LF_OK);
    judge_from_here();
}
/* The same, while the victim wants permits, too, and B holds the turnstile. */
static void arrange_turnstile(void) {
    arrange();
    struct kill_message m = {.call = survivor_acquire, .amount = SUBJECT_INITIAL, .deadline = 60000 * KILL_MS};
    sleeper = m;
    kill_begin_ask(&kill_b, &sleeper);
    kill_wait_asleep(&kill_b);
}
static void judge_turnstile(void) {
    after();
    must(&kill_a, survivor_release, 1, 0, LF_OK);
    kill_end_ask(&kill_b, &sleeper);
    agree(&kill_b, &sleeper);
    must(&kill_b, survivor_release, SUBJECT_INITIAL, 0, LF_OK);
    must(&kill_a, survivor_acquire, 1, KILL_AT_LAST, LF_OK);
    judge_from_here();
}

#define WITH(...) (&(const struct details){__VA_ARGS__})
#define CALL(name, act, answer, ...)                                                                                   \
    {name, KILL_ALL_MODES, arrange, arm, NULL, act, answer, beside, judge, WITH(__VA_ARGS__), NULL, 0}

static const struct kill_operation operations[] = {
    CALL("try-acquire", act_try_acquire, LF_OK, 0, 2, 2),
    CALL("try-acquire-of-all", act_try_acquire, LF_OK, 0, 4, 4),
    CALL("try-acquire-refused", act_try_acquire, LF_TIMEDOUT, 0, 5, 0),
    CALL("try-acquire-of-more", act_try_acquire, LF_OK, 1, 2, 3),
    CALL("acquire", act_acquire, LF_OK, 0, 2, 2),
    CALL("acquire-in-vain", act_acquire_in_no_time, LF_TIMEDOUT, 0, 5, 0),
    {"acquire-woken", KILL_DEAD_MODES, arrange, arm, NULL, act_acquire, LF_OK, NULL, judge_roused, WITH(0, 5, 5), rouse,
     0},
    {"acquire-behind-another", 1u << KILL_GO_ON, arrange_turnstile, arm, NULL, act_acquire_in_no_time, LF_OK, NULL,
     judge_turnstile, WITH(0, 1, 1), NULL, 0},
    CALL("release", act_release, LF_OK, 2, 2, 0),
    CALL("release-of-some", act_release, LF_OK, 3, 1, 2),
    CALL("release-refused", act_release, LF_OVERFLOW, 0, 3, 0),
    CALL("value", act_value, 2, 2, 0, 2),
    {"release-to-sleeper", 1u << KILL_GO_ON, arrange, arm, send_b_to_sleep, act_release, LF_OK, NULL, judge_sleeper,
     WITH(2, 2, 0), NULL, 0},
    {"detach-with-sleeper", 1u << KILL_GO_ON, arrange, arm, send_b_to_sleep, act_detach, LF_OK, NULL, judge_sleeper,
     WITH(2, 2, 0), NULL, 0},
    {"detach", KILL_ALL_MODES, arrange, arm, NULL, act_detach, LF_OK, beside, judge, WITH(0, 0, 0), NULL, 0},
    {"detach-holding", KILL_ALL_MODES, arrange, arm, NULL, act_detach, LF_OK, beside, judge, WITH(2, 0, 0), NULL, 0},
    {"reap", KILL_ALL_MODES, arrange_doomed, NULL, kill_end_doomed, act_reap, 1, beside, judge, WITH(3, 0, 0), NULL, 0},
    {"reap-one-of-two", KILL_ALL_MODES, arrange_two_doomed, NULL, kill_end_doomed, act_reap_one, 1, beside, judge,
     WITH(2, 0, 2), NULL, 0},
    {"reap-of-parent", KILL_DEAD_MODES, arrange_doomed_parent, NULL, kill_end_doomed, act_reap, 1, NULL, judge,
     WITH(3, 0, 0), NULL, 0},
    {"attach", KILL_ALL_MODES, arrange, arm_attach, NULL, act_attach, LF_OK, beside, judge, WITH(0, 0, 0), NULL, 1},
    {"attach-after-dead", KILL_ALL_MODES, arrange_dead, arm_attach, NULL, act_attach, LF_OK, beside, judge,
     WITH(3, 0, 0), NULL, 1},
};

const struct kill_subject kill_subject = {
    "semaphore", operations, (int)(sizeof operations / sizeof operations[0]), &object.h, &lf_semaphore_kind, attached,
    NULL,        NULL};
