/* waiters.h: nobody who waits for a record, or for room, is forgotten by whatever brings it. Capacity 1.
 *
 * The file that includes this defines `object` (handles of participants 0 to 3, and that of the dead one, 9, as
 * object[4]), setup_empty, try_put, put, get, peek, reserve, release, requeue, put_one_of_many, get_one_of_many. */
#ifndef LOCKFREE_MODEL_WAITERS_H
#define LOCKFREE_MODEL_WAITERS_H

enum { DEAD = 9 };
#define ME (&object[lf_model_thread()])

static int64_t in_hand; /* of participant 1 */

static void setup_with_one(void) {
    setup_empty();
    lf_model_assert(try_put(&object[3]) == LF_OK);
}
static void setup_with_lease(void) {
    setup_with_one();
    lf_model_assert((in_hand = peek(&object[1])) >= 0);
}
static void setup_dead_with_lease(void) {
    setup_with_one();
    lf_model_assert(peek(&object[4]) >= 0);
    lf_model_set_participant_dead(DEAD);
}
static void setup_dead_with_slot(void) {
    setup_empty();
    lf_model_assert(reserve(&object[4]) >= 0);
    lf_model_set_participant_dead(DEAD);
}

/* They have looked for the dead in this tick, and do so again after a slice of sleep. */
static void waits_for_record(void) {
    ME->h.last_reap = lf_now_coarse();
    lf_model_assert(get(ME, LF_FOREVER) == 8);
}
static void waits_for_room(void) {
    ME->h.last_reap = lf_now_coarse();
    lf_model_assert(put(ME, LF_FOREVER) == LF_OK);
}
static void requeues(void) { lf_model_assert(requeue(ME, in_hand) == LF_OK); }
static void releases(void) { lf_model_assert(release(ME, in_hand) == LF_OK); }
static void puts_many(void) { lf_model_assert(put_one_of_many(ME) == 1); }
static void gets_many(void) { lf_model_assert(get_one_of_many(ME) == 1); }
static void reaps(void) { lf_model_assert(lf_reap(&ME->h) == 1); }

/* A waiter that gives up takes its announcement along. */
static void waits_a_while_for_record(void) {
    int64_t status = get(ME, lf_now() + 1);
    lf_model_assert(status == 8 || status == LF_EMPTY);
}
static void waits_a_while_for_room(void) {
    int status = put(ME, lf_now() + 1);
    lf_model_assert(status == LF_OK || status == LF_FULL);
}
static void puts_one(void) { lf_model_assert(try_put(ME) == LF_OK); }
static void gets(void) { lf_model_assert(get(ME, 0) == 8); }
static void nobody_is_announced(void) {
    lf_model_assert(object[0].body->not_empty.word >> 32 == 0);
    lf_model_assert(object[0].body->not_full.word >> 32 == 0);
}

LF_MODEL_CLIENT(waiter_and_requeue_sleep, .setup = setup_with_lease, .threads = {requeues, waits_for_record});
LF_MODEL_CLIENT(waiter_and_release_sleep, .setup = setup_with_lease, .threads = {releases, waits_for_room});
LF_MODEL_CLIENT(waiter_and_put_many_sleep, .setup = setup_empty, .threads = {puts_many, waits_for_record});
LF_MODEL_CLIENT(waiter_and_get_many_sleep, .setup = setup_with_one, .threads = {gets_many, waits_for_room});
LF_MODEL_CLIENT(waiter_and_record_of_dead_sleep, .setup = setup_dead_with_lease, .threads = {reaps, waits_for_record});
LF_MODEL_CLIENT(waiter_and_slot_of_dead_sleep, .setup = setup_dead_with_slot, .threads = {reaps, waits_for_room});
/* Alone with the dead. */
LF_MODEL_CLIENT(alone_with_record_of_dead_sleep, .setup = setup_dead_with_lease, .threads = {waits_for_record},
                .timeouts = 2);
LF_MODEL_CLIENT(alone_with_slot_of_dead_sleep, .setup = setup_dead_with_slot, .threads = {waits_for_room},
                .timeouts = 2);
LF_MODEL_CLIENT(no_record_in_time_sleep, .setup = setup_empty, .threads = {waits_a_while_for_record, puts_one},
                .final = nobody_is_announced, .timeouts = 1);
LF_MODEL_CLIENT(nobody_comes_in_time_sleep, .setup = setup_empty, .threads = {waits_a_while_for_record},
                .final = nobody_is_announced, .timeouts = 1);
LF_MODEL_CLIENT(no_room_in_time_sleep, .setup = setup_with_one, .threads = {waits_a_while_for_room, gets},
                .final = nobody_is_announced, .timeouts = 1);

#endif
