/* slots_recovery.h: the operations in which one process recovers what another has left.
 * A part of slots.h, which includes it in its place. */
#ifndef LOCKFREE_KILL_SLOTS_RECOVERY_H
#define LOCKFREE_KILL_SLOTS_RECOVERY_H

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
static void arrange_doomed_spare(void) {
    arrange_recovery();
    kill_start_doomed(arm_spare);
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

#endif
