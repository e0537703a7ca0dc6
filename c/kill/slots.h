/* slots.h: the operations of the queues whose records live in slots, MPMC ring and priority queue.
 *
 * The file that includes this defines CAPACITY, RECORD_SIZE, LEVELS, BATCH_SHOWS_AT_ITS_END, BATCH_IN_RUNS, `object` and the calls
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

static const struct kill_queue queue = {CAPACITY, LEVELS, survivor_put, survivor_get, survivor_size, NULL, NULL};

/* ---- the operations: records 1..inside, then one call of the victim's ---- */

struct details {
    uint32_t inside;
    uint32_t count;   /* of the records in the victim's call */
    uint32_t level;   /* of the first of them; the next ones are one level less urgent each */
    uint32_t lease;   /* 0 or LF_LEASE: how it takes */
    uint32_t cut_off; /* percent of a call after which another process was cut off */
    uint32_t fronts;  /* of the priority queue: what the levels here are to it */
    uint32_t
        emptied; /* A has put a record and B taken it: its level is empty, and nobody has noticed; B has a spare slot */
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
    if (details()->emptied) {
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
static void arm_spare(void) { /* a slot that the victim freed last */
    release(reserve());
    arm_records();
}
static void arm_spare_and_peek(void) {
    arm_spare();
    in_hand[0] = peek(0, &a_length, &a_level);
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
/* LF_INTERRUPTED comes when nobody was given the processor for some slices: the caller calls again. */
static int64_t act_put(void) {
    int status;
    while ((status = put(records, lengths[0], levels[0], LF_FOREVER)) == LF_INTERRUPTED)
        ;
    return status;
}
static int64_t act_get(void) {
    int64_t length;
    while ((length = get(records, LF_FOREVER)) == LF_INTERRUPTED)
        ;
    return length >= 0 ? LF_OK : length;
}
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
static int64_t act_attach(void) { return lf_segment_attach_fd(&object.h, inherited, kill_now.subject->kind); }

/* ---- what each may leave behind ---- */

static void possible_unless_ended(const struct kill_world *w) {
    if (!kill_now.ended)
        kill_possible(w);
}

/* Of a batch some slots may be in hand, with records to come or without, in any number: `left` of them. */
static void possible_runs(const struct kill_world *w, uint32_t first, uint32_t left) {
    for (uint32_t coming = 0; BATCH_IN_RUNS && details()->count > 1 && coming <= left; coming++)
        for (uint32_t hand = 0; coming + hand <= left; hand++) {
            struct kill_world cut_off = *w;
            for (uint32_t i = first; i < first + coming; i++)
                kill_world_cut_off(&cut_off, KILL_VICTIMS + i, level_of_victims(i), coming);
            cut_off.hand = hand;
            possible_unless_ended(&cut_off);
        }
}

/* The first few records are inside, the next is under way; of a batch in runs, several are. */
static void after_puts(void) {
    struct kill_world w = kill_world_of(details()->inside), cut_off = w;
    uint32_t room = CAPACITY - w.count, n = details()->count < room ? details()->count : room;
    possible_unless_ended(&w);
    possible_runs(&w, 0, n);
    for (uint32_t i = 0; i < n; i++) {
        if (!BATCH_SHOWS_AT_ITS_END)
            cut_off = w;
        cut_off.droppable = 0;
        kill_world_cut_off(&cut_off, KILL_VICTIMS + i, level_of_victims(i), 1);
        possible_unless_ended(&cut_off);
        kill_world_put(&w, KILL_VICTIMS + i, level_of_victims(i));
        possible_runs(&w, i + 1, n - i - 1);
    }
    kill_possible(&w);
}

/* The first few records are gone, one slot may be in hand; of a batch in runs, all of them may. */
static void after_gets(void) {
    struct kill_world w = kill_world_of(details()->inside);
    uint32_t n = details()->count < w.count ? details()->count : w.count;
    for (uint32_t i = 0; i < n; i++) {
        possible_unless_ended(&w);
        kill_world_take(&w);
        struct kill_world cut_off = w;
        for (cut_off.hand = 1; cut_off.hand <= (BATCH_IN_RUNS ? i + 1 : 1); cut_off.hand++)
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

#include "slots_recovery.h"
#include "slots_waiting.h"
#ifdef HAS_TASKS
#include "tasks.h"
#else
#define TASK_OPERATIONS
#endif

/* ---- the table ---- */

#define WITH(...) (&(const struct details){__VA_ARGS__})
#define PUT(name, act, answer, ...)                                                                                    \
    {name, KILL_ALL_MODES, arrange, arm_records, NULL, act, answer, beside_puts, judge_puts, WITH(__VA_ARGS__), NULL, 0}
#define GET(name, act, answer, ...)                                                                                    \
    {name, KILL_ALL_MODES, arrange, NULL, NULL, act, answer, beside_gets, judge_gets, WITH(__VA_ARGS__), NULL, 0}
#define TAKEN(name, arm, act, outcome, ...)                                                                            \
    {name, KILL_ALL_MODES, arrange, arm, NULL, act, LF_OK, beside_##outcome, judge_##outcome, WITH(__VA_ARGS__), NULL, \
     0}

#ifdef HAS_SPARES
#define SPARES                                                                                                         \
    {"put-from-own-spare",                                                                                             \
     KILL_ALL_MODES,                                                                                                   \
     arrange,                                                                                                          \
     arm_spare,                                                                                                        \
     NULL,                                                                                                             \
     act_try_put,                                                                                                      \
     LF_OK,                                                                                                            \
     beside_puts,                                                                                                      \
     judge_puts,                                                                                                       \
     WITH(.inside = 2, .count = 1),                                                                                    \
     NULL,                                                                                                             \
     0},                                                                                                               \
        PUT("put-takes-anothers-spare", act_try_put, LF_OK, .inside = 3, .count = 1, .emptied = 1),                    \
        TAKEN("release-beside-a-spare", arm_spare_and_peek, act_release, release, .inside = 2),                        \
        {"detach-with-a-spare", KILL_ALL_MODES,    arrange_recovery,  arm_spare, NULL, act_detach, LF_OK,              \
         beside_reservation,    judge_reservation, WITH(.inside = 3), NULL,      0},                                   \
        {"reap-of-a-spare",                                                                                            \
         KILL_ALL_MODES,                                                                                               \
         arrange_doomed_spare,                                                                                         \
         NULL,                                                                                                         \
         kill_end_doomed,                                                                                              \
         act_reap,                                                                                                     \
         1,                                                                                                            \
         beside_reservation,                                                                                           \
         judge_reservation,                                                                                            \
         WITH(.inside = 3),                                                                                            \
         NULL,                                                                                                         \
         0},                                                                                                           \
        {"get-that-drains-a-spare",                                                                                    \
         KILL_DEAD_MODES,                                                                                              \
         arrange_drained,                                                                                              \
         NULL,                                                                                                         \
         NULL,                                                                                                         \
         act_try_get,                                                                                                  \
         LF_EMPTY,                                                                                                     \
         NULL,                                                                                                         \
         judge_drained,                                                                                                \
         WITH(.emptied = 1),                                                                                           \
         NULL,                                                                                                         \
         0},                                                                                                           \
        CUT_OFF("reap-of-cut-off-caller-50", arrange_cut_off_put, cut_off_put, 50, .inside = 3, .emptied = 1),         \
        CUT_OFF("reap-of-cut-off-caller-65", arrange_cut_off_put, cut_off_put, 65, .inside = 3, .emptied = 1),         \
        CUT_OFF("reap-of-cut-off-caller-75", arrange_cut_off_put, cut_off_put, 75, .inside = 3, .emptied = 1),
#else
#define SPARES
#endif
#if LEVELS > 1 /* four times as many instructions */
#define CUT_OFF_MODES (1u << KILL_GO_ON)
#else
#define CUT_OFF_MODES (1u << KILL_GO_ON | 1u << KILL_STOPPED)
#endif
#define CUT_OFF(name, arrange, outcome, percent, ...)                                                                  \
    {name,                                                                                                             \
     CUT_OFF_MODES,                                                                                                    \
     arrange,                                                                                                          \
     NULL,                                                                                                             \
     kill_end_doomed,                                                                                                  \
     act_reap,                                                                                                         \
     1,                                                                                                                \
     beside_##outcome,                                                                                                 \
     judge_##outcome,                                                                                                  \
     WITH(.count = 1, .cut_off = percent, __VA_ARGS__),                                                                \
     NULL,                                                                                                             \
     0}

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
#ifdef WITHDRAWALS
    WITHDRAWALS,
#endif
#ifdef FRONTS
    FRONTS,
#endif
    {"put-to-sleeper", KILL_ALL_MODES & ~(1u << KILL_NEW), arrange_sleeping_getter, arm_records, NULL, act_try_put,
     LF_OK, beside_sleeping_getter, judge_sleeping_getter, WITH(.count = 1), NULL, 0},
    {"get-to-sleeper", KILL_ALL_MODES & ~(1u << KILL_NEW), arrange_sleeping_putter, NULL, NULL, act_try_get, LF_OK,
     beside_sleeping_putter, judge_sleeping_putter, WITH(.inside = 4, .count = 1), NULL, 0},
    {"attach", KILL_ALL_MODES, arrange, arm_attach, NULL, act_attach, LF_OK, beside_nothing, judge_nothing,
     WITH(.inside = 2), NULL, 1},
    {"after-fork", KILL_ALL_MODES, arrange, NULL, NULL, act_after_fork, LF_OK, beside_nothing, judge_nothing,
     WITH(.inside = 2), NULL, 1},
    {"detach", KILL_ALL_MODES, arrange, NULL, NULL, act_detach, LF_OK, beside_nothing, judge_nothing, WITH(.inside = 2),
     NULL, 0},
    {"detach-hands-full", KILL_ALL_MODES, arrange_recovery, arm_hands_full, NULL, act_detach, LF_OK, beside_hands_full,
     judge_hands_full, WITH(.inside = 3), NULL, 0},
    {"reap", KILL_ALL_MODES, arrange_doomed, NULL, kill_end_doomed, act_reap, 1, beside_hands_full, judge_hands_full,
     WITH(.inside = 3), NULL, 0},
    {"reap-of-parent", CUT_OFF_MODES, arrange_doomed_parent, NULL, kill_end_doomed, act_reap, 1, beside_hands_full,
     judge_hands_full, WITH(.inside = 3), NULL, 0},
    SPARES CUT_OFF("reap-of-cut-off-put-30", arrange_cut_off_put, cut_off_put, 30, .inside = 2),
    CUT_OFF("reap-of-cut-off-put-50", arrange_cut_off_put, cut_off_put, 50, .inside = 2),
    CUT_OFF("reap-of-cut-off-put-70", arrange_cut_off_put, cut_off_put, 70, .inside = 2),
    CUT_OFF("reap-of-cut-off-put-85", arrange_cut_off_put, cut_off_put, 85, .inside = 2),
    CUT_OFF("reap-of-cut-off-get-30", arrange_cut_off_get, cut_off_get, 30, .inside = 2),
    CUT_OFF("reap-of-cut-off-get-50", arrange_cut_off_get, cut_off_get, 50, .inside = 2),
    CUT_OFF("reap-of-cut-off-get-70", arrange_cut_off_get, cut_off_get, 70, .inside = 2),
    CUT_OFF("reap-of-cut-off-get-85", arrange_cut_off_get, cut_off_get, 85, .inside = 2),
    {"lease-of-what-comes-back", KILL_ALL_MODES, arrange_doomed_lease, NULL, kill_end_doomed, act_lease, LF_OK,
     beside_lease_again, judge_lease_again, WITH(.inside = 1), NULL, 0},
    {"reap-of-what-another-has", KILL_DEAD_MODES, arrange_in_anothers_hand, NULL, kill_end_doomed, act_reap, 1, NULL,
     judge_in_anothers_hand, WITH(.inside = 2, .count = 1), NULL, 0},
    {"shutdown", 1u << KILL_GO_ON, arrange, NULL, NULL, act_shutdown, LF_OK, NULL, judge_shutdown, WITH(.inside = 2),
     NULL, 0},
    {"attach-after-dead", KILL_ALL_MODES, arrange_dead, arm_attach, NULL, act_attach, LF_OK, beside_hands_full,
     judge_hands_full, WITH(.inside = 3), NULL, 1},
    TASK_OPERATIONS
#if LEVELS > 1
        PUT("put-most-urgent", act_try_put, LF_OK, .inside = 3, .count = 1, .level = 0),
    PUT("put-least-urgent", act_try_put, LF_OK, .inside = 3, .count = 1, .level = LEVELS - 1),
    PUT("put-on-emptied-level", act_try_put, LF_OK, .inside = 0, .count = 1, .emptied = 1),
    GET("get-past-emptied-level", act_try_get, LF_OK, .inside = 2, .count = 1, .emptied = 1),
    GET("get-on-emptied-levels", act_try_get, LF_EMPTY, .count = 1, .emptied = 1),
#endif
};
#define N_OPERATIONS ((int)(sizeof operations / sizeof operations[0]))

#endif
