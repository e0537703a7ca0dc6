/* reaping.h: giving back what the dead held: two threads of one handle, one after another, one that dies at it
 * itself. What the dead hold are permits of a semaphore. */
#define LF_SEATS 4u
#define LF_PARTICIPANTS 16u
#include <lockfree/semaphore.h>

#include "lockfree_model.h"

#define INITIAL 5
enum { DEBTOR = 8, DEAD = 9, LENDER = 10 };

static struct lf_semaphore semaphore[LF_PARTICIPANTS];
static int recovered[4], finished[4];

static void take_in_a_seat_of_its_own(uint32_t participant) {
    struct lf_semaphore *s = &semaphore[participant];
    lf_model_assert(lf_semaphore_try_acquire(s, 1) == LF_OK);
    for (uint32_t i = 0; i < LF_SEATS; i++)
        if ((s->body->seats[i].claim & LF__SEAT_PARTICIPANT) == participant)
            s->body->seats[i].claim |= LF__SEAT_BUSY; /* by a thread that is slow */
}
static void leave_seats(uint32_t participant) {
    for (uint32_t i = 0; i < LF_SEATS; i++)
        if ((semaphore[0].body->seats[i].claim & LF__SEAT_PARTICIPANT) == participant)
            semaphore[0].body->seats[i].claim &= ~LF__SEAT_BUSY;
}

/* Participant 9 died with two permits, in two seats. */
static void setup(void) {
    void *memory = lf_model_shared(LF_SEMAPHORE_BYTES);
    lf_model_assert(lf_semaphore_create_local(&semaphore[0], memory, INITIAL, INITIAL, 7) == LF_OK);
    for (uint32_t t = 1; t < 12; t++)
        lf_model_assert(lf_segment_attach_local(&semaphore[t].h, &lf_semaphore_kind, memory, t) == LF_OK);
    take_in_a_seat_of_its_own(DEAD);
    take_in_a_seat_of_its_own(DEAD);
    leave_seats(DEAD);
    lf_model_set_participant_dead(DEAD);
    lf_model_label(&semaphore[0].body->word, 8, "value word");
    lf_model_label(&semaphore[0].body->debt, 8, "debt");
    lf_model_label(semaphore[0].body->seats, sizeof semaphore[0].body->seats, "seats");
}

/* Two threads of one process find the same dead one. */
static void reap(void) {
    recovered[1] = lf_reap(&semaphore[3].h);
    finished[1] = 1;
}
static void reap_one(void) {
    recovered[2] = lf_reap_one(&semaphore[3].h, DEAD);
    finished[2] = 1;
}
static void recovered_once(void) {
    if (!finished[1] || !finished[2])
        return;
    lf_model_assert(recovered[1] + recovered[2] == 1);
    lf_model_assert(lf_semaphore_value(&semaphore[0]) == INITIAL);
}

/* A recovered participant stays recovered; the next one with its number, once it dies, is recovered again, by
 * anybody. */
static void take_and_die_again(void) {
    semaphore[0].h.segment->participants[DEAD].in_use = 1;
    take_in_a_seat_of_its_own(DEAD);
    leave_seats(DEAD);
    lf_model_assert(lf_semaphore_value(&semaphore[0]) == INITIAL - 1);
}
static void reap_again_and_again(void) {
    struct lf_semaphore *first = &semaphore[2], *second = &semaphore[3];
    lf_model_assert(lf_reap(&first->h) == 1);
    lf_model_assert(lf_reap(&first->h) == 0 && lf_reap(&second->h) == 0);
    take_and_die_again();
    lf_model_assert(lf_reap_one(&second->h, DEAD) == 1);
    lf_model_assert(lf_reap_one(&second->h, DEAD) == 0);
    take_and_die_again();
    lf_model_assert(lf_reap_one(&second->h, DEAD) == 1);
    take_and_die_again();
    lf_model_assert(lf_reap(&second->h) == 1);
    take_and_die_again();
    second->h.last_reap = lf_now_coarse() + 1;
    lf_model_assert(lf_reap_if_due(&second->h) == 1);
    take_and_die_again();
    lf_model_assert(lf_reap_if_due(&second->h) == 0); /* the same tick */
    lf_model_assert(lf_reap(&first->h) == 1);
    lf_model_assert(lf_semaphore_value(first) == INITIAL);
}

/* Thread 1 dies anywhere in the recovery. Thread 2 recovers both, and then one who dies later: not one permit is
 * missing, nor one too many. */
static void mortal_reaper(void) { lf_reap(&semaphore[1].h); }
static void heir(void) {
    struct lf_semaphore *s = &semaphore[2];
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&s->h);
    lf_model_assert(lf_semaphore_value(s) == INITIAL);
    take_and_die_again();
    lf_reap(&s->h);
    lf_model_assert(lf_semaphore_value(s) == INITIAL);
    for (uint32_t i = 0; i < LF_SEATS; i++)
        lf_model_assert(lf__sem_held(s->body->seats[i].account) == 0 && !(s->body->seats[i].claim & LF__SEAT_BUSY));
}

/* Somebody has given back one permit that another had taken, and dies: one permit less comes back of those of the next
 * one who dies, and of nobody's after that. */
static void setup_debt(void) {
    setup();
    lf_model_assert(lf_semaphore_try_acquire(&semaphore[LENDER], 1) == LF_OK);
    lf_model_assert(lf_semaphore_release(&semaphore[DEBTOR], 1) == LF_OK);
    lf_model_set_participant_dead(DEBTOR);
}
static void debts_are_paid(void) {
    struct lf_semaphore *s = &semaphore[2];
    lf_model_assert(lf_reap(&s->h) == 2);
    lf_model_assert(lf_semaphore_value(s) == INITIAL - 1);
    lf_model_set_participant_dead(LENDER);
    lf_model_assert(lf_reap(&s->h) == 1);
    lf_model_assert(lf_semaphore_value(s) == INITIAL);
}

LF_MODEL_CLIENT(reap_by_two_threads, .setup = setup, .threads = {reap, reap_one}, .final = recovered_once);
LF_MODEL_CLIENT(reap_again, .setup = setup, .threads = {reap_again_and_again});
LF_MODEL_CLIENT(reaper_dies, .setup = setup, .threads = {mortal_reaper, heir}, .stop_is_death = 1, .may_stop = 2);
LF_MODEL_CLIENT(reap_debts, .setup = setup_debt, .threads = {debts_are_paid});
