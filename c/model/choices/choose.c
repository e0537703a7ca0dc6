/* choose.c: the one function that all nondeterminism goes through. What it returned is the trail of an
 * execution; an execution is run again from its trail. 0 is always the dull choice: go on with the same
 * thread, read the newest store, store at the end of the modification order. */
#include "choices.h"

static uint64_t random_bits(void) { /* xorshift64*, Vigna 2016 */
    X.random ^= X.random >> 12;
    X.random ^= X.random << 25;
    X.random ^= X.random >> 27;
    return X.random * 0x2545F4914F6CDD1Du;
}

static int random_below(int n) { return (int)((random_bits() >> 33) % (unsigned)n); }

/* Where a token ends: what is to be chosen next, after how many events, and the threads that could go on. */
static void ask(const char *what, const int *threads, int options) {
    if (!R.options.ask || X.asked || X.replay_at < X.replay_length)
        return;
    X.asked = true;
    int events = 0;
    for (int id = 0; id < R.events; id++)
        events += R.event[id].kind != EV_INIT && R.event[id].kind != EV_RMW_WRITE;
    say("ask\t%s\t%d\t%d\t%d", what, R.current != NULL ? R.current->tid : 0, events, options);
    for (int i = 0; threads != NULL && i < options; i++)
        say("\t%d", threads[i]);
    say("\n");
}

static int next_of_replay(void) { return X.replay_at < X.replay_length ? X.replay[X.replay_at++] : 0; }

/* Depth first: the last choice that has an alternative left takes it in the next execution. */
static int bounded(int options) {
    if (X.depth == X.path_length) {
        if (X.path_length == MAX_TRAIL)
            too_large(MAX_TRAIL, "choices in one execution");
        X.path[X.path_length].taken = 0;
        X.path[X.path_length++].options = (uint16_t)options;
    }
    return X.path[X.depth++].taken;
}

bool bounded_advance(void) {
    X.path_length = X.depth < X.path_length ? X.depth : X.path_length;
    while (X.path_length > 0 && X.path[X.path_length - 1].taken + 1 == X.path[X.path_length - 1].options)
        X.path_length--;
    if (X.path_length == 0)
        return false;
    X.path[X.path_length - 1].taken++;
    return true;
}

int choose(enum choice_kind kind, int options) {
    if (options <= 1)
        return 0;
    int picked;
    switch (R.options.mode) {
    case MODE_REPLAY:
        ask(kind == CHOOSE_READ ? "read" : kind == CHOOSE_PLACE ? "place" : "value", NULL, options);
        picked = next_of_replay();
        picked = picked < options ? picked : 0;
        break;
    case MODE_BOUNDED:
        picked = bounded(options);
        break;
    default:
        if (X.turn != 0 && kind != CHOOSE_VALUE) {
            picked = 0;
            break;
        }
        /* Old values and early places are the rare ones in most programs: half of the time the dull one. */
        if (kind == CHOOSE_READ && random_bits() >> 63)
            picked = 0;
        else if (kind == CHOOSE_PLACE && random_bits() >> 61 != 0)
            picked = 0;
        else
            picked = random_below(options);
    }
    trail_add(picked);
    return picked;
}

/* Is a waiting thread to go on? Open: both are to be explored, going on first, so that it is known what
 * the loop does when its waiting is judged. */
bool choose_impatience(bool open) {
    bool impatient;
    switch (R.options.mode) {
    case MODE_EXHAUSTIVE:
        return graph_pick_impatience(open);
    case MODE_REPLAY:
        impatient = next_of_replay() != 0;
        break;
    case MODE_BOUNDED:
        impatient = bounded(open ? 2 : 1) == 0 && X.path[X.depth - 1].options == 2;
        break;
    default:
        impatient = open && random_below(2) == 1;
    }
    trail_add(impatient);
    return impatient;
}

static int position_of(const int *list, int count, int thread) {
    for (int i = 0; i < count; i++)
        if (list[i] == thread)
            return i;
    return -1;
}

/* PCT (Burckhardt, Kothari, Musuvathi, Nagarakatte: ASPLOS 2010): the runnable thread of highest priority;
 * at depth - 1 steps chosen at random the running one gets a priority below all others. */
static int by_priority(const int *list, int count, int current) {
    X.step++;
    for (int i = 0; i + 1 < R.options.depth; i++)
        if (current != 0 && X.change_at[i] == X.step)
            X.priority[current] = -1 - i;
    if (current != 0 && (R.thread[current].parked || R.thread[current].yields))
        X.priority[current] = -100 - X.step;
    int best = list[0];
    for (int i = 1; i < count; i++)
        best = X.priority[list[i]] > X.priority[best] ? list[i] : best;
    return best;
}

static void pct_start(void) {
    X.longest = X.longest > X.step ? X.longest : X.step;
    X.step = 0;
    for (int t = 1; t <= R.most_threads; t++)
        X.priority[t] = random_below(1 << 20);
    for (int i = 0; i + 1 < R.options.depth && i < MAX_CHANGES; i++)
        X.change_at[i] = 1 + random_below(X.longest > 0 ? X.longest : 32);
}

/* Some random executions are regular: some threads take turns of a few steps, the others come after them, and all read
 * the newest values. Chance alone hardly ever alternates ten times in a row. */
static void turns_start(void) {
    X.turn = random_below(8) == 0 ? 1 + random_below(8) : 0;
    X.left_of_turn = X.turn;
    X.taking_turns = (uint32_t)(random_bits() >> 32);
}

static int in_turn(const int *list, int count, int current, bool runnable) {
    if (runnable && X.left_of_turn-- > 0)
        return current;
    int next = 0;
    for (int pass = 0; pass < 2 && next == 0; pass++) /* those that take turns, then all */
        for (int i = 0; i < count; i++) {
            bool later = list[i] > current;
            if (pass == 0 && (X.taking_turns >> list[i] & 1) == 0)
                continue;
            if (next == 0 || (later && next <= current))
                next = list[i];
        }
    X.left_of_turn = X.turn - (R.thread[next].steps > 0); /* a thread that has begun has chosen its next step already */
    return next;
}

/* One of the first `open` threads of the list; of the others only where an execution is run again. 0: nobody. */
int choose_thread(const int *list, int open, int count, int current) {
    bool certain = count == 1 && open == 1;
    if (R.options.mode == MODE_EXHAUSTIVE) {
        int wanted = graph_thread(list, open, count);
        if (!certain && wanted != 0)
            trail_add(wanted);
        return wanted;
    }
    if (certain)
        return list[0];
    int at = position_of(list, open, current);
    if (at >= 0 && R.thread[current].yields && R.options.mode != MODE_REPLAY)
        at = -1;
    int picked = list[0];
    switch (R.options.mode) {
    case MODE_REPLAY:
        ask("thread", list, count);
        picked = next_of_replay();
        if (position_of(list, count, picked) < 0)
            picked = open == 0 ? 0 : at >= 0 ? current : list[0];
        if (picked == 0)
            return 0;
        break;
    case MODE_BOUNDED: {
        bool forced = at >= 0 && X.preemptions_left == 0;
        int choice = forced ? 0 : bounded(count);
        if (at >= 0) { /* the running thread is choice 0 */
            picked = choice == 0 ? current : list[choice <= at ? choice - 1 : choice];
            X.preemptions_left -= choice != 0;
        } else {
            picked = list[choice];
        }
        break;
    }
    case MODE_PCT:
        picked = by_priority(list, count, current);
        break;
    default:
        if (X.turn != 0)
            picked = in_turn(list, count, current, at >= 0);
        else
            picked = at >= 0 && random_bits() >> 62 != 0 ? current : list[random_below(count)];
    }
    trail_add(picked);
    return picked;
}

void choices_start(void) {
    X.depth = 0;
    X.replay_at = 0;
    X.asked = false;
    X.preemptions_left = R.options.preemptions;
    if (R.options.mode == MODE_PCT)
        pct_start();
    if (R.options.mode == MODE_RANDOM)
        turns_start();
}
