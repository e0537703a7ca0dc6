/* semaphore: the dead one, 9, has a permit in one seat and nothing in another one, which thread 2 takes over while
 * thread 1 recovers: what thread 2 acquires there is its own, also if another thread writes it down. Thread 3 gives
 * back what it has. */
#define LF_SEATS 4u
#define LF_PARTICIPANTS 16u
#include <lockfree/semaphore.h>

#include "lockfree_model.h"

#define INITIAL 3
#define ONE_HELD (UINT64_C(1) << 32)

static struct lf_semaphore semaphore[5];
static int taken, given, finished[4];

static void setup(void) {
    void *memory = lf_model_shared(LF_SEMAPHORE_BYTES);
    lf_model_assert(lf_semaphore_create_local(&semaphore[0], memory, INITIAL, INITIAL, 7) == LF_OK);
    for (uint32_t t = 1; t < 5; t++)
        lf_model_assert(lf_segment_attach_local(&semaphore[t].h, &lf_semaphore_kind, memory, t == 4 ? 9 : t) == LF_OK);
    struct lf_semaphore_body *body = semaphore[0].body;
    body->word = lf__sem_word(INITIAL - 2, 0, 7);
    body->seats[0].claim = 9;
    body->seats[0].account += ONE_HELD;
    body->seats[1].claim = 9;
    body->seats[2].claim = 3;
    body->seats[2].account += ONE_HELD;
    body->seats[3].claim = LF__SEAT_BUSY | 11;
    lf_model_set_participant_dead(9);
    lf_model_label(&body->word, 8, "value word");
    for (int i = 0; i < 3; i++) {
        static const char *const names[3][2] = {
            {"claim 0", "account 0"}, {"claim 1", "account 1"}, {"claim 2", "account 2"}};
        lf_model_label(&body->seats[i].claim, 8, names[i][0]);
        lf_model_label(&body->seats[i].account, 8, names[i][1]);
    }
}
static void recover(void) {
    lf_reap(&semaphore[1].h);
    finished[1] = 1;
}
static void take_over(void) {
    taken = lf_semaphore_try_acquire(&semaphore[2], 1) == LF_OK;
    finished[2] = 1;
}
static void give_back(void) {
    lf_model_assert(lf_semaphore_release(&semaphore[3], 1) == LF_OK);
    given = 1;
}
static void all_accounted_for(void) {
    int64_t held = 0, out = 1 - given + taken;
    if (!finished[1] || !finished[2])
        return;
    lf__sem_help(&semaphore[0], lf__sem_now(semaphore[0].body)); /* the last operation may stand in the word alone */
    for (uint32_t i = 0; i < LF_SEATS; i++)
        held += lf__sem_held(semaphore[0].body->seats[i].account);
    lf_model_assert(lf_semaphore_value(&semaphore[0]) == INITIAL - out && held == out);
}
static void all_accounted_for_by_three(void) {
    if (given)
        all_accounted_for();
}

LF_MODEL_CLIENT(seat_taken_from_the_dead, .setup = setup, .threads = {recover, take_over}, .final = all_accounted_for);
LF_MODEL_CLIENT(seat_taken_while_helped, .setup = setup, .threads = {recover, take_over, give_back},
                .final = all_accounted_for_by_three);
