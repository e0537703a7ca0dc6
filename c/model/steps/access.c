/* access.c: atomic accesses, fences and choices of the client, as events. */
#include "rc11.h"

u128 model_load(uintptr_t address, unsigned size, int order, uint64_t pc) {
    if (made_directly(address, size, false, pc))
        return memory_get(address, size);
    enter_step();
    struct loc *loc = object_at(address, size, READS, pc);
    unsigned offset = (unsigned)(address - loc->address);
    bool rmw;
    struct event *e = &R.event[read_event(loc, order, order, NULL, NULL, &rmw, pc)];
    e->offset = (uint8_t)offset;
    e->size = (uint8_t)size;
    return part_of(e->value, loc, offset, size);
}

static bool always_writes(const struct loc *loc, u128 whole, const void *data) {
    (void)loc, (void)whole, (void)data;
    return true;
}

struct change { /* without a function: to the operand, where the old value is the expected one */
    change_function function;
    condition_function can;
    u128 operand, expected;
    unsigned offset, size;
};

static bool can_change(const struct loc *loc, u128 whole, const void *data) {
    const struct change *change = data;
    return change->can(part_of(whole, loc, change->offset, change->size), change->operand);
}

/* The value that is written where it is. */
static u128 changed(const struct change *change, u128 old) {
    return change->function == NULL ? change->operand : low_bytes(change->function(old, change->operand), change->size);
}

/* In a waiting loop that is followed to its end, what would write the value that it read counts as a load: what
 * others read from such a store, and the release sequence that it continues, they have from the one before. */
static bool writes_news(const struct loc *loc, u128 whole, const void *data) {
    const struct change *change = data;
    u128 old = part_of(whole, loc, change->offset, change->size);
    return changed(change, old) != old;
}

static bool expected_matches(const struct loc *loc, u128 whole, const void *data) {
    const struct change *change = data;
    return part_of(whole, loc, change->offset, change->size) == change->expected;
}

static u128 rmw(struct loc *loc, const struct change *change, int order, int failure, bool as_store, bool *wrote,
                uint64_t pc) {
    bool is_rmw;
    bool cas = change->function == NULL;
    writes_function writes = cas ? expected_matches : change->can != NULL ? can_change : always_writes;
    u128 last;
    if (writes == always_writes && !as_store && R.current->impatient && !releases(order) &&
        seen_last_turn(R.current, loc, pc, &last)) {
        writes = writes_news;
        failure = order;
    }
    int read = read_event(loc, as_store ? RELAXED : order, failure, writes, change, &is_rmw, pc);
    struct event *e = &R.event[read];
    e->offset = (uint8_t)change->offset;
    e->size = (uint8_t)change->size;
    e->cas = cas;
    e->rewrites = !is_rmw && writes == writes_news;
    e->as_store = as_store;
    u128 old = part_of(e->value, loc, change->offset, change->size);
    *wrote = is_rmw;
    if (is_rmw) {
        if (writes != always_writes && !loc->imaginary)
            atomic_access(loc->address + change->offset, change->size, true, pc);
        u128 value = merged(e->value, loc, change->offset, change->size, changed(change, old));
        int write = store_event(loc, value, order, read, pc);
        R.event[write].offset = (uint8_t)change->offset;
        R.event[write].size = (uint8_t)change->size;
    }
    return old;
}

static u128 keep_operand(u128 old, u128 operand) {
    (void)old;
    return operand;
}

void model_store(uintptr_t address, unsigned size, u128 value, int order, uint64_t pc) {
    value = low_bytes(value, size);
    if (made_directly(address, size, true, pc)) {
        memory_put(address, size, value);
        return;
    }
    enter_step();
    struct loc *loc = object_at(address, size, WRITES, pc);
    if (loc->size != size) {
        struct change change = {keep_operand, NULL, value, 0, (unsigned)(address - loc->address), size};
        bool wrote;
        rmw(loc, &change, order, order, true, &wrote, pc);
        return;
    }
    struct event *e = &R.event[store_event(loc, value, order, NO_EVENT, pc)];
    e->size = (uint8_t)size;
}

u128 model_rmw(uintptr_t address, unsigned size, change_function change, u128 operand, int order, uint64_t pc) {
    if (made_directly(address, size, false, pc)) {
        u128 old = memory_get(address, size);
        memory_put(address, size, change(old, operand));
        return old;
    }
    enter_step();
    struct loc *loc = object_at(address, size, CHANGES, pc);
    struct change how = {change, NULL, low_bytes(operand, size), 0, (unsigned)(address - loc->address), size};
    bool wrote;
    return rmw(loc, &how, order, order, false, &wrote, pc);
}

/* A read-modify-write where `can` holds of the old value, a relaxed load where it does not. */
bool model_rmw_if(uintptr_t address, unsigned size, condition_function can, change_function change, u128 operand,
                  int order, u128 *old, uint64_t pc) {
    if (made_directly(address, size, false, pc)) {
        *old = memory_get(address, size);
        if (!can(*old, operand))
            return false;
        memory_put(address, size, change(*old, operand));
        return true;
    }
    enter_step();
    struct loc *loc = object_at(address, size, MAY_CHANGE, pc);
    struct change how = {change, can, low_bytes(operand, size), 0, (unsigned)(address - loc->address), size};
    bool wrote;
    *old = rmw(loc, &how, order, RELAXED, false, &wrote, pc);
    return wrote;
}

bool model_cas(uintptr_t address, unsigned size, u128 *expected, u128 desired, int success, int failure, uint64_t pc) {
    u128 wanted = low_bytes(*expected, size);
    if (made_directly(address, size, false, pc)) {
        u128 old = memory_get(address, size);
        if (old == wanted)
            memory_put(address, size, desired);
        *expected = old;
        return old == wanted;
    }
    enter_step();
    struct loc *loc = object_at(address, size, MAY_CHANGE, pc);
    struct change how = {NULL, NULL, low_bytes(desired, size), wanted, (unsigned)(address - loc->address), size};
    bool wrote;
    *expected = rmw(loc, &how, success, failure, false, &wrote, pc);
    return wrote;
}

void model_fence(int order, uint64_t pc) {
    if (!R.running || order == RELAXED)
        return;
    enter_step();
    struct thread *t = R.current;
    if (acquires(order))
        clk_join(&t->hb, &t->acquire_pending);
    int id = R.events;
    struct event *e = event_new(EV_FENCE, order, NULL, pc);
    if (releases(order))
        t->release_fence = e->hb;
    if (order == SEQ_CST) {
        sc_commit(e, 0);
        t->last_fence = e->sc_number;
        e->last_fence = e->sc_number;
    }
    if (R.options.mode == MODE_EXHAUSTIVE)
        graph_added(id);
}

static int add_choice(int value, bool of_loop, uint64_t pc) {
    int id = R.events;
    struct event *e = event_new(EV_CHOICE, RELAXED, NULL, pc);
    e->value = (u128)value;
    e->picked = value;
    e->of_loop = of_loop;
    if (R.options.mode == MODE_EXHAUSTIVE)
        graph_added(id);
    return value;
}

int model_choose(int options, uint64_t pc) {
    if (!R.running)
        fail("unusable client", "setup and final cannot choose @%lx@", (unsigned long)pc);
    if (options < 1 || options > 65535)
        fail("unusable client", "a choice among %d (1 to 65535 are possible) @%lx@", options, (unsigned long)pc);
    if (options == 1)
        return 0;
    enter_step();
    turns_forget(R.current);
    R.current->now.pure = false; /* turns in which it chose are not alike */
    R.current->now.reads = 0;
    int value = R.options.mode == MODE_EXHAUSTIVE ? graph_pick_value(options) : choose(CHOOSE_VALUE, options);
    return add_choice(value, false, pc);
}

/* A step that touches no memory. */
void model_mark(uint64_t pc) {
    enter_step();
    if (R.options.mode == MODE_EXHAUSTIVE)
        graph_pick_nothing();
    add_choice(0, false, pc);
}

bool model_choose_impatience(bool open, uint64_t pc) {
    enter_step();
    return add_choice(choose_impatience(open), true, pc) != 0;
}
