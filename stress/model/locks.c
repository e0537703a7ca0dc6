/* mutex and spinlock: exclusion, exact refusals, sleeping, and the death of the holder. */
#include <lockfree/mutex.h>
#include <lockfree/spinlock.h>

#include "lockfree_model.h"

static struct lf_mutex mutex[4];
static struct lf_spinlock spinlock[4];
static int guarded;

static void mutex_setup(void) {
    void *memory = lf_model_shared(LF_LOCK_BYTES);
    lf_model_assert(lf_mutex_create_local(&mutex[0], memory) == LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&mutex[t].h, &lf_mutex_kind, memory, t) == LF_OK);
    lf_model_label(mutex[0].word, 8, "word");
}
static void spinlock_setup(void) {
    void *memory = lf_model_shared(LF_LOCK_BYTES);
    lf_model_assert(lf_spinlock_create_local(&spinlock[0], memory) == LF_OK);
    for (uint32_t t = 1; t < 4; t++) {
        lf_model_assert(lf_segment_attach_local(&spinlock[t].h, &lf_spinlock_kind, memory, t) == LF_OK);
        spinlock[t].h.spins = 1;
    }
    lf_model_label(spinlock[0].word, 8, "word");
}

static void mutex_section(void) {
    struct lf_mutex *m = &mutex[lf_model_thread()];
    lf_model_assert(lf_mutex_acquire(m, LF_FOREVER) == LF_OK);
    guarded++;
    lf_model_assert(lf_mutex_release(m) == LF_OK);
}
static void spinlock_section(void) {
    struct lf_spinlock *s = &spinlock[lf_model_thread()];
    lf_model_assert(lf_spinlock_acquire(s, LF_FOREVER) == LF_OK);
    guarded++;
    lf_model_assert(lf_spinlock_release(s) == LF_OK);
}
static void two_sections(void) { lf_model_assert(guarded == 2); }
static void three_sections(void) { lf_model_assert(guarded == 3); }

static void try_section(void) {
    struct lf_mutex *m = &mutex[lf_model_thread()];
    lf_model_call(LF_MODEL_TRY_ACQUIRE, 0);
    int status = lf_mutex_try_acquire(m);
    lf_model_return(status == LF_OK ? 0 : status == LF_TIMEDOUT ? LF_MODEL_BUSY : (uint64_t)status);
    if (status != LF_OK)
        return;
    guarded++;
    lf_model_call(LF_MODEL_RELEASE, 0);
    lf_mutex_release(m);
    lf_model_return(0);
}

/* Thread 1 dies anywhere; the others are told once, put it right, and go on. */
static void mortal_section(void) {
    if (lf_mutex_acquire(&mutex[1], LF_FOREVER) != LF_OK)
        return;
    guarded = 1;
    guarded = 0;
    lf_mutex_release(&mutex[1]);
}
static void survivor_section(void) {
    struct lf_mutex *m = &mutex[2];
    if (lf_model_participant_alive(1))
        return;
    int status = lf_mutex_acquire(m, LF_FOREVER);
    lf_model_assert(status == LF_OK || status == LF_OWNER_DIED);
    lf_model_assert(status == LF_OWNER_DIED || guarded == 0);
    if (status == LF_OWNER_DIED) {
        guarded = 0;
        lf_model_assert(lf_mutex_recover(m) == LF_OK);
    }
    lf_model_assert(lf_mutex_release(m) == LF_OK);
    lf_model_assert(lf_mutex_try_acquire(m) == LF_OK);
}

/* Thread 1 holds the lock for ever; a waiter is told when its handle is closed. */
static void hold(void) { lf_model_assert(lf_mutex_acquire(&mutex[1], LF_FOREVER) == LF_OK); }
static void wait_until_closed(void) {
    int status = lf_mutex_acquire(&mutex[2], LF_FOREVER);
    lf_model_assert(status == LF_CLOSED || status == LF_OK);
    if (status == LF_OK)
        lf__lock_release(&mutex[2].h, mutex[2].word);
}
static void close_it(void) { lf_mutex_close(&mutex[2]); }
static void hold_spinlock(void) { lf_model_assert(lf_spinlock_acquire(&spinlock[1], LF_FOREVER) == LF_OK); }
static void wait_for_spinlock(void) {
    int status = lf_spinlock_acquire(&spinlock[2], LF_FOREVER);
    lf_model_assert(status == LF_CLOSED || status == LF_OK);
    if (status == LF_OK)
        lf__lock_release(&spinlock[2].h, spinlock[2].word);
}
static void close_spinlock(void) { lf_spinlock_close(&spinlock[2]); }

LF_MODEL_CLIENT(mutex_close_sleep, .setup = mutex_setup, .threads = {hold, wait_until_closed, close_it});
LF_MODEL_CLIENT(spinlock_close_sleep, .setup = spinlock_setup,
                .threads = {hold_spinlock, wait_for_spinlock, close_spinlock});
LF_MODEL_CLIENT(mutex_2, .setup = mutex_setup, .threads = {mutex_section, mutex_section}, .final = two_sections);
LF_MODEL_CLIENT(mutex_3, .setup = mutex_setup, .threads = {mutex_section, mutex_section, mutex_section},
                .final = three_sections);
LF_MODEL_CLIENT(mutex_try, .setup = mutex_setup, .threads = {try_section, try_section}, .spec = &lf_model_mutex);
/* Thread 2 finds the death, thread 3 gets the lock without having asked after anybody. */
static void only_reaps(void) {
    if (!lf_model_participant_alive(1))
        lf_reap(&mutex[2].h);
}
static void unasked_heir(void) {
    int status = lf_mutex_try_acquire(&mutex[3]);
    if (status == LF_OWNER_DIED || status == LF_OK) {
        lf_model_assert(status == LF_OWNER_DIED || guarded == 0);
        guarded = 0;
        lf_mutex_recover(&mutex[3]);
        lf_mutex_release(&mutex[3]);
    }
}

/* Participant 3 holds the lock and dies; thread 2 recovers it, or thread 1 itself, which waits for it. */
static void mutex_of_the_dead(void) {
    mutex_setup();
    *mutex[0].word = (uint64_t)99 << 32 | 3;
}
static void wait_for_the_lock(void) {
    lf_model_assert(lf_mutex_acquire(&mutex[1], LF_FOREVER) == LF_OWNER_DIED);
    lf_model_assert(lf_mutex_release(&mutex[1]) == LF_OK);
}
static void dies_and_is_found(void) {
    lf_model_set_participant_dead(3);
    lf_model_assert(lf_reap(&mutex[2].h) <= 1); /* none where thread 1 has found it first */
}

LF_MODEL_CLIENT(mutex_death_sleep, .setup = mutex_of_the_dead, .threads = {wait_for_the_lock, dies_and_is_found});
LF_MODEL_CLIENT(mutex_death_3, .setup = mutex_setup, .threads = {mortal_section, only_reaps, unasked_heir},
                .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(mutex_death, .setup = mutex_setup, .threads = {mortal_section, survivor_section}, .stop_is_death = 1,
                .may_stop = 2);
LF_MODEL_CLIENT(spinlock_2, .setup = spinlock_setup, .threads = {spinlock_section, spinlock_section},
                .final = two_sections);

/* The last holder died, and the thread that is told of it lets go without recover: all waiters are told, not one of
 * them. */
static void mutex_whose_holder_died(void) {
    mutex_setup();
    *mutex[0].word = LF__LOCK_DIED;
}
static void lets_go_or_is_told(void) {
    struct lf_mutex *m = &mutex[lf_model_thread()];
    int status = lf_mutex_acquire(m, LF_FOREVER);
    if (status == LF_OWNER_DIED)
        lf_model_assert(lf_mutex_release(m) == LF_OK);
    else
        lf_model_assert(status == LF_NOT_RECOVERABLE);
}
LF_MODEL_CLIENT(mutex_doomed_sleep, .setup = mutex_whose_holder_died,
                .threads = {lets_go_or_is_told, lets_go_or_is_told, lets_go_or_is_told});
