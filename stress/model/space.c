/* space: two who add under one name, who looks without the lock, an adder and a holder that die, a close. */
#define LF_PARTICIPANTS 16u
#define LF_SEATS 4u
#include <lockfree/space.h>

#include "lockfree_model.h"

#define SIZE 1024
#define MUTEX_BYTES 256

static struct lf_space space[4]; /* a handle for each thread, as processes have */
static struct lf_mutex lock[4];
static int counted;
#define ME (&space[lf_model_thread()])
#define LOCK (&lock[lf_model_thread()])

static void setup(void) {
    uint64_t bytes;
    lf_space_bytes(SIZE, &bytes);
    void *memory = lf_model_shared(bytes);
    lf_model_assert(lf_space_create_local(&space[0], memory, SIZE) == LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&space[t].h, &lf_space_kind, memory, t) == LF_OK);
    lf_model_label(&space[0].body->lock, 8, "lock");
    lf_model_label(&space[0].body->end, 8, "end");
    lf_model_label(space[0].chunks, SIZE, "chunks");
}

/* One object for both, so the counter is guarded. */
static void find_and_count(void) {
    lf_model_assert(lf_space_mutex(ME, LOCK, "a") == LF_OK);
    lf_model_assert(lf_mutex_acquire(LOCK, LF_FOREVER) == LF_OK);
    counted++;
    lf_model_assert(lf_mutex_release(LOCK) == LF_OK);
}
static void one_object(void) {
    lf_model_assert(counted == 2);
    lf_model_assert(lf_space_left(&space[0]) == SIZE - MUTEX_BYTES);
}

/* A thread that knows the place looks without the lock: the object is whole, or not there. */
static void add(void) { lf_model_assert(lf_space_mutex(ME, LOCK, "a") == LF_OK); }
static void look_at_it(void) {
    int status = lf_space_at(ME, &LOCK->h, LF_KIND_MUTEX, 0);
    lf_model_assert(status == LF_OK || status == LF_INVALID);
    if (status == LF_OK)
        lf_model_assert(lf_mutex_try_acquire(LOCK) == LF_OK);
}
static void no_events_there(void) {
    struct lf_event event;
    lf_model_assert(lf_space_at(ME, &event.h, LF_KIND_EVENT, 0) == LF_INVALID);
}

/* A thread adds, takes the lock that it added, and dies anywhere. The heir finds no half of an object, and no lock that
 * is held for ever. */
static void mortal(void) {
    if (lf_space_mutex(ME, LOCK, "a") == LF_OK && lf_mutex_acquire(LOCK, LF_FOREVER) == LF_OK)
        lf_mutex_release(LOCK);
}
static void heir(void) {
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&ME->h);
    int64_t left = lf_space_left(ME);
    lf_model_assert(left == SIZE || left == SIZE - MUTEX_BYTES);
    lf_model_assert(lf_space_mutex(ME, LOCK, "a") == LF_OK);
    lf_model_assert(lf_space_left(ME) == SIZE - MUTEX_BYTES);
    int status = lf_mutex_try_acquire(LOCK);
    lf_model_assert(status == LF_OK || (status == LF_OWNER_DIED && left == SIZE - MUTEX_BYTES));
}

/* An object's handle finds the death for the whole space. */
static void heir_by_the_object(void) {
    if (lf_model_participant_alive(1) || lf_space_at(ME, &LOCK->h, LF_KIND_MUTEX, 0) != LF_OK)
        return;
    lf_reap(&LOCK->h);
    int status = lf_mutex_try_acquire(LOCK);
    lf_model_assert(status == LF_OK || status == LF_OWNER_DIED);
    lf_model_assert(lf_space_mutex(ME, &lock[0], "b") == LF_OK);
}

static void setup_busy(void) {
    setup();
    lf_model_assert(lf_owner_lock_acquire(&space[3].h, &space[3].body->lock, 0, LF_FOREVER) == LF_OK);
}
static void adds_until_closed(void) { lf_model_assert(lf_space_mutex(&space[1], LOCK, "a") == LF_CLOSED); }
static void close_it(void) { lf_space_close(&space[1]); }

LF_MODEL_CLIENT(space_one_name_sleep, .setup = setup, .threads = {find_and_count, find_and_count}, .final = one_object);
LF_MODEL_CLIENT(space_looks, .setup = setup, .threads = {add, look_at_it, no_events_there});
LF_MODEL_CLIENT(space_adder_dies, .setup = setup, .threads = {mortal, heir}, .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(space_holder_dies, .setup = setup, .threads = {mortal, heir_by_the_object}, .stop_is_death = 1,
                .may_stop = 2);
LF_MODEL_CLIENT(space_close_sleep, .setup = setup_busy, .threads = {adds_until_closed, close_it});
