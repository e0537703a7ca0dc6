/* semaphore with seats that their threads keep: an operation is booked by the next one, or never; what the dead held is
 * known at every instant, also while others book it. */
#define LF_SEATS 4u
#define LF_PARTICIPANTS 16u
#include <lockfree/semaphore.h>

#include "lockfree_model.h"

#define INITIAL 3

static struct lf_semaphore semaphore[4];
static int finished[4];

/* Each thread keeps a seat already. Its number of operations stands before the wrap of the word's sequence. */
static void setup(void) {
    void *memory = lf_model_shared(LF_SEMAPHORE_BYTES);
    lf_model_assert(lf_semaphore_create_local(&semaphore[0], memory, INITIAL, INITIAL, LF__SEQUENCE_MASK - 1) == LF_OK);
    for (uint32_t t = 1; t < 4; t++) {
        lf_model_assert(lf_segment_attach_local(&semaphore[t].h, &lf_semaphore_kind, memory, t) == LF_OK);
        struct lf_seat *seat = &semaphore[0].body->seats[t - 1];
        seat->claim = LF__SEAT_BUSY | t;
        seat->keeper = (uint64_t)(t + 1) << 32;
    }
    static const char *const names[3][2] = {
        {"account 1", "intents 1"}, {"account 2", "intents 2"}, {"account 3", "intents 3"}};
    for (int i = 0; i < 3; i++) {
        lf_model_label(&semaphore[0].body->seats[i].account, 8, names[i][0]);
        lf_model_label(semaphore[0].body->seats[i].intents, 16, names[i][1]);
    }
    lf_model_label(&semaphore[0].body->word, 8, "value word");
}

/* Three operations, of which those before the last are never booked if nobody comes between. */
static void take_two_and_give_one(void) {
    struct lf_semaphore *s = &semaphore[lf_model_thread()];
    if (lf_semaphore_try_acquire(s, 1) == LF_OK && lf_semaphore_try_acquire(s, 1) == LF_OK)
        lf_model_assert(lf_semaphore_release(s, 1) == LF_OK);
    finished[lf_model_thread()] = 1;
}
static void take_and_give(void) {
    struct lf_semaphore *s = &semaphore[lf_model_thread()];
    if (lf_semaphore_try_acquire(s, 1) == LF_OK)
        lf_model_assert(lf_semaphore_release(s, 1) == LF_OK);
    finished[lf_model_thread()] = 1;
}
static int64_t held(void) {
    int64_t sum = 0;
    lf__sem_help(&semaphore[0], lf__sem_now(semaphore[0].body));
    for (uint32_t i = 0; i < LF_SEATS; i++)
        sum += lf__sem_held(semaphore[0].body->seats[i].account);
    return sum;
}
static void all_accounted_for(void) {
    if (finished[1] && finished[2])
        lf_model_assert(held() == INITIAL - lf_semaphore_value(&semaphore[0]));
}

/* Thread 1 dies anywhere; thread 2, whose own operations book those of thread 1, gives back what it had. */
static void survivor(void) {
    struct lf_semaphore *s = &semaphore[2];
    take_and_give();
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&s->h);
    lf_model_assert(lf_semaphore_value(s) == INITIAL);
    lf_model_assert(held() == 0 && s->body->debt == 0);
    lf_model_assert(lf_semaphore_try_acquire(s, INITIAL) == LF_OK);
    lf_model_assert(lf_semaphore_release(s, INITIAL) == LF_OK);
    lf_model_assert(lf_semaphore_release(s, 1) == LF_OVERFLOW);
}

LF_MODEL_CLIENT(kept_2, .setup = setup, .threads = {take_two_and_give_one, take_two_and_give_one},
                .final = all_accounted_for);
LF_MODEL_CLIENT(kept_death, .setup = setup, .threads = {take_two_and_give_one, survivor}, .stop_is_death = 1,
                .may_stop = 2);
