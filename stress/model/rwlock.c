/* rwlock: readers and writers exclude each other, sleepers wake, and what the death of each leaves. */
#include <lockfree/rwlock.h>

#include "lockfree_model.h"

static struct lf_rwlock rwlock[4];
static int data[2];

static void setup(void) {
    void *memory = lf_model_shared(LF_RWLOCK_BYTES);
    lf_model_assert(lf_rwlock_create_local(&rwlock[0], memory) == LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&rwlock[t].h, &lf_rwlock_kind, memory, t) == LF_OK);
    lf_model_label(rwlock[0].word, 8, "writer");
    lf_model_label(rwlock[0].body->readers, sizeof rwlock[0].body->readers, "readers");
}
#define ME (&rwlock[lf_model_thread()])

static void writes(void) {
    lf_model_assert(lf_rwlock_write(ME, LF_FOREVER) == LF_OK);
    data[0]++;
    data[1]++;
    lf_model_assert(lf_rwlock_end_write(ME) == LF_OK);
}
static void reads(void) {
    lf_model_assert(lf_rwlock_read(ME, LF_FOREVER) == LF_OK);
    lf_model_assert(data[0] == data[1]);
    lf_model_assert(lf_rwlock_end_read(ME) == LF_OK);
}
static void tries_to_read(void) {
    if (lf_rwlock_read(ME, 0) != LF_OK)
        return;
    lf_model_assert(data[0] == data[1]);
    lf_model_assert(lf_rwlock_end_read(ME) == LF_OK);
}
static void tries_to_write(void) {
    if (lf_rwlock_write(ME, 0) != LF_OK)
        return;
    data[0]++;
    data[1]++;
    lf_model_assert(lf_rwlock_end_write(ME) == LF_OK);
}

/* In steps, as a thread that waits for several things. It looks twice, and then gives up. */
static void writes_in_steps(void) {
    int status = lf_rwlock_begin_write(ME);
    if (status == LF_BUSY) {
        lf_model_assert(lf_rwlock_write(ME, 0) == LF_TIMEDOUT); /* it does not write for a waiter */
        lf_model_assert(lf_rwlock_end_write(ME) == LF_NOT_OWNER);
        status = lf_rwlock_begin_write(ME);
    }
    if (status == LF_BUSY) {
        lf_rwlock_end_wait(ME);
        return;
    }
    lf_model_assert(status == LF_OK || status == LF_TIMEDOUT);
    if (status != LF_OK)
        return;
    data[0]++;
    data[1]++;
    lf_model_assert(lf_rwlock_end_write(ME) == LF_OK);
}

/* Participant 3 reads, or writes, and is dead. */
static void setup_dead_reader(void) {
    setup();
    lf_model_assert(lf_rwlock_read(&rwlock[3], 0) == LF_OK);
    lf_model_set_participant_dead(3);
}
static void setup_dead_writer(void) {
    setup();
    *rwlock[0].word = (uint64_t)99 << 32 | 3;
    rwlock[0].body->writing = 1;
    data[0] = 1;
    lf_model_set_participant_dead(3);
}
static void setup_dead_before_writing(void) {
    setup();
    *rwlock[0].word = (uint64_t)99 << 32 | 3;
    lf_model_set_participant_dead(3);
}
static void writes_without_a_look(void) {
    ME->h.last_reap = lf_now_coarse();
    writes();
}
static void reaps(void) { lf_model_assert(lf_reap(&ME->h) <= 1); }
static void is_told_and_repairs(void) {
    lf_model_assert(lf_rwlock_write(ME, LF_FOREVER) == LF_OWNER_DIED);
    data[1] = data[0];
    lf_model_assert(lf_rwlock_recover(ME) == LF_OK);
    lf_model_assert(lf_rwlock_end_write(ME) == LF_OK);
}
static void reads_or_is_told(void) {
    int status = lf_rwlock_read(ME, 0);
    lf_model_assert(status == LF_OK || status == LF_OWNER_DIED || status == LF_TIMEDOUT);
    if (status != LF_OK)
        return;
    lf_model_assert(data[0] == data[1]);
    lf_model_assert(lf_rwlock_end_read(ME) == LF_OK);
}

LF_MODEL_CLIENT(rwlock_one_each_sleep, .setup = setup, .threads = {writes, reads});
LF_MODEL_CLIENT(rwlock_tries_sleep, .setup = setup, .threads = {tries_to_write, tries_to_read, tries_to_read});
LF_MODEL_CLIENT(rwlock_steps_sleep, .setup = setup, .threads = {writes_in_steps, reads});
LF_MODEL_CLIENT(rwlock_steps_two_sleep, .setup = setup, .threads = {writes_in_steps, tries_to_write, tries_to_read});
LF_MODEL_CLIENT(rwlock_dead_reader_sleep, .setup = setup_dead_reader, .threads = {writes_without_a_look, reaps});
LF_MODEL_CLIENT(rwlock_dead_writer_sleep, .setup = setup_dead_writer,
                .threads = {is_told_and_repairs, reads_or_is_told});
LF_MODEL_CLIENT(rwlock_dead_before_sleep, .setup = setup_dead_before_writing, .threads = {writes, tries_to_read});
