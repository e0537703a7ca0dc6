/* loops.c: loops that a client or --spins bounds, and where threads may change while they wait.
 *
 * Turns that certainly change nothing are the matter of turns.c. Here a loop is taken to wait because its turns look
 * at the same places and find the same values, although it may count or sum up: one that pauses is known by its
 * pauses; one that does not, by its reads: the same places on the same path of calls, again and again. In the searches
 * that follow schedules, the others then get their chance. The exhaustive search follows such a loop turn by turn,
 * unless it has a bound, `spins`. After so many turns (four more without a pause) it branches:
 *
 *   impatient  the thread goes on with the same values until the loop gives up, which ends the impatience.
 *              One that has not given up after IMPATIENT_READS more reads waits for ever: that is remembered,
 *              and the loop not followed again.
 *   patient    the thread waits for news: it is blocked for this execution, since each store that is news to it
 *              starts an execution of its own in which it reads that store at once.
 *
 * At the end, an execution is dropped as unfair if a thread waits although a newer store exists, or waits
 * patiently in a loop that gives up: another execution shows what it does then. If nobody has news to come
 * for those that are left, they wait for ever: a deadlock. */
#include "steps.h"

#include <string.h>

enum { LOOPS = 512, IMPATIENT_READS = 100000, TURNS_WITHOUT_PAUSE = 4 };
MODEL_STATE static struct loop loops[LOOPS];
MODEL_STATE static struct loop one_too_many; /* the table is full: each of the others is followed every time */

/* 0: every turn that changes something is followed. */
static int bound(void) { return R.client->spins > 0 ? R.client->spins : R.options.spins; }
static bool bounded(void) { return R.graph_rules && bound() > 0; }
static int allowed_turns(void) { return bounded() ? bound() : 1; }

/* The same thread, on the same path of calls, finding the same values at the same places. */
static struct loop *loop_of(const struct thread *t, uint64_t pc) {
    uint64_t key = place_of(t, pc) * 31 + t->tid;
    for (int i = 0; i < t->now.reads; i++) {
        const struct read_at *read = &t->now.entry[i];
        key = (key ^ read->place) * 0x9E3779B97F4A7C15u;
        key = (key ^ read->loc->address ^ (uint64_t)read->value) * 0x9E3779B97F4A7C15u;
        key ^= key >> 29;
    }
    key |= 1;
    unsigned slot = (unsigned)(key >> 40);
    for (int i = 0; i < LOOPS; i++, slot++) {
        struct loop *loop = &loops[slot % LOOPS];
        if (loop->key == 0)
            *loop = (struct loop){key, pc, NOT_KNOWN};
        if (loop->key == key)
            return loop;
    }
    return &one_too_many;
}

/* After enough useless turns: is the thread to go on all the same? `period` reads make a turn, 0: those
 * between two pauses. */
static bool goes_on(struct thread *t, int period, uint64_t pc) {
    if (t->impatient) {
        if (t->impatient_reads < IMPATIENT_READS)
            return true;
        if (t->loop->fate == GIVES_UP || t->loop == &one_too_many)
            leave_run(RUN_BOUND); /* it did when something else was different */
        t->loop->fate = WAITS_FOR_EVER;
        leave_run(RUN_CUT); /* the patient sibling is still to be explored */
    }
    struct loop *loop = loop_of(t, pc);
    t->impatient = model_choose_impatience(loop->fate != WAITS_FOR_EVER, pc);
    t->impatient_reads = 0;
    t->period = period;
    t->loop = loop;
    t->patient = !t->impatient;
    return t->impatient;
}

/* The thread has made a turn that changed nothing. */
static void wait_after_turn(struct thread *t) {
    if (graph_is_new() && graph_is_settled(t) && turn_is_to_be_dropped(t))
        leave_run(RUN_CUT);
    t->ended_by_turn = true;
    if (R.graph_rules) {
        t->blocked = true;
    } else if (turn_has_news(t)) {
        t->must_read_newest = true; /* a store becomes visible in the end */
    } else {
        t->parked = true;
        t->parked_at = R.stores_made;
    }
    go_on();
    t->blocked = t->ended_by_turn = t->gave_up_turning = false;
    t->turn_from = t->turn_to = 0;
}

/* It may be a waiting loop, or one that counts: others get their chance, and the loop goes on. A random search lets it
 * now and then go on alone for a while: a loop that gives up late would hardly ever come to that. */
static void yield(struct thread *t) {
    if (t->alone_for > 0)
        return;
    int pick = 0;
    if (R.options.mode == MODE_BOUNDED)
        trail_add(0);
    else
        pick = choose(CHOOSE_VALUE, 16);
    if (pick >= 8) {
        t->alone_for = 1 << 2 * (pick - 8);
        return;
    }
    t->yields = true;
    go_on();
    t->yields = false;
}

/* After so many plain reads without a step the thread may be in a loop that waits for what others write. That is a race,
 * but nobody sees it while they do not run: so they go first. The watchdog takes that for no step. */
void let_others_write(uint64_t pc) {
    struct thread *t = R.current;
    const uint8_t lenient = t->lenient;
    const int before = R.heartbeat;
    const bool hidden = t->behind_scenes;
    t->yields = t->behind_scenes = true;
    model_mark(pc);
    t->yields = false;
    t->behind_scenes = hidden;
    t->lenient = (uint8_t)(lenient + 1);
    if (R.heartbeat == before + 1)
        R.heartbeat = before;
}

void lf_model_pause(void) { pause_at(PC); }

void pause_at(uint64_t pc) {
    if (!R.running)
        return;
    struct thread *t = R.current;
    t->paused_at = pc;
    t->pauses++;
    bool useless = same_iteration(&t->now, &t->before);
    t->useless_turns = useless ? t->useless_turns + 1 : 0;
    bool hard = t->useless_turns >= allowed_turns();
    if (!useless)
        end_impatience(t, true);
    if (!bounded()) {
        if (!R.graph_rules && hard)
            yield(t);
        else if (!R.graph_rules)
            go_on();
        start_iteration(t);
        return;
    }
    if (hard && goes_on(t, 0, pc)) {
        t->impatient_reads += t->now.reads == 0; /* a turn need not read */
        start_iteration(t);
        return;
    }
    if (hard)
        block_current();
    start_iteration(t);
}

static bool repeats(const struct iteration *now, int period, int times, uintptr_t address, uint64_t place) {
    int first = now->reads - period * times;
    if (first < 0)
        return false;
    const struct read_at *next = &now->entry[now->reads - period];
    if (next->place != place || address - next->loc->address >= next->loc->size)
        return false;
    for (int i = first; i + period < now->reads; i++)
        if (!same_read(&now->entry[i], &now->entry[i + period]))
            return false;
    return true;
}

/* Called before a read: if the thread has turned like this often enough without a pause, it waits. `arguments` are those
 * of the call, mixed. */
void spin_check(uintptr_t address, uint64_t arguments, uint64_t pc) {
    struct thread *t = R.current;
    if (!R.running || t == NULL)
        return;
    if (turns_arrive(t, arguments, pc))
        wait_after_turn(t);
    else if (turns_were_in_vain(t) && graph_is_new())
        lf_model_assume(0);
    turns_hope(t, address);
    if (R.graph_rules && !bounded())
        return;
    struct iteration *now = &t->now;
    int times = TURNS_WITHOUT_PAUSE + allowed_turns();
    uint64_t place = place_of(t, pc);
    for (int period = 1; period <= 4; period++) {
        if (!repeats(now, period, times, address, place))
            continue;
        if (!bounded()) {
            yield(t);
            return;
        }
        if (goes_on(t, period, pc))
            return;
        memmove(now->entry, now->entry + now->reads - period, (size_t)period * sizeof *now->entry);
        now->reads = period;
        block_current();
        return;
    }
}

/* For the verdict: loops that were left out beyond their first useless turns. */
void print_loops(void) {
    for (int i = 0; i < LOOPS; i++) {
        bool again = false;
        for (int j = 0; j < i; j++)
            again |= loops[j].fate == loops[i].fate && loops[j].pc == loops[i].pc;
        if (loops[i].fate != NOT_KNOWN && !again)
            say("loop\t%lx\t%d\n", (unsigned long)loops[i].pc, loops[i].fate == WAITS_FOR_EVER ? IMPATIENT_READS : 0);
    }
}
