/* slots_waiting.h: the operations in which somebody sleeps: the victim, or A beside it.
 * A part of slots.h, which includes it in its place. */
#ifndef LOCKFREE_KILL_SLOTS_WAITING_H
#define LOCKFREE_KILL_SLOTS_WAITING_H

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

#ifdef HAS_SPARES
/* ---- killed while it drains: the others are told that the object has ended, since all slots are free ---- */

static void arrange_drained(void) {
    arrange();
    draining();
}
static void judge_drained(void) {
    struct kill_message m = {.call = survivor_get, .deadline = KILL_AT_LAST};
    kill_newcomer();
    for (uint64_t n = 0; n < 3; n++)
        if (kill_ask(kill_turn(n), &m) != LF_CLOSED)
            kill_breach("CLOSED, since nothing is inside", "a get was answered %lld", (long long)m.answer);
}
#endif

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

#endif
