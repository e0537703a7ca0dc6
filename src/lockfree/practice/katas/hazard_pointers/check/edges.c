#include "things.h"

static void of_one(void) { make(1, 0); }
static void of_three(void) { make(3, 0); }

static void nobody_holds(void) {
    for (uint32_t number = 1; number < THINGS; number++) {
        cell_replace(cell, new_thing(number));
        lf_model_assert(dead() == (int)number);
        lf_model_assert(used(cell_acquire(cell, 0)) == number);
        cell_release(cell, 0);
    }
}

static void one_holds(void) {
    const struct thing *first = cell_acquire(cell, 0);
    for (uint32_t number = 1; number < 5; number++) {
        cell_replace(cell, new_thing(number));
        lf_model_assert(used(first) == 0);
        lf_model_assert(dead() == (int)number - 1);
    }
    cell_release(cell, 0);
    cell_replace(cell, new_thing(5));
    lf_model_assert(dead() == 5);
    cell_replace(cell, new_thing(6));
    lf_model_assert(dead() == 6);
}

static void all_hold(void) {
    const struct thing *held[3];
    for (uint32_t reader = 0; reader < 3; reader++) {
        held[reader] = cell_acquire(cell, reader);
        cell_replace(cell, new_thing(reader + 1));
    }
    cell_replace(cell, new_thing(4));
    for (uint32_t reader = 0; reader < 3; reader++)
        lf_model_assert(used(held[reader]) == reader);
    lf_model_assert(dead() == 1);
    cell_release(cell, 1);
    cell_replace(cell, new_thing(5));
    lf_model_assert(dead() == 3 && used(held[0]) == 0 && used(held[2]) == 2);
    cell_release(cell, 0);
    cell_release(cell, 2);
    cell_replace(cell, new_thing(6));
    lf_model_assert(dead() == 6);
}

static void two_hold_the_same(void) {
    const struct thing *a = cell_acquire(cell, 0), *b = cell_acquire(cell, 2);
    cell_replace(cell, new_thing(1));
    cell_release(cell, 0);
    cell_replace(cell, new_thing(2));
    lf_model_assert(a == b && used(b) == 0 && dead() == 1);
    cell_release(cell, 2);
    cell_replace(cell, new_thing(3));
    lf_model_assert(dead() == 3);
}

LF_MODEL_CLIENT(edge_free, .setup = of_one, .threads = {nobody_holds});
LF_MODEL_CLIENT(edge_held, .setup = of_one, .threads = {one_holds});
LF_MODEL_CLIENT(edge_all_hold, .setup = of_three, .threads = {all_hold});
LF_MODEL_CLIENT(edge_same, .setup = of_three, .threads = {two_hold_the_same});
