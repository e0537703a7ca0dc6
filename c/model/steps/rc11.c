/* rc11.c: the events of RC11: what a load may see, where a store may go. */
#include "rc11.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Of virtual memory: what is not used costs nothing. */
static void *room_for(size_t bytes) {
    void *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) {
        say("unusable\tno room for %zu MB of virtual memory\n", bytes >> 20);
        end_checker(3);
    }
    return room;
}

void memory_start(void) {
    R.event = room_for(MAX_EVENTS * sizeof *R.event);
    R.by_thread = room_for(MAX_THREADS * sizeof *R.by_thread);
    R.sc_list = room_for(MAX_THREADS * sizeof *R.sc_list);
}

void memory_reset(void) {
    R.events = 0;
    R.any_sc = R.any_light = R.any_heavy = false;
    R.stores_made = 0;
    locations_reset();
    seen_reset();
}

u128 low_bytes(u128 value, unsigned size) { return size == 16 ? value : value & (((u128)1 << (8 * size)) - 1); }

u128 part_of(u128 whole, const struct loc *loc, unsigned offset, unsigned size) {
    return size == loc->size ? whole : low_bytes(whole >> (8 * offset), size);
}

u128 merged(u128 whole, const struct loc *loc, unsigned offset, unsigned size, u128 value) {
    if (size == loc->size)
        return value;
    u128 mask = low_bytes(~(u128)0, size) << (8 * offset);
    return (whole & ~mask) | (value << (8 * offset) & mask);
}

static bool is_written(uintptr_t address, unsigned size) {
    return heap_contains(address) ? heap_is_written(address, size) : stack_is_written(address, size);
}

/* An event that belongs to no thread's order: what a location held before. */
static void materialise(struct loc *loc, bool written) {
    struct event *e = &R.event[R.events];
    memset(e, 0, sizeof *e);
    e->kind = EV_INIT;
    e->loc = loc;
    e->size = loc->size;
    e->tid = loc->plain_tid;
    e->idx = loc->plain_epoch;
    e->plain = loc->plain_tid != 0;
    e->pseudo = loc->pseudo_stores++;
    e->first_reader = e->rf = NO_EVENT;
    e->op = -1;
    e->value = loc->imaginary ? 0 : memory_get(loc->address, loc->size);
    e->uninitialised = !written;
    if (loc->capacity == 0) {
        loc->capacity = 16;
        loc->store = malloc(16 * sizeof *loc->store);
    }
    loc->store[0] = R.events++;
    loc->stores = 1;
    loc->plain_pending = false;
    for (int t = 0; t < MAX_THREADS; t++)
        loc->own_release[t] = NO_EVENT;
}

bool made_directly(uintptr_t address, unsigned size, bool only_writes, uint64_t pc) {
    if (!R.running)
        heap_check(address, size, only_writes, pc);
    return !R.running;
}

struct loc *object_at(uintptr_t address, unsigned size, enum access access, uint64_t pc) {
    bool imaginary = is_imaginary(address), written = imaginary || is_written(address, size);
    if (access == CHANGES)
        heap_check(address, size, false, pc);
    if (!imaginary)
        atomic_access(address, size, access == WRITES || access == CHANGES, pc);
    struct loc *loc = location_at(address, size);
    loc->imaginary = imaginary;
    if (loc->plain_pending)
        materialise(loc, written);
    if (R.events + 4 >= MAX_EVENTS)
        too_large(MAX_EVENTS, "steps in one execution");
    return loc;
}

struct event *event_new(enum event_kind kind, int order, struct loc *loc, uint64_t pc) {
    struct thread *t = R.current;
    struct event *e = &R.event[R.events];
    const size_t clocks = offsetof(struct event, pc); /* they are large, and set below or where they are needed */
    memset((char *)e + clocks, 0, sizeof *e - clocks);
    e->value = 0;
    e->kind = (uint8_t)kind;
    e->order = (uint8_t)order;
    e->tid = t->tid;
    e->loc = loc;
    e->pc = pc;
    e->near = outside_library(t, pc);
    if (e->near == pc)
        e->near = t->here;
    e->first_reader = e->next_reader = e->rf = NO_EVENT;
    e->op = t->op;
    e->doing = t->doing;
    e->hidden = t->behind_scenes;
    e->impatient = t->impatient;
    e->idx = t->events++;
    if (t->events >= MAX_THREAD_EVENTS)
        too_large(MAX_THREAD_EVENTS, "steps in one thread");
    R.by_thread[t->tid][e->idx] = R.events++;
    t->hb.of[t->tid] = t->events;
    t->porf.of[t->tid] = t->events;
    e->hb = t->hb;
    e->porf = t->porf;
    e->last_fence = t->last_fence;
    e->sc = order == SEQ_CST && kind != EV_CHOICE;
    e->before_run = t->last_access;
    if (kind != EV_CHOICE) {
        const struct event *last = t->last_access < 0 ? NULL : &R.event[R.by_thread[t->tid][t->last_access]];
        if (last != NULL && last->loc == loc)
            e->before_run = last->before_run;
        t->last_access = e->idx;
    }
    if (R.options.positions)
        note_position(pc);
    return e;
}

static bool read_by_rmw(const struct loc *loc, int position) {
    return position + 1 < loc->stores && R.event[loc->store[position + 1]].kind == EV_RMW_WRITE;
}

static bool rmw_is_before(const struct loc *loc, int position, const clk *porf) {
    return clk_has(porf, &R.event[loc->store[position + 1]]);
}

static clk clock_after_reading(const struct thread *t, const struct event *store, int order) {
    clk hb = t->hb;
    hb.of[t->tid] = t->events + 1;
    if (acquires(order))
        clk_join(&hb, &store->release);
    return hb;
}

/* An impatient thread reads what it read in its last turn, if it is there. In a branch that is built again
 * that has been decided. */
static int as_last_turn(const struct loc *loc, int *candidate, bool *conflicting, int count, uint64_t pc) {
    struct thread *t = R.current;
    u128 value;
    if (!t->impatient)
        return count;
    if (!seen_last_turn(t, loc, pc, &value)) {
        end_impatience(t, true);
        return count;
    }
    t->impatient_reads++;
    for (int i = count - 1; i >= 0; i--) /* the oldest: that one itself, or what the thread made of it */
        if (!conflicting[i] && R.event[loc->store[candidate[i]]].value == value) {
            candidate[0] = candidate[i];
            conflicting[0] = false;
            return 1;
        }
    end_impatience(t, false);
    return count;
}

/* Adds a read: of EV_LOAD kind, or the read part of a read-modify-write where `writes` says so for the
 * value. Returns the event. If another read-modify-write reads a store already, this one does not: but the search looks at
 * what the write part would revisit. */
int read_event(struct loc *loc, int order, int failure_order, writes_function writes, const void *data, bool *is_rmw,
               uint64_t pc) {
    struct thread *t = R.current;
    int candidate[MAX_CANDIDATES], count = 0;
    bool conflicting[MAX_CANDIDATES];
    int low = coherence_bound(loc, &t->hb);
    if (t->must_read_newest)
        low = loc->stores - 1;
    for (int i = loc->stores - 1; i >= low && count < MAX_CANDIDATES; i--) {
        const struct event *store = &R.event[loc->store[i]];
        if (store->impatient && store->tid != t->tid && i + 1 < loc->stores && R.event[loc->store[i + 1]].impatient)
            continue; /* one like the next */
        bool rmw = writes != NULL && writes(loc, store->value, data);
        int o = rmw || writes == NULL ? order : failure_order;
        conflicting[count] = false;
        if (rmw && read_by_rmw(loc, i)) {
            if (R.options.mode != MODE_EXHAUSTIVE || rmw_is_before(loc, i, &t->porf))
                continue;
            conflicting[count] = true;
        }
        if (i < loc->stores - 1 && !rmw && graph_is_new() && turns_would_be_in_vain(t, loc, store->value, o))
            continue;
        if (i < loc->stores - 1) {
            clk hb = clock_after_reading(t, store, o);
            if (!sc_allows_read(loc, i, o == SEQ_CST, &hb) || !asymmetric_allows(loc, i + 1, &hb))
                continue;
        }
        candidate[count++] = i;
    }
    count = as_last_turn(loc, candidate, conflicting, count, pc);
    int position = R.options.mode == MODE_EXHAUSTIVE ? graph_pick_read(loc, candidate, conflicting, count)
                                                     : candidate[choose(CHOOSE_READ, count)];
    int store_id = loc->store[position];
    struct event *store = &R.event[store_id];
    *is_rmw = writes != NULL && writes(loc, store->value, data);
    int o = *is_rmw || writes == NULL ? order : failure_order;

    int id = R.events;
    struct event *e = event_new(*is_rmw ? EV_RMW_READ : EV_LOAD, o, loc, pc);
    e->value = store->value;
    e->rf = store_id;
    e->picked = loc->stores - 1 - position;
    e->next_reader = store->first_reader;
    store->first_reader = id;
    clk_join(&t->porf, &store->porf);
    if (acquires(o))
        clk_join(&t->hb, &store->release);
    else
        clk_join(&t->acquire_pending, &store->release);
    e->hb = t->hb;
    e->porf = t->porf;
    sc_commit(e, position);
    t->hopes_for = NULL;
    t->tries_again = false;
    u128 last;
    if (t->must_read_newest && !t->asleep && (!seen_last_turn(t, loc, pc, &last) || last != e->value))
        t->must_read_newest = false; /* it has its news */
    note_read(t, loc, e->value, pc);
    if (R.options.mode == MODE_EXHAUSTIVE)
        graph_added(id);
    turns_note_read(t, e);
    if (store->uninitialised)
        fail("uninitialised read", "of %d bytes at %p @%lx@", loc->size, (void *)loc->address, (unsigned long)pc);
    return id;
}

static void insert(struct loc *loc, int place, int id) {
    if (loc->stores == loc->capacity) {
        loc->capacity *= 2;
        loc->store = realloc(loc->store, (size_t)loc->capacity * sizeof *loc->store);
    }
    memmove(loc->store + place + 1, loc->store + place, (size_t)(loc->stores - place) * sizeof *loc->store);
    loc->store[place] = id;
    loc->stores++;
    for (int i = place; i < loc->stores; i++)
        R.event[loc->store[i]].mo = i;
    if (place == loc->stores - 1 && !loc->imaginary)
        memory_put(loc->address, loc->size, R.event[id].value);
}

/* Does a store come after one that was to be the last? */
static void keep_promises(const struct loc *loc, int place, uint64_t pc) {
    const struct event *before = &R.event[loc->store[place - 1]], *w = &R.event[loc->store[place]];
    if (before->final || (w->final && place + 1 < loc->stores))
        fail("broken promise", "T%d and T%d both store to %p, where a store was to be the last @%lx@",
             before->final ? before->tid : R.event[loc->store[place + 1]].tid, w->tid, (void *)loc->address,
             (unsigned long)pc);
}

/* Adds a store. read: the read part it belongs to, or NO_EVENT. */
int store_event(struct loc *loc, u128 value, int order, int read, uint64_t pc) {
    struct thread *t = R.current;
    if (read == NO_EVENT)
        end_impatience(t, true);
    int id = R.events;
    struct event *e = event_new(read != NO_EVENT ? EV_RMW_WRITE : EV_STORE, order, loc, pc);
    e->value = value;
    e->release = releases(order) ? e->hb : t->release_fence;
    if (read != NO_EVENT) {
        e->rf = R.event[read].rf;
        clk_join(&e->release, &R.event[e->rf].release);
    }
    int own = loc->own_release[t->tid];
    if (!R.options.c20_release_sequence && own != NO_EVENT)
        clk_join(&e->release, &R.event[own].hb);
    if (releases(order))
        loc->own_release[t->tid] = id;

    if (R.options.mode == MODE_EXHAUSTIVE)
        graph_new_store(loc, id);
    int place;
    if (read != NO_EVENT) {
        place = R.event[e->rf].mo + 1;
        if (place < loc->stores &&
            (!sc_allows_store(loc, place, e->sc, &e->hb) || !asymmetric_allows(loc, place, &e->hb)))
            leave_run(RUN_CUT);
        if (R.options.mode == MODE_EXHAUSTIVE)
            graph_pick_place(loc, &place, 1);
    } else {
        int places[MAX_CANDIDATES], count = 0;
        int low = coherence_bound(loc, &t->hb) + 1;
        for (int p = loc->stores; p >= low && count < MAX_CANDIDATES; p--) {
            if (p < loc->stores && R.event[loc->store[p]].kind == EV_RMW_WRITE)
                continue;
            if (p < loc->stores && (!sc_allows_store(loc, p, e->sc, &e->hb) || !asymmetric_allows(loc, p, &e->hb)))
                continue;
            places[count++] = p;
        }
        place = R.options.mode == MODE_EXHAUSTIVE ? graph_pick_place(loc, places, count)
                                                  : places[choose(CHOOSE_PLACE, count)];
    }
    e->picked = loc->stores - place;
    insert(loc, place, id);
    sc_commit(e, place);
    e->final = t->promises;
    keep_promises(loc, place, pc);
    if (read == NO_EVENT || R.event[read].value != value) {
        break_iteration(t);
        R.stores_made++;
    }
    if (R.options.mode == MODE_EXHAUSTIVE)
        graph_added(id);
    return id;
}
