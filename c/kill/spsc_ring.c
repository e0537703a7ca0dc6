/* spsc_ring.c: the SPSC ring, killed at every instruction, as producer and as consumer. A goes on as producer and B as
 * consumer. At the end everybody has each role once. */
#include "queues.h"

#include <lockfree/spsc_ring.h>

#define CAPACITY 4
#define RECORD_SIZE 40

static struct lf_spsc_ring object;

static uint64_t until(uint64_t span) { return span == 0 ? 0 : lf_now() + span; }

/* ---- what survivors call ---- */

static int64_t survivor_put(struct kill_message *m) {
    uint64_t length = kill_write_record(m->record, (uint32_t)m->id, m->level), deadline = until(m->deadline);
    int status;
    do
        status = deadline == 0 ? lf_spsc_ring_try_put(&object, m->record, length)
                               : lf_spsc_ring_put(&object, m->record, length, deadline);
    while (status == LF_INTERRUPTED);
    return status;
}
static int64_t survivor_get(struct kill_message *m) {
    uint64_t deadline = until(m->deadline);
    int64_t length;
    do
        length = deadline == 0 ? lf_spsc_ring_try_get(&object, m->record)
                               : lf_spsc_ring_get(&object, m->record, deadline);
    while (length == LF_INTERRUPTED);
    return kill_read_record(m->record, length, &m->level);
}
static int64_t survivor_size(struct kill_message *m) { return (void)m, (int64_t)lf_spsc_ring_size(&object); }
static int64_t survivor_release(struct kill_message *m) {
    return lf_spsc_ring_release_role(&object, (enum lf_spsc_role)m->amount);
}

static struct kill_survivor *holder[2];
static uint64_t turns;
static struct kill_survivor *who(int putting, uint64_t n) {
    return (void)n, holder[putting ? LF_PRODUCER : LF_CONSUMER];
}
static void give_role_back(enum lf_spsc_role role) {
    struct kill_message m = {.call = survivor_release, .amount = role};
    kill_ask(holder[role], &m);
}
static void pass_roles_on(void) {
    give_role_back(LF_PRODUCER);
    give_role_back(LF_CONSUMER);
    holder[LF_PRODUCER] = kill_turn(turns++);
    holder[LF_CONSUMER] = kill_turn(turns);
}

static const struct kill_queue queue = {CAPACITY, 1, survivor_put, survivor_get, survivor_size, who, pass_roles_on};

/* ---- the operations: records 1..inside, then one call of the victim's in its role ---- */

struct details {
    enum lf_spsc_role role;
    uint32_t inside;
    uint32_t count;
    int claims;  /* the role is free, and the call takes it; else the victim has it already */
    int no_role; /* the call has nothing to do with roles */
};
static const struct details *details(void) { return (const struct details *)kill_now.operation->details; }

static const uint64_t starts[] = {0, (UINT64_C(1) << 32) - 3, UINT64_MAX - 2, (UINT64_C(1) << 31) - 3};

static void arrange(void) {
    kill_forget_worlds();
    turns = 0;
    if (lf_spsc_ring_create(&object, NULL, CAPACITY, RECORD_SIZE, starts[kill_now.seed >> 8 & 3]) != LF_OK)
        kill_breach("a ring", "it cannot be created");
    kill_attach_survivor(&kill_a);
    kill_attach_survivor(&kill_b);
    holder[LF_PRODUCER] = &kill_a;
    holder[LF_CONSUMER] = &kill_b;
    struct kill_message look = {.call = survivor_get}; /* B becomes the consumer */
    kill_ask(&kill_b, &look);
    kill_put_inside(details()->inside);
    if (!details()->no_role)
        give_role_back(details()->role);
}

static unsigned char records[8 * RECORD_SIZE];
static uint32_t lengths[8];
static int64_t ticket;
static uint64_t a_length;

static void write_records(void) {
    unsigned char *to = records;
    for (uint32_t i = 0; i < details()->count; to += lengths[i++])
        lengths[i] = (uint32_t)kill_write_record(to, KILL_VICTIMS + i, 0);
}
static void arm(void) {
    write_records();
    if (details()->claims || details()->no_role)
        return;
    ticket = details()->role == LF_PRODUCER ? lf_spsc_ring_reserve(&object) : lf_spsc_ring_peek(&object, &a_length);
    if (details()->role == LF_PRODUCER && ticket >= 0)
        memcpy(lf_spsc_ring_payload(&object, ticket), records, lengths[0]);
}
static void take_role(void) {
    if (details()->role == LF_PRODUCER)
        lf_spsc_ring_reserve(&object);
    else
        lf_spsc_ring_peek(&object, &a_length);
}

static int64_t act_try_put(void) { return lf_spsc_ring_try_put(&object, records, lengths[0]); }
static int64_t act_try_get(void) { return lf_spsc_ring_try_get(&object, records) >= 0 ? LF_OK : LF_EMPTY; }
static int64_t act_put(void) { return lf_spsc_ring_put(&object, records, lengths[0], LF_FOREVER); }
static int64_t act_get(void) { return lf_spsc_ring_get(&object, records, LF_FOREVER) >= 0 ? LF_OK : LF_EMPTY; }
static int64_t act_put_in_no_time(void) { return lf_spsc_ring_put(&object, records, lengths[0], 1); }
static int64_t act_get_in_no_time(void) { return lf_spsc_ring_get(&object, records, 1); }
static int64_t act_put_many(void) { return lf_spsc_ring_put_many(&object, records, 0, 0, lengths, details()->count); }
static int64_t act_get_many(void) {
    return lf_spsc_ring_get_many(&object, records, RECORD_SIZE, lengths, details()->count);
}
static int64_t act_commit(void) { return lf_spsc_ring_commit(&object, ticket, lengths[0]); }
static int64_t act_cancel(void) { return lf_spsc_ring_cancel(&object, ticket); }
static int64_t act_release(void) { return lf_spsc_ring_release(&object, ticket); }
static int64_t act_release_role(void) { return lf_spsc_ring_release_role(&object, details()->role); }
static int64_t act_detach(void) { return lf_detach(&object.h), LF_OK; }
static int64_t act_reap(void) { return lf_reap(&object.h); }
static int inherited;
static void arm_attach(void) { inherited = dup(object.h.fd); }
static int64_t act_attach(void) { return lf_segment_attach_fd(&object.h, inherited, kill_now.subject->kind); }

/* ---- what each operation may leave behind: whole records only ---- */

static void possible_unless_ended(const struct kill_world *w) {
    if (!kill_now.ended)
        kill_possible(w);
}
static void after_call(int takes_effect) {
    struct kill_world w = kill_world_of(details()->inside);
    uint32_t room = details()->role == LF_PRODUCER ? CAPACITY - w.count : w.count;
    for (uint32_t i = 0; takes_effect && i < details()->count && i < room; i++) {
        possible_unless_ended(&w);
        if (details()->role == LF_PRODUCER)
            kill_world_put(&w, KILL_VICTIMS + i, 0);
        else
            kill_world_take(&w);
    }
    kill_possible(&w);
}

/* Beside a stopped victim: the holder of the other role completes its calls. Nobody else gets the victim's role, unless
 * the victim had not got it yet. */
static void beside_role(int may_have_none, int takes_effect) {
    enum lf_spsc_role role = details()->role;
    struct kill_message m = kill_next_put(0);
    if (role == LF_CONSUMER) {
        struct kill_message get = {.call = survivor_get};
        m = get;
    }
    struct kill_message again = m;
    if (kill_ask(holder[role], &m) == LF_ROLE_TAKEN)
        kill_ask(holder[role], &again);
    if (m.answer == LF_ROLE_TAKEN && again.answer != LF_ROLE_TAKEN)
        kill_breach("ROLE_TAKEN again, since its holder lives", "%s was answered %lld", holder[role]->name,
                    (long long)again.answer);
    if (m.answer != LF_ROLE_TAKEN) {
        if (!may_have_none)
            kill_breach("ROLE_TAKEN, since its holder lives", "%s was answered %lld", holder[role]->name,
                        (long long)m.answer);
        kill_forget_worlds(); /* so the victim has done nothing yet, or has given the role back at the end */
        after_call(kill_now.ended && takes_effect);
        if (role == LF_PRODUCER)
            kill_agree_put(holder[role], &m);
        else
            kill_agree_get(holder[role], &m);
    }
    if (role == LF_PRODUCER)
        while (kill_get(holder[LF_CONSUMER], 0) >= 0)
            ;
    else
        while (kill_put(holder[LF_PRODUCER], 0) == LF_OK)
            ;
}
static void beside_call(void) {
    after_call(1);
    beside_role(details()->claims, 1);
}
static void judge_call(void) {
    if (kill_now.mode != KILL_STOPPED)
        after_call(1);
    kill_queue_judge();
}
static void beside_nothing(void) {
    after_call(0);
    if (details()->no_role)
        kill_queue_beside();
    else
        beside_role(1, 0);
}
static void judge_nothing(void) {
    if (kill_now.mode != KILL_STOPPED)
        after_call(0);
    kill_queue_judge();
}

/* ---- with the victim asleep: the other side wakes it ---- */

static void rouse(void) {
    struct kill_message m = kill_next_put(0);
    struct kill_message get = {.call = survivor_get};
    if (details()->role == LF_PRODUCER)
        m = get;
    if (kill_ask(holder[!details()->role], &m) < 0)
        kill_breach("a call that wakes a sleeper", "%lld", (long long)m.answer);
}
static void after_waiting(void) {
    struct kill_world w = kill_world_of(details()->inside);
    if (kill_now.roused && details()->role == LF_PRODUCER) {
        kill_world_take(&w);
        possible_unless_ended(&w);
        kill_world_put(&w, KILL_VICTIMS, 0);
    } else if (kill_now.roused) {
        kill_world_put(&w, 200, 0);
        possible_unless_ended(&w);
        kill_world_take(&w);
    }
    kill_possible(&w);
}
static void beside_waiting(void) {
    after_waiting();
    beside_role(0, 1);
}
static void judge_waiting(void) {
    if (kill_now.mode != KILL_STOPPED)
        after_waiting();
    kill_queue_judge();
}

/* ---- with the other side asleep: the victim's call wakes it, or whatever follows ---- */

static struct kill_message sleeper;
static int sleeper_is_back;

static void arrange_sleeper(void) {
    arrange();
    struct kill_message get = {.call = survivor_get, .deadline = 60000 * KILL_MS};
    sleeper = details()->role == LF_PRODUCER ? get : kill_next_put(60000 * KILL_MS);
    sleeper_is_back = 0;
    kill_begin_ask(holder[!details()->role], &sleeper);
    kill_wait_asleep(holder[!details()->role]);
}
static void sleeper_back(void) {
    struct kill_survivor *s = holder[!details()->role];
    kill_end_ask(s, &sleeper);
    if (details()->role == LF_PRODUCER)
        kill_agree_get(s, &sleeper);
    else
        kill_agree_put(s, &sleeper);
    sleeper_is_back = 1;
}
static void judge_sleeper(void) {
    after_call(1);
    struct kill_survivor *s = holder[!details()->role];
    int putting = details()->role == LF_CONSUMER, certain = kill_certain(putting);
    uint64_t end = lf_now() + (kill_now.mode != KILL_WAIT ? 0 : certain ? kill_now.watchdog : 30 * KILL_MS);
    for (; lf_now() < end && !kill_answered(s); kill_nap(500000))
        ;
    if (kill_answered(s) || (certain && kill_now.mode == KILL_WAIT))
        sleeper_back();
    if (!sleeper_is_back) {
        if (details()->role == LF_PRODUCER)
            kill_put(holder[LF_PRODUCER], 0);
        else
            kill_get(holder[LF_CONSUMER], 0);
        sleeper_back();
    }
    kill_queue_judge();
}

/* ---- with a holder that died earlier ---- */

static void arrange_doomed(void) {
    arrange();
    kill_start_doomed(take_role);
}
static void arrange_doomed_parent(void) {
    arrange();
    kill_start_doomed_parent(take_role);
}
static void arrange_dead(void) {
    arrange_doomed();
    kill_end_doomed();
}

#define WITH(...) (&(const struct details){__VA_ARGS__})
#define CALL(name, act, answer, ...)                                                                                   \
    {name, KILL_ALL_MODES, arrange, arm, NULL, act, answer, beside_call, judge_call, WITH(__VA_ARGS__), NULL, 0}
#define WOKEN(name, act, ...)                                                                                          \
    {name, KILL_ALL_MODES, arrange, arm, NULL, act, LF_OK, beside_waiting, judge_waiting, WITH(__VA_ARGS__), rouse, 0}
#define SLEEPER(name, act, ...)                                                                                        \
    {name,                                                                                                             \
     1u << KILL_GO_ON | 1u << KILL_WAIT,                                                                               \
     arrange_sleeper,                                                                                                  \
     arm,                                                                                                              \
     NULL,                                                                                                             \
     act,                                                                                                              \
     LF_OK,                                                                                                            \
     NULL,                                                                                                             \
     judge_sleeper,                                                                                                    \
     WITH(__VA_ARGS__),                                                                                                \
     NULL,                                                                                                             \
     0}
#define P LF_PRODUCER
#define C LF_CONSUMER

static const struct kill_operation operations[] = {
    CALL("put-on-empty", act_try_put, LF_OK, P, 0, 1, 0, 0),
    CALL("put-on-half", act_try_put, LF_OK, P, 2, 1, 0, 0),
    CALL("put-on-last", act_try_put, LF_OK, P, 3, 1, 0, 0),
    CALL("put-on-full", act_try_put, LF_FULL, P, 4, 1, 0, 0),
    CALL("put-waiting-in-vain", act_put_in_no_time, LF_FULL, P, 4, 1, 0, 0),
    WOKEN("put-waiting-on-full", act_put, P, 4, 1, 0, 0),
    CALL("put-many", act_put_many, 3, P, 1, 3, 0, 0),
    CALL("put-many-until-full", act_put_many, 2, P, 2, 4, 0, 0),
    CALL("put-claiming", act_try_put, LF_OK, P, 2, 1, 1, 0),
    CALL("commit", act_commit, LF_OK, P, 2, 1, 0, 0),
    CALL("get-on-empty", act_try_get, LF_EMPTY, C, 0, 1, 0, 0),
    CALL("get-on-one", act_try_get, LF_OK, C, 1, 1, 0, 0),
    CALL("get-on-half", act_try_get, LF_OK, C, 2, 1, 0, 0),
    CALL("get-on-full", act_try_get, LF_OK, C, 4, 1, 0, 0),
    CALL("get-waiting-in-vain", act_get_in_no_time, LF_EMPTY, C, 0, 1, 0, 0),
    WOKEN("get-waiting-on-empty", act_get, C, 0, 1, 0, 0),
    CALL("get-many", act_get_many, 3, C, 4, 3, 0, 0),
    CALL("get-many-until-empty", act_get_many, 2, C, 2, 4, 0, 0),
    CALL("get-claiming", act_try_get, LF_OK, C, 2, 1, 1, 0),
    CALL("release", act_release, LF_OK, C, 2, 1, 0, 0),
    {"cancel", KILL_ALL_MODES, arrange, arm, NULL, act_cancel, LF_OK, beside_nothing, judge_nothing,
     WITH(P, 2, 1, 0, 0), NULL, 0},
    SLEEPER("put-to-sleeper", act_try_put, P, 0, 1, 0, 0),
    SLEEPER("get-to-sleeper", act_try_get, C, 4, 1, 0, 0),
    {"put-claiming-from-dead", KILL_ALL_MODES, arrange_doomed, arm, kill_end_doomed, act_try_put, LF_OK, beside_call,
     judge_call, WITH(P, 2, 1, 1, 0), NULL, 0},
    {"get-claiming-from-dead", KILL_ALL_MODES, arrange_doomed, arm, kill_end_doomed, act_try_get, LF_OK, beside_call,
     judge_call, WITH(C, 2, 1, 1, 0), NULL, 0},
    {"release-role", KILL_ALL_MODES, arrange, arm, NULL, act_release_role, LF_OK, beside_nothing, judge_nothing,
     WITH(P, 2, 1, 0, 0), NULL, 0},
    {"detach", KILL_ALL_MODES, arrange, arm, NULL, act_detach, LF_OK, beside_nothing, judge_nothing,
     WITH(C, 2, 1, 0, 0), NULL, 0},
    {"reap", KILL_DEAD_MODES, arrange_doomed, NULL, kill_end_doomed, act_reap, 1, NULL, judge_nothing,
     WITH(P, 2, 1, 1, 0), NULL, 0},
    {"reap-of-parent", KILL_DEAD_MODES, arrange_doomed_parent, NULL, kill_end_doomed, act_reap, 1, NULL, judge_nothing,
     WITH(P, 2, 1, 1, 0), NULL, 0},
    {"attach", KILL_ALL_MODES, arrange, arm_attach, NULL, act_attach, LF_OK, beside_nothing, judge_nothing,
     WITH(P, 2, 1, 0, 1), NULL, 1},
    {"attach-after-dead", KILL_DEAD_MODES, arrange_dead, arm_attach, NULL, act_attach, LF_OK, NULL, judge_nothing,
     WITH(C, 2, 1, 1, 0), NULL, 1},
};

const struct kill_subject kill_subject = {
    "spsc_ring", operations, (int)(sizeof operations / sizeof operations[0]), &object.h, &lf_spsc_ring_kind, NULL,
    NULL,        &queue};
