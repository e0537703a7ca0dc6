/* event: a flag that carries what was written before set; sleepers; a set that is cleared at once. */
#include <lockfree/event.h>

#include "lockfree_model.h"

static struct lf_event event[4];
static int data, found;

static void setup(void) {
    void *memory = lf_model_shared(LF_EVENT_BYTES);
    lf_model_assert(lf_event_create_local(&event[0], memory) == LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&event[t].h, &lf_event_kind, memory, t) == LF_OK);
    lf_model_label(&event[0].body->word, 8, "word");
    lf_model_label(&event[0].body->changed, 8, "changed");
}
static void setup_set(void) {
    setup();
    lf_model_assert(lf_event_set(&event[0]) == LF_OK);
}
#define ME (&event[lf_model_thread()])

static void set(void) {
    lf_model_call(LF_MODEL_WRITE, 1);
    lf_model_return((uint64_t)lf_event_set(ME));
}
static void clear(void) {
    lf_model_call(LF_MODEL_WRITE, 0);
    lf_model_return((uint64_t)lf_event_clear(ME));
}
static void is_set(void) {
    lf_model_call(LF_MODEL_READ, 0);
    lf_model_return((uint64_t)lf_event_is_set(ME));
}
static void set_and_clear(void) {
    set();
    clear();
}
static void look_twice(void) {
    is_set();
    is_set();
}

static void waits(void) { lf_model_assert(lf_event_wait(ME, LF_FOREVER) == LF_OK); }
static void sets(void) { lf_model_assert(lf_event_set(ME) == LF_OK); }
static void sets_and_clears(void) {
    lf_model_assert(lf_event_set(ME) == LF_OK);
    lf_model_assert(lf_event_clear(ME) == LF_OK);
    lf_model_assert(lf_event_set(ME) == LF_OK);
}
/* The flag is clear again before the waiter looks, who began before. */
static uint64_t began;
static void setup_begun(void) {
    setup();
    began = lf_event_now(&event[1]);
}
static void has_begun_to_wait(void) { lf_model_assert(lf_event_wait_since(&event[1], began, LF_FOREVER) == LF_OK); }
static void sets_and_clears_once(void) {
    lf_model_assert(lf_event_set(ME) == LF_OK);
    lf_model_assert(lf_event_clear(ME) == LF_OK);
}
static void waits_until_closed(void) { lf_model_assert(lf_event_wait(&event[1], LF_FOREVER) == LF_CLOSED); }
static void close_it(void) { lf_event_close(&event[1]); }

/* A set carries what was written before, to who waits and to who clears. */
static void write_and_set(void) {
    data = 1;
    sets();
}
static void wait_and_read(void) {
    waits();
    lf_model_assert(data == 1);
}
/* The flag is set already. The clear sees what was written before the set that it undoes, or the set comes
 * after the clear and stays. */
static uint32_t counted;
static int ended[3]; /* else the thread was stopped */
static void count_and_set(void) {
    lf_store_relaxed(&counted, 1u);
    sets();
    ended[1] = 1;
}
static void clear_and_count(void) {
    lf_model_assert(lf_event_clear(ME) == LF_OK);
    found = (int)lf_load_relaxed(&counted);
    ended[2] = 1;
}
static void nothing_missed(void) {
    lf_model_assert(!ended[1] || !ended[2] || found || lf_event_is_set(&event[0]) == 1);
}

/* Two events as flags of Dekker's kind: not both are overlooked. */
static struct lf_event second[4];
static void setup_two(void) {
    setup();
    void *memory = lf_model_shared(LF_EVENT_BYTES);
    lf_model_assert(lf_event_create_local(&second[0], memory) == LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&second[t].h, &lf_event_kind, memory, t) == LF_OK);
}
static int saw[3];
static void first_then_second(void) {
    sets();
    saw[1] = lf_event_is_set(&second[1]);
    ended[1] = 1;
}
static void second_then_first(void) {
    lf_model_assert(lf_event_set(&second[2]) == LF_OK);
    saw[2] = lf_event_is_set(&event[2]);
    ended[2] = 1;
}
/* The same with flags that are set at first, and cleared. */
static void setup_two_set(void) {
    setup_two();
    lf_model_assert(lf_event_set(&event[0]) == LF_OK && lf_event_set(&second[0]) == LF_OK);
}
static void clear_first_then_second(void) {
    lf_model_assert(lf_event_clear(&event[1]) == LF_OK);
    saw[1] = !lf_event_is_set(&second[1]);
    ended[1] = 1;
}
static void clear_second_then_first(void) {
    lf_model_assert(lf_event_clear(&second[2]) == LF_OK);
    saw[2] = !lf_event_is_set(&event[2]);
    ended[2] = 1;
}
static void one_saw_the_other(void) { lf_model_assert(!ended[1] || !ended[2] || saw[1] || saw[2]); }

#define REGISTER .spec = &lf_model_register
LF_MODEL_CLIENT(event_register, .setup = setup, .threads = {set_and_clear, look_twice}, REGISTER);
LF_MODEL_CLIENT(event_three, .setup = setup, .threads = {set, clear, is_set}, REGISTER);
LF_MODEL_CLIENT(event_carries_sleep, .setup = setup, .threads = {write_and_set, wait_and_read});
LF_MODEL_CLIENT(event_two_wait_sleep, .setup = setup, .threads = {waits, waits, sets});
LF_MODEL_CLIENT(event_short_sleep, .setup = setup, .threads = {waits, sets_and_clears});
LF_MODEL_CLIENT(event_short_sleep_once, .setup = setup_begun, .threads = {has_begun_to_wait, sets_and_clears_once});
LF_MODEL_CLIENT(event_close_sleep, .setup = setup, .threads = {waits_until_closed, close_it});
LF_MODEL_CLIENT(event_set_again, .setup = setup_set, .threads = {count_and_set, clear_and_count},
                .final = nothing_missed);
LF_MODEL_CLIENT(event_dekker, .setup = setup_two, .threads = {first_then_second, second_then_first},
                .final = one_saw_the_other);
LF_MODEL_CLIENT(event_dekker_clear, .setup = setup_two_set,
                .threads = {clear_first_then_second, clear_second_then_first}, .final = one_saw_the_other);
