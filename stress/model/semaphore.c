/* semaphore: an exact counter, permits that come back from the dead, sleeping; sequences before their wraps. */
#define LF_SEATS 4u
#include <lockfree/semaphore.h>

#include "lockfree_model.h"

static struct lf_semaphore semaphore[4];

static void start(uint64_t value, uint64_t max) {
    void *memory = lf_model_shared(LF_SEMAPHORE_BYTES);
    lf_model_assert(lf_semaphore_create_local(&semaphore[0], memory, value, max, UINT32_MAX) == LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&semaphore[t].h, &lf_semaphore_kind, memory, t) == LF_OK);
    lf_model_label(&semaphore[0].body->word, 8, "value word");
    lf_model_label(&semaphore[0].body->turnstile, 8, "turnstile");
    lf_model_label(&semaphore[0].body->available, 8, "available");
    lf_model_label(semaphore[0].body->seats, sizeof semaphore[0].body->seats, "seats");
}
static void one_of_one(void) { start(1, 1); }
static void one_of_two(void) { start(1, 2); }
static void none_of_one(void) { start(0, 1); }

static int try_acquire(void) {
    lf_model_call(LF_MODEL_TRY_ACQUIRE, 1);
    int status = lf_semaphore_try_acquire(&semaphore[lf_model_thread()], 1);
    lf_model_return(status == LF_OK ? 0 : status == LF_TIMEDOUT ? LF_MODEL_BUSY : (uint64_t)status);
    return status == LF_OK;
}
static void release(void) {
    lf_model_call(LF_MODEL_RELEASE, 1);
    int status = lf_semaphore_release(&semaphore[lf_model_thread()], 1);
    lf_model_return(status == LF_OK ? 0 : status == LF_OVERFLOW ? LF_MODEL_BUSY : (uint64_t)status);
}

static void take_and_give(void) {
    if (try_acquire())
        release();
}
static void take(void) { try_acquire(); }
static void give(void) { release(); }

static void sleeping_take(void) {
    lf_model_assert(lf_semaphore_acquire(&semaphore[lf_model_thread()], 1, LF_FOREVER) == LF_OK);
}
static void sleeping_take_and_give(void) {
    sleeping_take();
    lf_model_assert(lf_semaphore_release(&semaphore[lf_model_thread()], 1) == LF_OK);
}

static void sleeping_release(void) { lf_model_assert(lf_semaphore_release(&semaphore[lf_model_thread()], 1) == LF_OK); }
static void take_until_closed(void) {
    lf_model_assert(lf_semaphore_acquire(&semaphore[1], 1, LF_FOREVER) == LF_CLOSED);
}
static void close_it(void) { lf_semaphore_close(&semaphore[1]); }

/* Thread 1 waits behind somebody who is in the turnstile. */
static void none_and_one_in_the_turnstile(void) {
    none_of_one();
    semaphore[0].body->turnstile = (uint64_t)99 << 32 | 3;
}
/* Participant 3 dies with the permit that thread 1 waits for, and thread 2 recovers it. */
static void one_with_the_dead(void) {
    one_of_one();
    lf_model_assert(lf_semaphore_try_acquire(&semaphore[3], 1) == LF_OK);
    lf_model_set_participant_dead(3);
}
static void take_without_looking_for_the_dead(void) {
    semaphore[1].h.last_reap = lf_now_coarse();
    sleeping_take();
}
static void reap(void) { lf_model_assert(lf_reap(&semaphore[2].h) == 1); }

/* Thread 1 dies anywhere between taking and giving back: its permit is there again. */
static void mortal(void) {
    if (lf_semaphore_try_acquire(&semaphore[1], 1) == LF_OK)
        lf_semaphore_release(&semaphore[1], 1);
}
static void survivor(void) {
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&semaphore[2].h);
    lf_model_assert(lf_semaphore_try_acquire(&semaphore[2], 1) == LF_OK);
    lf_model_assert(lf_semaphore_try_acquire(&semaphore[2], 1) == LF_TIMEDOUT);
    lf_model_assert(lf_semaphore_release(&semaphore[2], 1) == LF_OK);
    lf_model_assert(lf_semaphore_release(&semaphore[2], 1) == LF_OVERFLOW);
}

/* A permit carries what was written before it was given: as a lock, and as a signal, also through others. */
static int guarded;
static void section(void) {
    struct lf_semaphore *s = &semaphore[lf_model_thread()];
    if (lf_semaphore_try_acquire(s, 1) != LF_OK)
        return;
    guarded++;
    lf_model_assert(lf_semaphore_release(s, 1) == LF_OK);
}
static void write_and_signal(void) {
    guarded = 1;
    lf_model_assert(lf_semaphore_release(&semaphore[1], 1) == LF_OK);
}
static void await_and_read(void) {
    if (lf_semaphore_try_acquire(&semaphore[2], 1) == LF_OK)
        lf_model_assert(guarded == 1);
}
static void pass_on(void) {
    if (lf_semaphore_try_acquire(&semaphore[3], 1) == LF_OK)
        lf_model_assert(lf_semaphore_release(&semaphore[3], 1) == LF_OK);
}

/* The same while thread 2 is busy itself, and helps or is helped: both permits are there again in the end. */
static void busy_survivor(void) {
    struct lf_semaphore *s = &semaphore[2];
    if (lf_semaphore_try_acquire(s, 1) == LF_OK)
        lf_model_assert(lf_semaphore_release(s, 1) == LF_OK);
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&s->h);
    lf_model_assert(lf_semaphore_try_acquire(s, 2) == LF_OK);
    lf_model_assert(lf_semaphore_release(s, 2) == LF_OK);
    lf_model_assert(lf_semaphore_release(s, 1) == LF_OVERFLOW);
}
static void two_of_two(void) { start(2, 2); }

#define COUNTER .spec = &lf_model_semaphore
LF_MODEL_CLIENT(sem_2, .setup = one_of_one, .threads = {take_and_give, take_and_give}, COUNTER, .initial = 1,
                .capacity = 1);
LF_MODEL_CLIENT(sem_max, .setup = one_of_two, .threads = {give, give}, COUNTER, .initial = 1, .capacity = 2);
LF_MODEL_CLIENT(sem_3, .setup = one_of_two, .threads = {take, take, give}, COUNTER, .initial = 1, .capacity = 2);
LF_MODEL_CLIENT(sem_sleep, .setup = none_of_one, .threads = {sleeping_take, give});
LF_MODEL_CLIENT(sem_sleep_2, .setup = one_of_one, .threads = {sleeping_take_and_give, sleeping_take_and_give});
LF_MODEL_CLIENT(sem_close_sleep, .setup = none_of_one, .threads = {take_until_closed, close_it});
LF_MODEL_CLIENT(sem_close_turnstile_sleep, .setup = none_and_one_in_the_turnstile,
                .threads = {take_until_closed, close_it});
LF_MODEL_CLIENT(sem_recover_sleep, .setup = one_with_the_dead, .threads = {take_without_looking_for_the_dead, reap});
LF_MODEL_CLIENT(sem_turnstile_sleep, .setup = none_of_one,
                .threads = {sleeping_take_and_give, sleeping_take_and_give, sleeping_release});
LF_MODEL_CLIENT(sem_guard, .setup = one_of_one, .threads = {section, section});
LF_MODEL_CLIENT(sem_signal, .setup = none_of_one, .threads = {write_and_signal, await_and_read});
LF_MODEL_CLIENT(sem_passed_on, .setup = none_of_one, .threads = {write_and_signal, await_and_read, pass_on});
LF_MODEL_CLIENT(sem_death_busy, .setup = two_of_two, .threads = {mortal, busy_survivor}, .stop_is_death = 1,
                .may_stop = 2);
LF_MODEL_CLIENT(sem_death, .setup = one_of_one, .threads = {mortal, survivor}, .stop_is_death = 1, .may_stop = 2);
