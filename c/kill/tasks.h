/* tasks.h: the operations of a message ring about what has been dealt with: task_done and join.
 * A part of slots.h, which includes it where HAS_TASKS is defined. One task is open, and nothing is inside. */
#ifndef LOCKFREE_KILL_TASKS_H
#define LOCKFREE_KILL_TASKS_H

static int64_t survivor_task_done(struct kill_message *m) { return (void)m, lf_message_ring_task_done(&object); }
static int64_t join_until(uint64_t deadline) {
    int64_t status;
    do
        status = lf_message_ring_join(&object, deadline);
    while (status == LF_INTERRUPTED);
    return status;
}
static int64_t survivor_join(struct kill_message *m) { return join_until(until(m->deadline)); }

static void expect_answer(struct kill_survivor *s, int64_t (*call)(struct kill_message *), uint64_t deadline,
                          int64_t wanted, const char *what) {
    struct kill_message m = {.call = call, .deadline = deadline};
    if (kill_ask(s, &m) != wanted)
        kill_breach(what, "%s was answered %lld, not %lld", s->name, (long long)m.answer, (long long)wanted);
}
static void put_and_get(struct kill_survivor *putter, struct kill_survivor *getter) {
    struct kill_message m = kill_next_put(0);
    uint64_t id = m.id;
    if (kill_ask(putter, &m) != LF_OK)
        kill_breach("room for a record", "a put was answered %lld", (long long)m.answer);
    m.call = survivor_get;
    m.deadline = 0;
    if (kill_ask(getter, &m) != (int64_t)id)
        kill_breach("the record that was put", "a get was answered %lld", (long long)m.answer);
}

static void arrange_one_task(void) {
    arrange();
    put_and_get(&kill_a, &kill_b);
}
static struct kill_message joiner;
static void send_b_to_join(void) {
    joiner = (struct kill_message){.call = survivor_join, .deadline = KILL_AT_LAST};
    kill_begin_ask(&kill_b, &joiner);
    kill_wait_asleep(&kill_b);
}

static int64_t act_task_done(void) { return lf_message_ring_task_done(&object); }
static int64_t act_join(void) { return join_until(LF_FOREVER); }
static int64_t act_join_in_no_time(void) { return join_until(until(1)); }
static void rouse_joiner(void) { expect_answer(&kill_a, survivor_task_done, 0, LF_OK, "the task is done"); }

static void tasks_as_ever(void) {
    kill_newcomer();
    for (uint64_t n = 0; n < 4; n++) {
        expect_answer(kill_turn(n), survivor_join, n % 2 ? KILL_AT_LAST : 0, LF_OK, "nothing is left to do");
        expect_answer(kill_turn(n + 1), survivor_task_done, 0, LF_OVERFLOW, "nothing is left to do");
        put_and_get(kill_turn(n), kill_turn(n + 1));
        expect_answer(kill_turn(n + 1), survivor_join, n % 2, LF_TIMEDOUT, "a task is open");
        expect_answer(kill_turn(n + 2), survivor_task_done, 0, LF_OK, "the task is done");
    }
}
/* The victim has said that the task is done, or has not. */
static void finish_the_task(void) {
    struct kill_message m = {.call = survivor_task_done};
    kill_ask(&kill_a, &m);
    if (m.answer != LF_OVERFLOW && (m.answer != LF_OK || kill_now.ended))
        kill_breach("a task that is done once", "task_done was answered %lld", (long long)m.answer);
}
static void judge_task_done(void) {
    if (kill_now.mode != KILL_STOPPED)
        finish_the_task();
    tasks_as_ever();
}
static void beside_task_done(void) { finish_the_task(); }
static void judge_task_done_to_joiner(void) {
    finish_the_task();
    if (kill_end_ask(&kill_b, &joiner) != LF_OK)
        kill_breach("a join that ends", "it was answered %lld", (long long)joiner.answer);
    tasks_as_ever();
}
static void judge_join(void) {
    expect_answer(&kill_a, survivor_task_done, 0, kill_now.roused ? LF_OVERFLOW : LF_OK, "the task is done once");
    tasks_as_ever();
}

#define TASK_OPERATIONS                                                                                                \
    {"task-done",      KILL_ALL_MODES,  arrange_one_task,  NULL, NULL, act_task_done, LF_OK,                           \
     beside_task_done, judge_task_done, WITH(.inside = 0), NULL, 0},                                                   \
        {"task-done-to-joiner",                                                                                        \
         1u << KILL_WAIT,                                                                                              \
         arrange_one_task,                                                                                             \
         NULL,                                                                                                         \
         send_b_to_join,                                                                                               \
         act_task_done,                                                                                                \
         LF_OK,                                                                                                        \
         NULL,                                                                                                         \
         judge_task_done_to_joiner,                                                                                    \
         WITH(.inside = 0),                                                                                            \
         NULL,                                                                                                         \
         0},                                                                                                           \
        {"join-in-vain", KILL_DEAD_MODES, arrange_one_task,  NULL, NULL, act_join_in_no_time, LF_TIMEDOUT,             \
         NULL,           judge_join,      WITH(.inside = 0), NULL, 0},                                                 \
        {"join-woken", KILL_DEAD_MODES, arrange_one_task,  NULL,         NULL, act_join, LF_OK,                        \
         NULL,         judge_join,      WITH(.inside = 0), rouse_joiner, 0},

#endif
