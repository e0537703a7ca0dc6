/* barrier: rounds, what was written before them, and how waits end when it breaks, is reset, or somebody dies. */
#include <lockfree/barrier.h>

#include "lockfree_model.h"

static struct lf_barrier barrier[4];
static int data[4];

static void start(uint64_t parties, uint64_t word) {
    void *memory = lf_model_shared(LF_BARRIER_BYTES);
    lf_model_assert(lf_barrier_create_local(&barrier[0], memory, parties, word) == LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&barrier[t].h, &lf_barrier_kind, memory, t) == LF_OK);
    lf_model_label(&barrier[0].body->word, 8, "word");
    lf_model_label(&barrier[0].body->changed, 8, "changed");
}
/* Rounds, and the count of changes, wrap at the first of them. */
static void of_two(void) {
    start(2, ((UINT64_C(1) << 30) - 1) << 18);
    barrier[0].body->changed.word = UINT32_MAX;
}
#define ME (&barrier[lf_model_thread()])

static void one_round(void) {
    int me = lf_model_thread();
    data[me] = 1;
    lf_model_assert(lf_barrier_wait(ME, LF_FOREVER) >= 0);
    lf_model_assert(data[3 - me] == 1);
}

/* One waits, another one ends it: by the round's completion or by a reset, whichever was first. */
static int64_t got[4];
static void waits(void) { got[1] = lf_barrier_wait(ME, LF_FOREVER); }
static void comes_and_resets(void) {
    got[2] = lf_barrier_wait(ME, LF_FOREVER);
    lf_model_assert(lf_barrier_abort(ME) == LF_OK);
    lf_model_assert(lf_barrier_reset(ME) == LF_OK);
}
static void both_are_through(void) { lf_model_assert(got[1] + got[2] == 1 && got[1] >= 0 && got[2] >= 0); }
static void aborts(void) { lf_model_assert(lf_barrier_abort(ME) == LF_OK); }
static void is_told(void) { lf_model_assert(lf_barrier_wait(ME, LF_FOREVER) == LF_BROKEN); }
static uint64_t round_of_1;
static void setup_waiting(void) {
    of_two();
    lf_model_assert(lf_barrier_arrive(&barrier[1], 0, &round_of_1) == 0);
}
static void sleeps_until_reset(void) {
    lf_model_assert(lf_barrier_sleep(&barrier[1], round_of_1, LF_FOREVER) == LF_BROKEN);
}
static void resets(void) { lf_model_assert(lf_barrier_reset(ME) == LF_OK); }
static void new_again(void) {
    lf_model_assert(lf_barrier_broken(&barrier[0]) == 0 && lf_barrier_waiting(&barrier[0]) == 0);
}
static void dies_and_is_found(void) {
    lf_model_set_participant_dead(3);
    lf_model_assert(lf_reap(&barrier[2].h) == 1);
}
/* With an action: the round is complete for the waiters when it has ended. */
static void waits_and_reads(void) {
    uint64_t round;
    int64_t place = lf_barrier_arrive(ME, 1, &round);
    lf_model_assert(place >= 0);
    if (place == 1) {
        data[0] = 7;
        lf_model_assert(lf_barrier_open(ME, round) == LF_OK);
    } else {
        lf_model_assert(lf_barrier_sleep(ME, round, LF_FOREVER) == LF_OK);
        lf_model_assert(data[0] == 7);
    }
}

LF_MODEL_CLIENT(barrier_round_sleep, .setup = of_two, .threads = {one_round, one_round});
LF_MODEL_CLIENT(barrier_then_reset_sleep, .setup = of_two, .threads = {waits, comes_and_resets},
                .final = both_are_through);
LF_MODEL_CLIENT(barrier_abort_sleep, .setup = of_two, .threads = {is_told, aborts});
LF_MODEL_CLIENT(barrier_reset_sleep, .setup = setup_waiting, .threads = {sleeps_until_reset, resets, resets},
                .final = new_again);
LF_MODEL_CLIENT(barrier_death_sleep, .setup = setup_waiting, .threads = {sleeps_until_reset, dies_and_is_found});
LF_MODEL_CLIENT(barrier_action_sleep, .setup = of_two, .threads = {waits_and_reads, waits_and_reads});
