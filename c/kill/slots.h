/* slots.h: the operations of the queues whose records live in slots, MPMC ring and priority queue.
 *
 * The file that includes this defines CAPACITY, RECORD_SIZE, LEVELS, BATCH_SHOWS_AT_ITS_END, `object` and the calls
 * create, reserve, slot_of, commit, release, cancel, requeue, peek, put, get, put_many, get_many, ending and size
 * on it. */
#ifndef LOCKFREE_KILL_SLOTS_H
#define LOCKFREE_KILL_SLOTS_H

static uint64_t until(uint64_t span) { return span == 0 ? 0 : lf_now() + span; }

/* ---- what survivors call ---- */

static int64_t survivor_put(struct kill_message *m) {
    uint64_t length = kill_write_record(m->record, (uint32_t)m->id, m->level), deadline = until(m->deadline);
    int64_t status;
    do
        status = put(m->record, length, m->level, deadline);
    while (status == LF_INTERRUPTED);
    return status;
}
static int64_t survivor_get(struct kill_message *m) {
    uint64_t deadline = until(m->deadline);
    int64_t length;
    do
        length = get(m->record, deadline);
    while (length == LF_INTERRUPTED);
    return kill_read_record(m->record, length, &m->level);
}
static int64_t survivor_size(struct kill_message *m) { return (void)m, (int64_t)size(); }

const struct kill_queue kill_queue = {CAPACITY, LEVELS, survivor_put, survivor_get, survivor_size, NULL, NULL};

/* ---- the operations: records 1..inside, then one call of the victim's ---- */

struct details {
    uint32_t inside;
    uint32_t count; /* of the records in the victim's call */
    uint32_t level; /* of the first of them; the next ones are one level less urgent each */
    uint32_t lease; /* 0 or LF_LEASE: how it takes */
    uint32_t cut_off; /* percent of a call after which another process was cut off */
    uint32_t stale; /* the most urgent level has been emptied, and nobody has noticed yet */
};
static const struct details *details(void) { return (const struct details *)kill_now.operation->details; }
static uint32_t level_of_victims(uint32_t i) { return (details()->level + i) % LEVELS; }

static const uint64_t starts[] = {0, (UINT64_C(1) << 32) - 3, (UINT64_C(1) << 46) - 3, (UINT64_C(1) << 52) - 3};

static void arrange(void) {
    kill_forget_worlds();
    if (create(starts[kill_now.seed >> 8 & 3]) != LF_OK)
        kill_breach("a queue", "it cannot be created");
    kill_attach_survivor(&kill_a);
    kill_attach_survivor(&kill_b);
    if (details()->stale) {
        struct kill_message m = {.call = survivor_put, .id = 90};
        kill_ask(&kill_a, &m);
        m.call = survivor_get;
        kill_ask(&kill_b, &m);
    }
    kill_put_inside(details()->inside);
}

static unsigned char records[8 * RECORD_SIZE];
static uint32_t lengths[8], levels[8];
static int64_t in_hand[3];
static uint64_t a_length;
static uint32_t a_level;

static void arm_records(void) {
    unsigned char *to = records;
    for (uint32_t i = 0; i < details()->count; to += lengths[i++]) {
        levels[i] = level_of_victims(i);
        lengths[i] = (uint32_t)kill_write_record(to, KILL_VICTIMS + i, levels[i]);
    }
}
static void arm_reserve(void) {
    arm_records();
    in_hand[0] = reserve();
    memcpy(lf_slot_payload(slot_of(in_hand[0])), records, lengths[0]);
}
static void arm_peek(void) { in_hand[0] = peek(details()->lease, &a_length, &a_level); }
static void arm_hands_full(void) {
    in_hand[0] = peek(LF_LEASE, &a_length, &a_level);
    in_hand[1] = peek(0, &a_length, &a_level);
    in_hand[2] = reserve();
}

static int64_t act_try_put(void) { return put(records, lengths[0], levels[0], 0); }
static int64_t act_try_get(void) { return get(records, 0) >= 0 ? LF_OK : LF_EMPTY; }
/* Waiting calls: with a deadline that passes while they get ready to sleep, or with one that never does. */
static int64_t act_put_in_no_time(void) { return put(records, lengths[0], levels[0], 1); }
static int64_t act_get_in_no_time(void) { return get(records, 1) >= 0 ? LF_OK : LF_EMPTY; }
static int64_t act_put(void) { return put(records, lengths[0], levels[0], LF_FOREVER); }
static int64_t act_get(void) { return get(records, LF_FOREVER) >= 0 ? LF_OK : LF_EMPTY; }
static int64_t act_put_many(void) { return put_many(records, lengths, levels, details()->count); }
static int64_t act_get_many(void) { return get_many(records, lengths, details()->count); }
static int64_t act_reserve_commit(void) {
    int64_t index = reserve();
    memcpy(lf_slot_payload(slot_of(index)), records, lengths[0]);
    return commit(index, lengths[0], levels[0]);
}
static int64_t act_commit(void) { return commit(in_hand[0], lengths[0], levels[0]); }
static int64_t act_reserve_cancel(void) { return cancel(reserve()); }
static int64_t act_peek_release(void) { return release(peek(details()->lease, &a_length, &a_level)); }
static int64_t act_lease(void) { return peek(LF_LEASE, &a_length, &a_level) >= 0 ? LF_OK : LF_EMPTY; }
static int64_t act_release(void) { return release(in_hand[0]); }
static int64_t act_requeue(void) { return requeue(in_hand[0], a_level); }
static int64_t act_reap(void) { return lf_reap(&object.h); }
static int64_t act_detach(void) { return lf_detach(&object.h), LF_OK; }
static int64_t act_after_fork(void) { return lf_after_fork(&object.h); }
static int inherited;
static void arm_attach(void) { inherited = dup(object.h.fd); }
static int64_t act_attach(void) { return lf_segment_attach_fd(&object.h, inherited, kill_subject.kind); }

/* ---- what each may leave behind ---- */

static void possible_unless_ended(const struct kill_world *w) {
    if (!kill_now.ended)
        kill_possible(w);
}

/* The first few records are inside, the next is under way. */
static void after_puts(void) {
    struct kill_world w = kill_world_of(details()->inside), cut_off = w;
    uint32_t room = CAPACITY - w.count, n = details()->count < room ? details()->count : room;
    possible_unless_ended(&w);
    for (uint32_t i = 0; i < n; i++) {
        if (!BATCH_SHOWS_AT_ITS_END)
            cut_off = w;
        cut_off.droppable = 0;
        kill_world_cut_off(&cut_off, KILL_VICTIMS + i, level_of_victims(i), 1);
        possible_unless_ended(&cut_off);
        kill_world_put(&w, KILL_VICTIMS + i, level_of_victims(i));
    }
    kill_possible(&w);
}

/* The first few records are gone, one slot may be in hand. */
static void after_gets(void) {
    struct kill_world w = kill_world_of(details()->inside);
    uint32_t n = details()->count < w.count ? details()->count : w.count;
    for (uint32_t i = 0; i < n; i++) {
        possible_unless_ended(&w);
        kill_world_take(&w);
        struct kill_world cut_off = w;
        cut_off.hand = 1;
        possible_unless_ended(&cut_off);
    }
    kill_possible(&w);
}

static void after_reservation(void) { /* that is, or is to be, cancelled */
    struct kill_world w = kill_world_of(details()->inside);
    kill_possible(&w);
    w.hand = 1;
    possible_unless_ended(&w);
}

/* The first record, taken, and then given back for good (release), to the queue (requeue) or not at all (lease). */
enum what_then { NOT_AT_ALL, FOR_GOOD, TO_THE_QUEUE };
static void after_take(int taken_before, uint32_t lease, enum what_then then) {
    struct kill_world before = kill_world_of(details()->inside), gone = before;
    struct kill_item item = kill_world_take(&gone);
    struct kill_world held = gone, being_released = gone;
    if (!taken_before)
        possible_unless_ended(&before);
    if (lease)
        kill_world_owe(&held, item);
    else
        held.hand = 1;
    being_released.hand = 1;
    if (then == NOT_AT_ALL)
        kill_possible(&held);
    else
        possible_unless_ended(&held);
    if (then == FOR_GOOD) {
        possible_unless_ended(&being_released);
        kill_possible(&gone);
    } else if (then == TO_THE_QUEUE) {
        struct kill_world back = gone, unfinished = gone;
        kill_world_cut_off(&unfinished, item.id, item.level, !lease);
        possible_unless_ended(&unfinished);
        kill_world_put(&back, item.id, item.level);
        kill_possible(&back);
    }
}
static void after_peek_release(void) { after_take(0, details()->lease, FOR_GOOD); }
static void after_lease(void) { after_take(0, LF_LEASE, NOT_AT_ALL); }
static void after_release(void) { after_take(1, details()->lease, FOR_GOOD); }
static void after_requeue(void) { after_take(1, details()->lease, TO_THE_QUEUE); }

/* One lease, one record taken for good, one reservation: all to come back, the lease's record to the queue. */
static void after_hands_full(void) {
    struct kill_world w = kill_world_of(details()->inside), settled;
    struct kill_item item = kill_world_take(&w);
    kill_world_take(&w);
    settled = w;
    kill_world_owe(&w, item);
    w.hand = 2;
    kill_world_put(&settled, item.id, item.level);
    kill_possible(kill_now.ended ? &settled : &w);
}
static void after_nothing(void) {
    struct kill_world w = kill_world_of(details()->inside);
    kill_possible(&w);
}

#define OUTCOME(name)                                                                                                  \
    static void beside_##name(void) {                                                                                  \
        after_##name();                                                                                                \
        kill_queue_beside();                                                                                           \
    }                                                                                                                  \
    static void judge_##name(void) {                                                                                   \
        if (kill_now.mode != KILL_STOPPED)                                                                             \
            after_##name();                                                                                            \
        kill_queue_judge();                                                                                            \
    }
OUTCOME(puts)
OUTCOME(gets)
OUTCOME(reservation)
OUTCOME(peek_release)
OUTCOME(lease)
OUTCOME(release)
OUTCOME(requeue)
OUTCOME(hands_full)
OUTCOME(nothing)

/* ---- recovery as the operation ---- */

static void arrange_recovery(void) {
    arrange();
    kill_now.recovering = 1;
}
static void arrange_dead(void) {
    arrange_recovery();
    kill_start_doomed(arm_hands_full);
    kill_end_doomed();
}
static void arrange_doomed(void) {
    arrange_recovery();
    kill_start_doomed(arm_hands_full);
}
static void arrange_doomed_parent(void) {
    arrange_recovery();
    kill_start_doomed_parent(arm_hands_full);
}

/* Another process, cut off within its call, whose death comes when the victim stands ready to recover. */
static void doomed_put(void) { act_try_put(); }
static void doomed_get(void) { act_try_get(); }
static struct kill_trace path_of_doomed; /* one operation in the life of this program */
static void arrange_cut_off(void (*call)(void)) {
    arm_records();
    if (path_of_doomed.steps == 0) {
        arrange_recovery();
        kill_record_doomed(call, &path_of_doomed);
        kill_detach_survivor(&kill_a);
        kill_detach_survivor(&kill_b);
        lf_detach(&object.h);
    }
    arrange_recovery();
    kill_start_cut_off(call, &path_of_doomed, details()->cut_off);
}
static void arrange_cut_off_put(void) { arrange_cut_off(doomed_put); }
static void arrange_cut_off_get(void) { arrange_cut_off(doomed_get); }
static void after_cut_off_put(void) {
    struct kill_world w = kill_world_of(details()->inside), cut_off = w;
    kill_world_cut_off(&cut_off, KILL_VICTIMS, level_of_victims(0), 1);
    possible_unless_ended(&cut_off);
    kill_possible(&w);
    kill_world_put(&w, KILL_VICTIMS, level_of_victims(0));
    kill_possible(&w);
}
static void after_cut_off_get(void) {
    struct kill_world w = kill_world_of(details()->inside);
    kill_possible(&w);
    kill_world_take(&w);
    kill_possible(&w);
    w.hand = 1;
    possible_unless_ended(&w);
}
OUTCOME(cut_off_put)
OUTCOME(cut_off_get)

/* Another process has the only record on a lease and dies; the victim, which looks for a record, brings it back and leases
 * it in the same call. */
static void doomed_lease(void) { act_lease(); }
static void arrange_doomed_lease(void) {
    arrange_recovery();
    kill_start_doomed(doomed_lease);
}
static void after_lease_again(void) {
    struct kill_world w = kill_world_of(details()->inside);
    kill_world_owe(&w, kill_world_take(&w));
    kill_possible(&w);
}
OUTCOME(lease_again)

/* A process has put a record, A has it in hand, and then the former dies: it is none of the dead one's any more. */
static int64_t survivor_peek(struct kill_message *m) {
    (void)m;
    return in_hand[0] = peek(0, &a_length, &a_level), in_hand[0] < 0 ? in_hand[0] : LF_OK;
}
static int64_t survivor_release(struct kill_message *m) { return (void)m, release(in_hand[0]); }
static void arrange_in_anothers_hand(void) {
    struct kill_message m = {.call = survivor_peek};
    kill_forget_worlds();
    if (create(starts[kill_now.seed >> 8 & 3]) != LF_OK)
        kill_breach("a queue", "it cannot be created");
    kill_attach_survivor(&kill_a);
    kill_attach_survivor(&kill_b);
    kill_now.recovering = 1;
    arm_records();
    kill_start_doomed(doomed_put);
    if (kill_ask(&kill_a, &m) != LF_OK)
        kill_breach("a record", "a peek was answered %lld", (long long)m.answer);
    kill_put_inside(details()->inside);
}
static void judge_in_anothers_hand(void) {
    struct kill_message m = {.call = survivor_release};
    struct kill_world w = kill_world_of(details()->inside);
    w.hand = 1;
    kill_possible(&w);
    if (kill_now.seed & 16) { /* it goes on, or nobody could tell an early recovery from a late one */
        kill_put(&kill_b, 0);
        kill_get(&kill_b, 0);
    }
    if (kill_ask(&kill_a, &m) != LF_OK)
        kill_breach("OK, for A has it in hand", "a release was answered %lld", (long long)m.answer);
    kill_queue_judge();
}

/* ---- killed, or stopped, while it ends the object ---- */

static int64_t act_shutdown(void) { return ending(), LF_OK; }
static int closed_for_everybody(void) {
    struct kill_message m = kill_next_put(0), get = {.call = survivor_get, .deadline = KILL_AT_LAST};
    kill_ask(&kill_a, &m);
    if (m.answer != LF_CLOSED) {
        if (kill_now.ended)
            kill_breach("CLOSED", "a put was answered %lld", (long long)m.answer);
        kill_agree_put(&kill_a, &m);
        return 0;
    }
    kill_newcomer();
    for (uint64_t n = 0; n < 3; n++) {
        get.deadline = n % 2 ? KILL_AT_LAST : 0;
        if (kill_ask(kill_turn(n), &get) != LF_CLOSED)
            kill_breach("CLOSED, since it is for A", "a get was answered %lld", (long long)get.answer);
    }
    return 1;
}
static void judge_shutdown(void) {
    after_nothing();
    if (!closed_for_everybody())
        kill_queue_judge();
}

/* ---- with the victim asleep, and woken by B ---- */

static struct kill_item arrived; /* or taken out to make room */
static void rouse_getter(void) {
    struct kill_message m = kill_next_put(0);
    if (kill_ask(&kill_b, &m) != LF_OK)
        kill_breach("room for a record", "a put was answered %lld", (long long)m.answer);
    arrived.id = (uint32_t)m.id, arrived.level = m.level;
}
static void rouse_putter(void) {
    struct kill_message m = {.call = survivor_get};
    if (kill_ask(&kill_b, &m) < 0)
        kill_breach("a record", "a get was answered %lld", (long long)m.answer);
    arrived.id = (uint32_t)m.answer, arrived.level = m.level;
}
static void after_waiting_get(void) {
    struct kill_world w = kill_world_of(0), in_hand_of_it = w;
    if (kill_now.roused) {
        in_hand_of_it.hand = 1;
        possible_unless_ended(&in_hand_of_it);
        kill_possible(&w); /* taken for good */
        kill_world_put(&w, arrived.id, arrived.level);
    }
    possible_unless_ended(&w);
}
static void after_waiting_put(void) {
    struct kill_world w = kill_world_of(CAPACITY), cut_off;
    if (kill_now.roused) {
        struct kill_item taken = kill_world_take(&w);
        if (taken.id != arrived.id)
            kill_breach("the first record", "a get gave %u, not %u", arrived.id, taken.id);
        cut_off = w;
        kill_world_cut_off(&cut_off, KILL_VICTIMS, level_of_victims(0), 1);
        possible_unless_ended(&cut_off);
        possible_unless_ended(&w);
        kill_world_put(&w, KILL_VICTIMS, level_of_victims(0));
    }
    kill_possible(&w);
}
OUTCOME(waiting_get)
OUTCOME(waiting_put)

/* ---- with A asleep in the call that the victim's call makes possible ---- */

static struct kill_message sleeper;
static int sleeper_is_back;

static void arrange_sleeping_getter(void) {
    arrange();
    struct kill_message m = {.call = survivor_get, .deadline = 60000 * KILL_MS};
    sleeper = m;
    sleeper_is_back = 0;
    kill_begin_ask(&kill_a, &sleeper);
    kill_wait_asleep(&kill_a);
}
static void arrange_sleeping_putter(void) {
    arrange();
    sleeper = kill_next_put(60000 * KILL_MS);
    sleeper.level = LEVELS - 1;
    sleeper_is_back = 0;
    kill_begin_ask(&kill_a, &sleeper);
    kill_wait_asleep(&kill_a);
}
/* What the dead took with them, a wake as well, delays a sleeper by one slice of 20 ms; or there is nothing for it. */
static int woken_by_itself(int putting) {
    uint64_t end = lf_now() + (kill_certain(putting) ? kill_now.watchdog : 30 * KILL_MS);
    for (; lf_now() < end && !kill_answered(&kill_a); kill_nap(500000))
        ;
    return kill_answered(&kill_a) || kill_certain(putting);
}
static void sleeper_back(void (*agree)(const struct kill_survivor *, const struct kill_message *)) {
    kill_end_ask(&kill_a, &sleeper);
    agree(&kill_a, &sleeper);
    sleeper_is_back = 1;
}
static void wake_getter(void) {
    struct kill_message m = kill_next_put(0);
    m.level = LEVELS - 1; /* so that it does not overtake the victim's, whichever came first */
    kill_ask(&kill_b, &m);
    kill_agree_put(&kill_b, &m);
    sleeper_back(kill_agree_get);
}
static void judge_sleeping_getter(void) {
    if (kill_now.mode != KILL_STOPPED)
        after_puts();
    if (!sleeper_is_back && (kill_now.mode == KILL_GO_ON ? kill_answered(&kill_a) : woken_by_itself(0)))
        sleeper_back(kill_agree_get);
    if (!sleeper_is_back)
        wake_getter();
    kill_queue_judge();
}
static void beside_sleeping_getter(void) {
    after_puts();
    wake_getter();
}
static void wake_putter(void) {
    kill_get(&kill_b, 0);
    sleeper_back(kill_agree_put);
}
static void judge_sleeping_putter(void) {
    if (kill_now.mode != KILL_STOPPED)
        after_gets();
    if (!sleeper_is_back && (kill_now.mode == KILL_GO_ON ? kill_answered(&kill_a) : woken_by_itself(1)))
        sleeper_back(kill_agree_put);
    if (!sleeper_is_back)
        wake_putter();
    kill_queue_judge();
}
static void beside_sleeping_putter(void) {
    after_gets();
    wake_putter();
}

/* ---- the table ---- */

#define WITH(...) (&(const struct details){__VA_ARGS__})
#define PUT(name, act, answer, ...)                                                                            \
    {name, KILL_ALL_MODES, arrange, arm_records, NULL, act, answer, beside_puts, judge_puts, WITH(__VA_ARGS__), NULL, 0}
#define GET(name, act, answer, ...)                                                                            \
    {name, KILL_ALL_MODES, arrange, NULL, NULL, act, answer, beside_gets, judge_gets, WITH(__VA_ARGS__), NULL, 0}
#define TAKEN(name, arm, act, outcome, ...)                                                                            \
    {name, KILL_ALL_MODES, arrange, arm, NULL, act, LF_OK, beside_##outcome, judge_##outcome, WITH(__VA_ARGS__), NULL, \
     0}

#if LEVELS > 1 /* four times as many instructions */
#define CUT_OFF_MODES (1u << KILL_GO_ON)
#else
#define CUT_OFF_MODES (1u << KILL_GO_ON | 1u << KILL_STOPPED)
#endif
#define CUT_OFF(name, arrange, outcome, percent)                                                                       \
    {name, CUT_OFF_MODES, arrange, NULL, kill_end_doomed, act_reap, 1, beside_##outcome, judge_##outcome,              \
     WITH(.inside = 2, .count = 1, .cut_off = percent), NULL, 0}

static const struct kill_operation operations[] = {
    PUT("put-on-empty", act_try_put, LF_OK, .count = 1),
    PUT("put-on-half", act_try_put, LF_OK, .inside = 2, .count = 1),
    PUT("put-on-last", act_try_put, LF_OK, .inside = 3, .count = 1),
    PUT("put-on-full", act_try_put, LF_FULL, .inside = 4, .count = 1),
    PUT("put-waiting-on-half", act_put, LF_OK, .inside = 2, .count = 1),
    PUT("put-waiting-in-vain", act_put_in_no_time, LF_FULL, .inside = 4, .count = 1),
    {"put-waiting-on-full", KILL_ALL_MODES, arrange, arm_records, NULL, act_put, LF_OK, beside_waiting_put,
     judge_waiting_put, WITH(.inside = 4, .count = 1), rouse_putter, 0},
    GET("get-on-empty", act_try_get, LF_EMPTY, .count = 1),
    GET("get-on-one", act_try_get, LF_OK, .inside = 1, .count = 1),
    GET("get-on-half", act_try_get, LF_OK, .inside = 2, .count = 1),
    GET("get-on-full", act_try_get, LF_OK, .inside = 4, .count = 1),
    GET("get-waiting-on-half", act_get, LF_OK, .inside = 2, .count = 1),
    GET("get-waiting-in-vain", act_get_in_no_time, LF_EMPTY, .count = 1),
    {"get-waiting-on-empty", KILL_ALL_MODES, arrange, NULL, NULL, act_get, LF_OK, beside_waiting_get, judge_waiting_get,
     WITH(.count = 1), rouse_getter, 0},
    PUT("put-many", act_put_many, 3, .inside = 1, .count = 3),
    PUT("put-many-until-full", act_put_many, 2, .inside = 2, .count = 4),
    GET("get-many", act_get_many, 3, .inside = 4, .count = 3),
    GET("get-many-until-empty", act_get_many, 2, .inside = 2, .count = 4),
    PUT("reserve-commit", act_reserve_commit, LF_OK, .inside = 2, .count = 1),
    {"commit", KILL_ALL_MODES, arrange, arm_reserve, NULL, act_commit, LF_OK, beside_puts, judge_puts,
     WITH(.inside = 2, .count = 1), NULL, 0},
    TAKEN("reserve-cancel", NULL, act_reserve_cancel, reservation, .inside = 2),
    TAKEN("peek-release", NULL, act_peek_release, peek_release, .inside = 2),
    TAKEN("lease-release", NULL, act_peek_release, peek_release, .inside = 2, .lease = LF_LEASE),
    TAKEN("lease", NULL, act_lease, lease, .inside = 2),
    TAKEN("lease-on-full", NULL, act_lease, lease, .inside = 4),
    TAKEN("release-of-lease", arm_peek, act_release, release, .inside = 2, .lease = LF_LEASE),
    TAKEN("requeue-of-lease", arm_peek, act_requeue, requeue, .inside = 2, .lease = LF_LEASE),
    TAKEN("requeue-of-peek", arm_peek, act_requeue, requeue, .inside = 2),
    {"put-to-sleeper", KILL_ALL_MODES & ~(1u << KILL_NEW), arrange_sleeping_getter, arm_records, NULL, act_try_put,
     LF_OK, beside_sleeping_getter, judge_sleeping_getter, WITH(.count = 1), NULL, 0},
    {"get-to-sleeper", KILL_ALL_MODES & ~(1u << KILL_NEW), arrange_sleeping_putter, NULL, NULL, act_try_get, LF_OK,
     beside_sleeping_putter, judge_sleeping_putter, WITH(.inside = 4, .count = 1), NULL, 0},
    {"attach", KILL_ALL_MODES, arrange, arm_attach, NULL, act_attach, LF_OK, beside_nothing, judge_nothing,
     WITH(.inside = 2), NULL, 1},
    {"after-fork", KILL_ALL_MODES, arrange, NULL, NULL, act_after_fork, LF_OK, beside_nothing, judge_nothing,
     WITH(.inside = 2), NULL, 1},
    {"detach", KILL_ALL_MODES, arrange, NULL, NULL, act_detach, LF_OK, beside_nothing, judge_nothing,
     WITH(.inside = 2), NULL, 0},
    {"detach-hands-full", KILL_ALL_MODES, arrange_recovery, arm_hands_full, NULL, act_detach, LF_OK, beside_hands_full,
     judge_hands_full, WITH(.inside = 3), NULL, 0},
    {"reap", KILL_ALL_MODES, arrange_doomed, NULL, kill_end_doomed, act_reap, 1, beside_hands_full, judge_hands_full,
     WITH(.inside = 3), NULL, 0},
    {"reap-of-parent", CUT_OFF_MODES, arrange_doomed_parent, NULL, kill_end_doomed, act_reap, 1, beside_hands_full,
     judge_hands_full, WITH(.inside = 3), NULL, 0},
    CUT_OFF("reap-of-cut-off-put-30", arrange_cut_off_put, cut_off_put, 30),
    CUT_OFF("reap-of-cut-off-put-50", arrange_cut_off_put, cut_off_put, 50),
    CUT_OFF("reap-of-cut-off-put-70", arrange_cut_off_put, cut_off_put, 70),
    CUT_OFF("reap-of-cut-off-put-85", arrange_cut_off_put, cut_off_put, 85),
    CUT_OFF("reap-of-cut-off-get-30", arrange_cut_off_get, cut_off_get, 30),
    CUT_OFF("reap-of-cut-off-get-50", arrange_cut_off_get, cut_off_get, 50),
    CUT_OFF("reap-of-cut-off-get-70", arrange_cut_off_get, cut_off_get, 70),
    CUT_OFF("reap-of-cut-off-get-85", arrange_cut_off_get, cut_off_get, 85),
    {"lease-of-what-comes-back", KILL_ALL_MODES, arrange_doomed_lease, NULL, kill_end_doomed, act_lease, LF_OK,
     beside_lease_again, judge_lease_again, WITH(.inside = 1), NULL, 0},
    {"reap-of-what-another-has", KILL_DEAD_MODES, arrange_in_anothers_hand, NULL, kill_end_doomed, act_reap, 1, NULL,
     judge_in_anothers_hand, WITH(.inside = 2, .count = 1), NULL, 0},
    {"shutdown", 1u << KILL_GO_ON, arrange, NULL, NULL, act_shutdown, LF_OK, NULL, judge_shutdown,
     WITH(.inside = 2), NULL, 0},
    {"attach-after-dead", KILL_ALL_MODES, arrange_dead, arm_attach, NULL, act_attach, LF_OK, beside_hands_full,
     judge_hands_full, WITH(.inside = 3), NULL, 1},
#if LEVELS > 1
    PUT("put-most-urgent", act_try_put, LF_OK, .inside = 3, .count = 1, .level = 0),
    PUT("put-least-urgent", act_try_put, LF_OK, .inside = 3, .count = 1, .level = LEVELS - 1),
    PUT("put-on-emptied-level", act_try_put, LF_OK, .inside = 0, .count = 1, .stale = 1),
    GET("get-past-emptied-level", act_try_get, LF_OK, .inside = 2, .count = 1, .stale = 1),
    GET("get-on-emptied-levels", act_try_get, LF_EMPTY, .count = 1, .stale = 1),
#endif
};
#define N_OPERATIONS ((int)(sizeof operations / sizeof operations[0]))

#endif
