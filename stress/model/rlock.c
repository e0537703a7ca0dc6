/* rlock: exclusion with levels, and the death of a holder that was deep inside. */
#include <lockfree/rlock.h>

#include "lockfree_model.h"

static struct lf_rlock rlock[4];
static int guarded;

static void setup(void) {
    void *memory = lf_model_shared(LF_LOCK_BYTES);
    lf_model_assert(lf_rlock_create_local(&rlock[0], memory) == LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&rlock[t].h, &lf_rlock_kind, memory, t) == LF_OK);
    lf_model_label(rlock[0].word, 8, "word");
    lf_model_label(&rlock[0].body->depth, 8, "depth");
}
/* Two threads of one participant: the token alone tells them apart. */
static void setup_one_participant(void) {
    setup();
    rlock[2].h.participant = 1;
}
#define ME (&rlock[lf_model_thread()])

static void nested_section(void) {
    lf_model_assert(lf_rlock_acquire(ME, LF_FOREVER) == LF_OK);
    lf_model_assert(lf_rlock_acquire(ME, LF_FOREVER) == LF_OK);
    guarded++;
    lf_model_assert(lf_rlock_release(ME) == LF_OK);
    guarded++;
    lf_model_assert(lf_rlock_depth(ME) == 1);
    lf_model_assert(lf_rlock_release(ME) == LF_OK);
}
static void given_back_for_a_while(void) {
    lf_model_assert(lf_rlock_try_acquire(ME) != LF_OK || lf_rlock_try_acquire(ME) == LF_OK);
    int64_t depth = lf_rlock_release_all(ME);
    if (depth < 0)
        return;
    lf_model_assert(depth == 2);
    lf_model_assert(lf_rlock_acquire(ME, LF_FOREVER) == LF_OK);
    lf_rlock_restore(ME, depth);
    guarded++;
    lf_model_assert(lf_rlock_release(ME) == LF_OK);
    guarded++;
    lf_model_assert(lf_rlock_release(ME) == LF_OK);
    lf_model_assert(lf_rlock_depth(ME) == 0);
}
static void four_steps(void) { lf_model_assert(guarded == 4); }

/* Thread 1 dies anywhere, also between its two levels. */
static void mortal(void) {
    if (lf_rlock_acquire(&rlock[1], LF_FOREVER) != LF_OK)
        return;
    lf_rlock_acquire(&rlock[1], LF_FOREVER);
    guarded = 1;
    guarded = 0;
    lf_rlock_release(&rlock[1]);
    lf_rlock_release(&rlock[1]);
}
static void survivor(void) {
    struct lf_rlock *r = &rlock[2];
    if (lf_model_participant_alive(1))
        return;
    int status = lf_rlock_acquire(r, LF_FOREVER);
    lf_model_assert(status == LF_OK || status == LF_OWNER_DIED);
    lf_model_assert(status == LF_OWNER_DIED || guarded == 0);
    if (status == LF_OWNER_DIED) {
        guarded = 0;
        lf_model_assert(lf_rlock_recover(r) == LF_OK);
    }
    lf_model_assert(lf_rlock_depth(r) == 1);
    lf_model_assert(lf_rlock_release(r) == LF_OK);
    lf_model_assert(lf_rlock_try_acquire(r) == LF_OK);
}

LF_MODEL_CLIENT(rlock_nested_sleep, .setup = setup, .threads = {nested_section, nested_section}, .final = four_steps);
LF_MODEL_CLIENT(rlock_threads_sleep, .setup = setup_one_participant, .threads = {nested_section, nested_section},
                .final = four_steps);
LF_MODEL_CLIENT(rlock_given_back_sleep, .setup = setup, .threads = {given_back_for_a_while, nested_section});
LF_MODEL_CLIENT(rlock_death, .setup = setup, .threads = {mortal, survivor}, .stop_is_death = 1, .may_stop = 2);
