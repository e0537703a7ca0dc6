/* Which side is at fault shows by fences: where a client has them, the judge's own stand in for those of the answer. */
#include "things.h"

static void one_fenced(void) { make(1, 1); }
static void two_fenced(void) { make(2, 1); }
static void one_bare(void) { make(1, 0); }
static void two_bare(void) { make(2, 0); }
static void nobody(void) { make(0, 0); }

static void read_as(uint32_t reader, int fences) {
    const struct thing *thing = cell_acquire(cell, reader);
    if (fences)
        atomic_thread_fence(memory_order_acquire);
    used(thing);
    if (fences)
        atomic_thread_fence(memory_order_release);
    cell_release(cell, reader);
}
static void read_0_fenced(void) { read_as(0, 1); }
static void read_1_fenced(void) { read_as(1, 1); }
static void read_0_out_fenced(void) {
    used(cell_acquire(cell, 0));
    atomic_thread_fence(memory_order_release);
    cell_release(cell, 0);
}
static void read_0(void) { read_as(0, 0); }
static void read_1(void) { read_as(1, 0); }
static void read_0_twice(void) {
    read_as(0, 0);
    read_as(0, 0);
}

static void replace_fenced(void) {
    struct thing *next = new_thing(1);
    atomic_thread_fence(memory_order_release);
    cell_replace(cell, next);
}
static void replace_twice_fenced(void) {
    replace_fenced();
    struct thing *next = new_thing(2);
    atomic_thread_fence(memory_order_release);
    cell_replace(cell, next);
}
static void replace(void) { cell_replace(cell, new_thing(1)); }
static void replace_twice(void) {
    cell_replace(cell, new_thing(1));
    cell_replace(cell, new_thing(2));
}

/* What was freed is used again, for a new version: the same address twice. */
static void replace_and_reuse(void) {
    cell_replace(cell, new_thing(1));
    if (things[0].word[0] != DEAD)
        return;
    things[0].word[0] = 2;
    things[0].word[1] = 102;
    cell_replace(cell, &things[0]);
}

static void swept(void) {
    cell_replace(cell, new_thing(6));
    cell_replace(cell, new_thing(7));
    int freed_in_the_end = dead();
    lf_model_assert(freed_in_the_end >= 3);
    lf_model_assert(used(cell_acquire(cell, 0)) == 7);
}

static void present_is_2(void) {
    int old = dead();
    lf_model_assert(old == 2 && things[2].word[0] == 2);
}
static void nothing(void) {}

LF_MODEL_CLIENT(protect, .setup = one_fenced, .threads = {read_0_fenced, replace_fenced}, .final = swept);
LF_MODEL_CLIENT(protect_two, .setup = two_fenced, .threads = {read_0_fenced, read_1_fenced, replace_fenced},
                .final = swept);
LF_MODEL_CLIENT(protect_twice, .setup = one_fenced, .threads = {read_0_fenced, replace_twice_fenced}, .final = swept);
LF_MODEL_CLIENT(publish, .setup = one_fenced, .threads = {read_0_out_fenced, replace}, .final = swept);
LF_MODEL_CLIENT(hand_back, .setup = one_bare, .threads = {read_0, replace}, .final = swept);
LF_MODEL_CLIENT(again, .setup = one_bare, .threads = {read_0_twice, replace_twice}, .final = swept);
LF_MODEL_CLIENT(both, .setup = two_bare, .threads = {read_0, read_1, replace_twice}, .final = swept);
LF_MODEL_CLIENT(reuse, .setup = one_bare, .threads = {read_0, replace_and_reuse}, .final = swept);
/* Without readers nothing may be left. */
LF_MODEL_CLIENT(no_reader, .setup = nobody, .threads = {replace_twice, nothing}, .final = present_is_2);
