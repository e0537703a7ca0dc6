/* semaphore with a single seat (the other one is taken for good), which passes from one participant to the other: the
 * account that one leaves is the one that the next goes on with. No thread keeps a seat here (semaphore_kept.c). */
#define LF_SEATS 2u
#define LF__KEPT_SEATS 0u
#define LF_PARTICIPANTS 16u
#include <lockfree/semaphore.h>

#include "lockfree_model.h"

static struct lf_semaphore semaphore[4];
static int changed[4], finished[4], recovered;

static void setup(void) {
    void *memory = lf_model_shared(LF_SEMAPHORE_BYTES);
    lf_model_assert(lf_semaphore_create_local(&semaphore[0], memory, 1, 2, 7) == LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&semaphore[t].h, &lf_semaphore_kind, memory, t) == LF_OK);
    semaphore[0].body->seats[1].claim = LF__SEAT_BUSY | 9;
    lf_model_label(&semaphore[0].body->word, 8, "value word");
    lf_model_label(&semaphore[0].body->seats[0].claim, 8, "claim");
    lf_model_label(semaphore[0].body->seats[0].intents, 16, "intents");
    lf_model_label(&semaphore[0].body->seats[0].account, 8, "account");
}

static void take_and_give(void) {
    struct lf_semaphore *s = &semaphore[lf_model_thread()];
    if (lf_semaphore_try_acquire(s, 1) == LF_OK) {
        changed[lf_model_thread()] = -1;
        if (lf_semaphore_release(s, 1) == LF_OK)
            changed[lf_model_thread()] = 0;
    }
    finished[lf_model_thread()] = 1;
}
static void final(void) {
    if (!finished[1] || !finished[2]) /* with --threads-stop */
        return;
    lf_model_assert(lf_semaphore_value(&semaphore[0]) == 1 + changed[1] + changed[2]);
    lf_model_assert(lf__sem_held(semaphore[0].body->seats[0].account) == -changed[1] - changed[2]);
}

/* After any deaths, nothing is out in the end. */
static void survivor(void) {
    struct lf_semaphore *s = &semaphore[2];
    take_and_give();
    if (lf_model_participant_alive(1) || changed[2] != 0)
        return;
    lf_reap(&s->h);
    lf_model_assert(lf_semaphore_value(s) == 1);
    lf_model_assert(lf_semaphore_try_acquire(s, 1) == LF_OK);
    lf_model_assert(lf_semaphore_release(s, 1) == LF_OK);
}

/* Thread 2 recovers the dead one, thread 3 takes the seat over. */
static void only_reaps(void) {
    if (!lf_model_participant_alive(1))
        recovered = lf_reap(&semaphore[2].h);
}
static void whole_again(void) {
    if (recovered && finished[3] && changed[3] == 0)
        lf_model_assert(lf_semaphore_value(&semaphore[0]) == 1 &&
                        lf__sem_held(semaphore[0].body->seats[0].account) == 0);
}

LF_MODEL_CLIENT(seat_after_the_dead, .setup = setup, .threads = {take_and_give, only_reaps, take_and_give},
                .final = whole_again, .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(seat_passes_on, .setup = setup, .threads = {take_and_give, take_and_give}, .final = final);
LF_MODEL_CLIENT(seat_of_the_dead, .setup = setup, .threads = {take_and_give, survivor}, .stop_is_death = 1,
                .may_stop = 2);
