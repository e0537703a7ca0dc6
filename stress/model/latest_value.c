/* latest_value: one writer, readers that copy while it goes on; a writer that dies, and the next one; waits. */
#include <lockfree/latest_value.h>

#include "lockfree_model.h"

static struct lf_latest_value latest[4]; /* a handle for each thread, as processes have */
#define ME (&latest[lf_model_thread()])

/* A value is a number twice, so that half of another one shows. */
static void start(uint64_t copies) {
    uint64_t bytes;
    lf_latest_value_bytes(16, copies, &bytes);
    void *memory = lf_model_shared(bytes);
    lf_model_assert(lf_latest_value_create_local(&latest[0], memory, 16, copies) == LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&latest[t].h, &lf_latest_value_kind, memory, t) == LF_OK);
    lf_model_label(&latest[0].body->version, 8, "version");
    lf_model_label(&latest[0].body->writer, 8, "writer");
    lf_model_label(latest[0].copies, copies * latest[0].stride, "copies");
}
static void two_copies(void) { start(2); }
static void three_copies(void) { start(3); }

static int64_t set_number(uint64_t n) {
    const uint64_t value[2] = {n, n};
    return lf_latest_value_set(ME, value, sizeof value);
}
static uint64_t get_number(void) {
    uint64_t value[2] = {0, 0}, version = 0;
    int64_t length = lf_latest_value_get(ME, value, &version);
    if (length == LF_EMPTY)
        return 0;
    lf_model_assert(length == 16);
    lf_model_assert(value[0] == value[1]);
    return value[0];
}

static void set(uint64_t n) {
    lf_model_call(LF_MODEL_WRITE, n);
    lf_model_assert(set_number(n) == (int64_t)n);
    lf_model_return(0);
}
static void get(void) {
    lf_model_call(LF_MODEL_READ, 0);
    lf_model_return(get_number());
}
static void sets_twice(void) {
    set(1);
    set(2);
}
static void sets_thrice(void) {
    sets_twice();
    set(3);
}
static void sets_four(void) {
    sets_thrice();
    set(4);
}
static void gets_twice(void) {
    get();
    get();
}

/* The writer leaves, and another thread goes on: its versions follow, and no reader takes half of each for one. */
static void sets_and_leaves(void) {
    if (set_number(1) == LF_ROLE_TAKEN)
        return;
    lf_model_assert(lf_latest_value_release_role(ME) == LF_OK);
}
static void sets_next(void) {
    int64_t version = set_number(2);
    lf_model_assert(version == 1 || version == 2 || version == LF_ROLE_TAKEN);
    if (version < 0)
        return;
    set_number(3);
}
static void gets_what_is_newest(void) {
    uint64_t value[2] = {0, 0}, version = 0, last = 0;
    for (int i = 0; i < 2; i++, last = version) {
        int64_t length = lf_latest_value_get(ME, value, &version);
        lf_model_assert(length == 16 || length == LF_EMPTY);
        lf_model_assert(value[0] == value[1]);
        lf_model_assert(version >= last);
    }
}

/* The writer dies anywhere. The heir finds the value before, or the one that was being set, and sets the next two. */
static void mortal_writer(void) {
    set_number(1);
    set_number(2);
}
static void heir(void) {
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&latest[2].h);
    uint64_t found = get_number();
    lf_model_assert(found <= 2);
    lf_model_assert(set_number(8) == (int64_t)found + 1);
    lf_model_assert(set_number(9) == (int64_t)found + 2);
    lf_model_assert(get_number() == 9);
}

/* A wait carries what the writer wrote before, and a set is not missed. */
static int plain;
static void write_and_set(void) {
    plain = 7;
    lf_model_assert(set_number(1) == 1);
}
static void wait_and_read(void) {
    lf_model_assert(lf_latest_value_wait(ME, 0, LF_FOREVER) == LF_OK);
    lf_model_assert(plain == 7);
    lf_model_assert(get_number() == 1);
}
static void asks_for_the_version(void) {
    if (lf_latest_value_version(ME) == 1)
        lf_model_assert(plain == 7);
}
static void sets_once(void) { lf_model_assert(set_number(1) == 1); }
static void sets_two(void) {
    sets_once();
    lf_model_assert(set_number(2) == 2);
}
static void waits(void) { lf_model_assert(lf_latest_value_wait(ME, 0, LF_FOREVER) == LF_OK); }
static void waits_for_both(void) {
    waits();
    lf_model_assert(lf_latest_value_wait(ME, 1, LF_FOREVER) == LF_OK);
}
static void waits_until_closed(void) { lf_model_assert(lf_latest_value_wait(&latest[1], 0, LF_FOREVER) == LF_CLOSED); }
static void close_it(void) { lf_latest_value_close(&latest[1]); }

#define REGISTER .spec = &lf_model_register
LF_MODEL_CLIENT(latest_two_copies, .setup = two_copies, .threads = {sets_thrice, gets_twice}, REGISTER);
LF_MODEL_CLIENT(latest_three_copies, .setup = three_copies, .threads = {sets_four, get}, REGISTER);
LF_MODEL_CLIENT(latest_two_readers, .setup = two_copies, .threads = {sets_thrice, get, get}, REGISTER);
LF_MODEL_CLIENT(latest_writers, .setup = two_copies, .threads = {sets_and_leaves, sets_next, gets_what_is_newest});
LF_MODEL_CLIENT(latest_heir, .setup = two_copies, .threads = {mortal_writer, heir, gets_what_is_newest},
                .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(latest_carries_sleep, .setup = two_copies, .threads = {write_and_set, wait_and_read});
LF_MODEL_CLIENT(latest_version, .setup = two_copies, .threads = {write_and_set, asks_for_the_version});
LF_MODEL_CLIENT(latest_two_wait_sleep, .setup = two_copies, .threads = {waits, waits, sets_once});
LF_MODEL_CLIENT(latest_both_sleep, .setup = two_copies, .threads = {waits_for_both, sets_two});
LF_MODEL_CLIENT(latest_close_sleep, .setup = two_copies, .threads = {waits_until_closed, close_it});
LF_MODEL_CLIENT(latest_no_membarrier_sleep, .setup = two_copies, .threads = {waits, sets_once}, .no_membarrier = 2);
