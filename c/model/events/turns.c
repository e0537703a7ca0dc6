/* turns.c: turns of a loop that change nothing, known for certain.
 *
 * A thread that comes to a read in the state in which it came there before (registers, stack, calls, and the arguments
 * of this one) has gone round a loop. If all that it wrote since is as it was, the turn changed nothing that the thread or others could go by, but
 * for what others may have seen in between. Then the same execution without the turn is possible, too: its events can
 * be taken out of the graph, and a thread that read the last store of the turn reads the equal one before it. So in the
 * exhaustive search the thread ends here, unless others see in between: whatever can come next comes in an execution
 * in which it reads something else in this turn already. In the other searches it waits for a store.
 *
 * Others may also see the turn late: by a load that finds what the thread stored after the loop, and then an old value
 * from the turn. That takes a load that reads from another thread without coming after its store (relaxed). Where the
 * program has such loads, a turn that stores for a moment what others may look at is followed OPEN_TURNS times, or
 * --spins times, before the thread ends there, and the first is no search through every execution. A lock that a turn
 * takes and gives back is not such a store: see first_to_leave_out. What two threads see of each other's turns is the
 * matter of seen.c; if they turn for each other all the same, they end after SEEN_TURNS, and not everything was seen.
 *
 * A loop that counts, sums up or stores something new has no such turn, and is followed turn by turn. */
#include "turns.h"
#include "entry.h"

#include <string.h>

enum {
    ARRIVALS = 1 << 10,
    WRITES = 256,
    READINGS = 8,
    OPEN_TURNS = 3,
    SEEN_TURNS = 8,
    PLACES = 64,
    MOST_COMPARED = 64
};

struct arrival {
    uint64_t state;
    uint32_t generation;
    int32_t event;     /* how many the thread had made */
    int writes, turns; /* that changed nothing, from here to here */
    uint32_t looks;    /* at plain memory of others */
};

struct write { /* to memory of all, not atomic */
    uintptr_t address;
    uint8_t size;
    unsigned char before[16];
};

MODEL_STATE struct entry lf_model_entry;
MODEL_STATE static struct {
    struct arrival arrival[ARRIVALS];
    struct write write[WRITES];
    uint32_t generation;
    int writes;
    uint64_t state; /* in which it has come to the read that is next; 0: not known */
    struct reading {
        uint64_t state; /* before it */
        int32_t event;
        int writes;      /* to plain memory that were made before */
    } reading[READINGS]; /* one after another, and only such writes between them */
    int readings;
    uint32_t of_generation; /* when the last of them was noted */
    bool in_vain;
} known[MAX_THREADS];

/* The registers that a call keeps, the stack and the arguments of the thread that has just called. */
static uint64_t own_state(const struct thread *t, uint64_t place, uint64_t arguments) {
    uint64_t a = mixed(mixed(place, lf_model_entry.stack), arguments), b = ~a, c = a >> 7, d = b >> 7;
    for (int i = 0; i < KEPT_REGISTERS; i++)
        a = mixed(a ^ a >> 29, lf_model_entry.kept[i]);
    const uint64_t *at = (const uint64_t *)lf_model_entry.stack, *end = stack_top(t);
    for (; at + 4 <= end; at += 4) {
        a = mixed(a ^ a >> 29, at[0]);
        b = mixed(b ^ b >> 29, at[1]);
        c = mixed(c ^ c >> 29, at[2]);
        d = mixed(d ^ d >> 29, at[3]);
    }
    for (; at < end; at++)
        a = mixed(a ^ a >> 29, *at);
    a = mixed(mixed(a, b >> 31 | b << 33), mixed(c, d >> 31 | d << 33) >> 17);
    return a ^ a >> 32;
}

/* What the thread did since its last turns is more than the runtime could undo, or no turn of a waiting loop. */
void turns_forget(struct thread *t) {
    if (t == NULL) /* between executions */
        return;
    known[t->tid].generation++;
    known[t->tid].writes = 0;
}

/* Before a plain write to memory that others could see. */
void turns_note_write(struct thread *t, uintptr_t address, size_t size) {
    if (stack_owner(address) == t) /* part of the thread's own state */
        return;
    struct write *log = known[t->tid].write;
    if (size > sizeof log->before || known[t->tid].writes == WRITES) {
        turns_forget(t);
        return;
    }
    struct write *write = &log[known[t->tid].writes++];
    write->address = address;
    write->size = (uint8_t)size;
    memcpy(write->before, (const void *)address, size);
}

/* Bytes of memory as a number. */
static uint64_t content(uintptr_t address, size_t size) {
    uint64_t sum = mixed(address, size);
    for (size_t i = 0; i < size; i++)
        sum = mixed(sum ^ sum >> 29, ((const unsigned char *)address)[i] + 1);
    return sum ^ sum >> 32;
}

/* A plain read of memory that others could have written: they may race with it later, so it cannot be left out. */
void turns_note_look(const struct thread *t, uintptr_t address) {
    if (stack_owner(address) != t)
        known[t->tid].readings = 0;
}

/* What the thread has written since then, whatever came in between: where, and what is there now. */
static void effect(const struct thread *t, int from, struct way *way) {
    way->written = way->places = 0;
    for (int i = from; i < known[t->tid].writes; i++) {
        const struct write *write = &known[t->tid].write[i];
        bool again = false;
        for (int j = from; j < i && !again; j++)
            again = known[t->tid].write[j].address == write->address && known[t->tid].write[j].size == write->size;
        if (again)
            continue;
        way->written += content(write->address, write->size);
        way->places += mixed(mixed(write->address, write->size), 1);
    }
}

static bool writes_undone(const struct thread *t, int from) {
    for (int i = from; i < known[t->tid].writes; i++) {
        const struct write *write = &known[t->tid].write[i];
        bool again = false; /* only what was there before its first write counts */
        for (int j = from; j < i && !again; j++)
            again = known[t->tid].write[j].address == write->address && known[t->tid].write[j].size == write->size;
        if (!again && memcmp(write->before, (const void *)write->address, write->size) != 0)
            return false;
    }
    return true;
}

MODEL_STATE static bool reads_late, tries_locks, left_out; /* in any execution of this search */
MODEL_STATE static bool turns_store, given_up;
MODEL_STATE static uint64_t places[PLACES];

/* What makes turns that store visible later; those that have been left out before are to be looked at again. */
static void note(bool *what) {
    if (*what)
        return;
    *what = true;
    if (left_out && R.options.mode == MODE_EXHAUSTIVE) {
        left_out = false;
        leave_run(RUN_AGAIN);
    }
}

/* A turn that changed nothing, and stored: such a store is no news to others. Executions that were given up for news may
 * have been given up for that. */
static void note_stores(const struct thread *t) {
    for (int32_t i = t->turn_from; i < t->turn_to && !turns_store; i++)
        turns_store = is_atomic_store(event_of(t, i));
    if (turns_store && given_up && R.options.mode == MODE_EXHAUSTIVE) {
        given_up = false;
        leave_run(RUN_AGAIN);
    }
}

/* The thread ends after a turn whose last read has found an old value for good. There are news for it whatever comes, so
 * the execution would be dropped in the end. What the others do in it they do in the one in which that read found the
 * newest value, too. */
bool turn_is_to_be_dropped(const struct thread *t) {
    const struct event *last = event_of(t, t->events - 1);
    if (turns_store || t->gave_up_turning || t->turn_to != t->events || last->kind != EV_LOAD || last->doing != NULL)
        return false;
    given_up = true;
    return true;
}

/* Of each load. A thread that waits for a lock is told by the same load that it has it, and then comes after. */
void turns_note_read(const struct thread *t, const struct event *read) {
    const struct event *store = &R.event[read->rf];
    bool tries = tries_to_take(read);
    if (tries)
        note(&tries_locks);
    bool waits = read->doing != NULL && !tries && read->kind == EV_LOAD;
    if (store->kind != EV_INIT && store->tid != t->tid && !waits && !clk_has(&t->hb, store))
        note(&reads_late);
}

/* The number of the first turn that may be left out, among those that store for a moment what others could still find when
 * they know that it is over. One turn before it is enough where nothing is stored but that a lock is taken: a thread
 * that finds that late has tried to take it, without success, and learns no more from one turn than from another, so
 * the last one does for all. */
static int first_to_leave_out(const struct thread *t) {
    int first = 1;
    for (int32_t i = t->turn_from; reads_late && i < t->turn_to; i++) {
        const struct event *w = event_of(t, i);
        if (!is_atomic_store(w) || w->value == before_turn(w))
            continue;
        if (w->doing == NULL)
            return OPEN_TURNS;
        if (tries_locks)
            first = 2;
    }
    return first;
}

static void note_place(uint64_t pc) {
    for (int i = 0; i < PLACES; i++) {
        if (places[i] == 0)
            places[i] = pc;
        if (places[i] == pc)
            return;
    }
}

void print_open_loops(void) {
    for (int i = 0; i < PLACES && places[i] != 0; i++)
        say("open\t%lx\t%d\n", (unsigned long)places[i], OPEN_TURNS);
}

/* Is the thread to end here? Two that see each other's turns could go on for ever: after SEEN_TURNS it ends all the same. */
static bool to_be_left_out(struct thread *t, int turns, uint64_t pc) {
    if (!R.graph_rules)
        return true;
    int most = R.client->spins > 0 ? R.client->spins : R.options.spins;
    t->gave_up_turning = turns >= (most > SEEN_TURNS ? most : SEEN_TURNS) && turn_stores(t);
    if (t->gave_up_turning) {
        note_place(pc);
        R.cut_short |= most == 0;
        return true;
    }
    int first = first_to_leave_out(t);
    bool open = first == OPEN_TURNS;
    if (turns < (open && most > 0 ? most : first))
        return false;
    if (open) {
        note_place(pc);
        R.cut_short |= most == 0;
    }
    left_out |= turn_stores(t);
    return true;
}

/* A turn of one read, whose end depends on nothing else than its thread's state and the value: with that value the thread
 * waits. That is remembered for all executions, so that the thread can let others go first. */
static void learn(const struct thread *t, const struct arrival *before, uint64_t state) {
    const struct event *read = event_of(t, t->turn_from);
    if (t->turn_to - t->turn_from == 1 && read->kind == EV_LOAD && before->looks == t->looks &&
        before->writes == known[t->tid].writes)
        vain_learn(state, read->value);
}

/* Would the first of two reads of an object, if it found what the second has found, do for both? */
static bool does_for(const struct event *first, const struct event *second) {
    return first->loc == second->loc && first->offset == second->offset && first->size == second->size &&
           (!acquires(first->order) || acquires(second->order)) && (!first->sc || second->sc);
}

/* A loop that tries again looks at an object, tries to exchange it, fails, and looks again. If the thread is now in the
 * state in which an earlier one of these reads would have brought it with the value found last, then the same execution
 * without the reads from there on is possible, too, and is explored. What it wrote to plain memory since that earlier
 * read must be what it would have written then: nobody has seen the rest, since it has stored nothing. */
static void note_reading(struct thread *t, uint64_t state) {
    struct reading *reading = known[t->tid].reading;
    int n = known[t->tid].readings;
    bool goes_on = n > 0 && reading[n - 1].event + 1 == t->events &&
                   known[t->tid].of_generation == known[t->tid].generation &&
                   known[t->tid].writes - reading[0].writes <= MOST_COMPARED &&
                   event_of(t, reading[n - 1].event)->kind == EV_LOAD;
    known[t->tid].in_vain = false;
    if (goes_on) {
        const struct event *last = event_of(t, reading[n - 1].event);
        struct way way = {.to = state};
        effect(t, reading[n - 1].writes, &way);
        step_learn(reading[n - 1].state, last->value, way);
        for (int i = n - 2; i >= 0 && !known[t->tid].in_vain; i--) {
            effect(t, reading[i].writes, &way);
            known[t->tid].in_vain = does_for(event_of(t, reading[i].event), last) &&
                                    same_way(step_from(reading[i].state, last->value), way);
        }
    }
    if (!goes_on)
        n = 0;
    if (n == READINGS)
        memmove(reading, reading + 1, (size_t)--n * sizeof *reading);
    reading[n] = (struct reading){state, t->events, known[t->tid].writes};
    known[t->tid].readings = n + 1;
    known[t->tid].of_generation = known[t->tid].generation;
}

/* Is it known that the thread would be where it is without its last reads, if the read that it has come to found this value?
 * Such a read need not be tried. */
bool turns_would_be_in_vain(const struct thread *t, const struct loc *loc, u128 value, int order) {
    const struct reading *reading = known[t->tid].reading;
    const int last = known[t->tid].readings - 1;
    if (last < 1 || reading[last].event != t->events)
        return false;
    const struct way *way = step_from(reading[last].state, value);
    if (way == NULL)
        return false;
    for (int i = 0; i < last; i++) {
        const struct event *first = event_of(t, reading[i].event);
        bool same = first->loc == loc && first->size == loc->size && (!acquires(first->order) || acquires(order)) &&
                    (!first->sc || order == SEQ_CST);
        struct way until;
        effect(t, reading[i].writes, &until);
        if (same && (until.places == 0 || until.places == way->places) &&
            same_way(step_from(reading[i].state, value), *way))
            return true;
    }
    return false;
}

/* Is the thread where it would be without its last reads? */
bool turns_were_in_vain(const struct thread *t) { return known[t->tid].in_vain; }

/* Before a read of a thread that may have waited there in another execution. */
void turns_hope(struct thread *t, uintptr_t address) {
    uint64_t state = known[t->tid].state;
    known[t->tid].state = 0;
    t->tries_again = false;
    for (int i = 0; i < known[t->tid].readings - 1 && !t->tries_again; i++)
        t->tries_again = event_of(t, known[t->tid].reading[i].event)->loc->address == address;
    t->hopes_at = address;
    if (!R.graph_rules || state == 0 || !vain_is_known(state))
        return;
    t->hopes_at = address;
    t->hopes_for = vain_is_not;
    t->hopes_with = state;
}

/* Called when the client comes to a read, before anything else: has it made a useless turn? */
bool turns_arrive(struct thread *t, uint64_t arguments, uint64_t pc) {
    known[t->tid].in_vain = false;
    if (lf_model_entry.stack == 0 || R.options.no_turns || R.options.mode != MODE_EXHAUSTIVE)
        known[t->tid].readings = 0; /* they may be of another execution, which had other events */
    if (lf_model_entry.stack == 0 || R.options.no_turns)
        return false;
    uint64_t state = own_state(t, place_of(t, pc), arguments);
    lf_model_entry.stack = 0;
    struct arrival *arrival = &known[t->tid].arrival[state % ARRIVALS];
    bool again = arrival->generation == known[t->tid].generation && arrival->state == state;
    t->turn_from = again ? arrival->event : t->events;
    t->turn_to = t->events;
    bool useless = again && t->turn_from != t->turn_to && writes_undone(t, arrival->writes) && turn_undoes_itself(t);
    int turns = useless ? arrival->turns + 1 : 0;
    if (useless) {
        note_stores(t);
        turn_made(t);
    }
    if (useless && R.graph_rules)
        learn(t, arrival, state);
    if (R.options.mode == MODE_EXHAUSTIVE)
        note_reading(t, state);
    known[t->tid].state = state;
    *arrival = (struct arrival){state, known[t->tid].generation, t->events, known[t->tid].writes, turns, t->looks};
    if (!useless || !to_be_left_out(t, turns, pc)) {
        t->turn_from = t->turn_to = 0;
        return false;
    }
    return true;
}
