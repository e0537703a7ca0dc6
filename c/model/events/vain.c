/* vain.c: threads that would only wait, if they read the newest store. In calls that wait, the caller says for what. Of
 * waiting loops of one read it is known from executions before. */
#include "events.h"

enum { VALUES = 1 << 12, STATES = 1 << 10 };

MODEL_STATE static struct {
    uint64_t state; /* of the thread when it comes to the read; 0: a free entry */
    u128 value;     /* of the whole location */
} values[VALUES];
MODEL_STATE static int value_count;
MODEL_STATE static uint64_t states[STATES]; /* those that have values, as far as there is room */

enum { STEPS = 1 << 14 };

/* One read in a state, with what it found, leads to the next read. */
MODEL_STATE static struct {
    uint64_t from; /* 0: a free entry */
    u128 value;
    struct way way;
} steps[STEPS];
MODEL_STATE static int step_count;

static unsigned slot_of(uint64_t state, u128 value) {
    uint64_t mixed = (state ^ (uint64_t)value * 0x9E3779B97F4A7C15u ^ (uint64_t)(value >> 64)) * 0xD6E8FEB86659FD93u;
    return (unsigned)(mixed >> 40) % VALUES;
}

static unsigned find(uint64_t state, u128 value) {
    unsigned slot = slot_of(state, value);
    while (values[slot].state != 0 && (values[slot].state != state || values[slot].value != value))
        slot = (slot + 1) % VALUES;
    return slot;
}

void vain_forget(void) {
    for (int i = 0; i < VALUES; i++)
        values[i].state = 0;
    for (int i = 0; i < STATES; i++)
        states[i] = 0;
    value_count = 0;
    for (int i = 0; i < STEPS; i++)
        steps[i].from = 0;
    step_count = 0;
}

void vain_learn(uint64_t state, u128 value) {
    unsigned slot = find(state, value);
    if (value_count == VALUES / 2 || values[slot].state != 0 ||
        (states[state % STATES] != 0 && states[state % STATES] != state))
        return;
    values[slot].state = states[state % STATES] = state;
    values[slot].value = value;
    value_count++;
}

bool vain_is_known(uint64_t state) { return states[state % STATES] == state; }

bool vain_is_not(u128 value, u128 state) { return values[find((uint64_t)state, value)].state == 0; }

static unsigned find_step(uint64_t from, u128 value) {
    unsigned slot = slot_of(from, value) * (STEPS / VALUES);
    while (steps[slot].from != 0 && (steps[slot].from != from || steps[slot].value != value))
        slot = (slot + 1) % STEPS;
    return slot;
}

void step_learn(uint64_t from, u128 value, struct way way) {
    unsigned slot = find_step(from, value);
    if (steps[slot].from != 0 || step_count == STEPS / 2)
        return;
    steps[slot].from = from;
    steps[slot].value = value;
    steps[slot].way = way;
    step_count++;
}

/* The way on which a read with this value leads; NULL: not known. */
const struct way *step_from(uint64_t from, u128 value) {
    unsigned slot = find_step(from, value);
    return steps[slot].from == from ? &steps[slot].way : NULL;
}

bool same_way(const struct way *a, struct way b) {
    return a != NULL && a->to == b.to && a->written == b.written && a->places == b.places;
}
