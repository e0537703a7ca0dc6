/* spare_slots: one participant keeps a slot while others need one, die, or drain the ring. Thread t is participant t. */
#define LF_LEAST_CELLS 2u
#define LF_PARTICIPANTS 16u
#define LF_SPARES 6u
#define LF__SPARE_REST_NS 0u
#define LF__SPARE_LOOKS 1u
#include <lockfree/mpmc_ring.h>

#include "lockfree_model.h"

static struct lf_mpmc_ring ring[6];
static uint64_t data[2]; /* of each slot; not atomic: what a slot's user does before the next one has it */
static int64_t in_hand, also_in_hand;
static int finished[4], threads = 2, got, recovered, closed;
enum { DEAD = 5 };
#define ME (&ring[lf_model_thread()])

static void lay_out(uint64_t capacity) {
    uint64_t bytes;
    lf_mpmc_ring_bytes(capacity, 8, &bytes);
    void *memory = lf_model_shared(bytes);
    lf_model_assert(lf_mpmc_ring_create_local(&ring[0], memory, capacity, 8, 0) == LF_OK);
    for (uint32_t t = 1; t < 6; t++)
        lf_model_assert(lf_segment_attach_local(&ring[t].h, &lf_mpmc_ring_kind, memory, t) == LF_OK);
    struct lf_spares *spares = ring[0].spares.spares;
    lf_model_label(&spares->scarce, 8, "scarce");
    lf_model_label(&spares->used, 8, "used");
    lf_model_label(&spares->of[1].word, 8, "spare 1");
    lf_model_label(&spares->of[2].word, 8, "spare 2");
    lf_model_label(&spares->of[DEAD].word, 8, "spare of the dead");
    lf_model_label(lf_mpmc_ring_slot(&ring[0], 0), 8, "custody 0");
    lf_model_label(&ring[0].body->not_full, 8, "not_full");
}
/* The participant's spare is its thread's, and not that of the setup any more. */
static void is_of_its_thread(uint32_t t) { ring[t].spares.owner = (uint64_t)t << 32 | (t + 1); }
static void put_and_get(struct lf_mpmc_ring *r) {
    uint64_t value = 9;
    lf_model_assert(lf_mpmc_ring_try_put(r, &value, 8) == LF_OK && lf_mpmc_ring_try_get(r, &value) == 8);
}
static void kept_by(uint32_t t) {
    put_and_get(&ring[t]);
    is_of_its_thread(t);
    lf_model_assert(lf_spares_size(&ring[t].spares) == 1);
}
static void taken_by_1(uint64_t capacity) {
    lay_out(capacity);
    is_of_its_thread(1);
    lf_fetch_or_relaxed(&ring[1].spares.spares->used, UINT64_C(2));
    lf_model_assert((in_hand = lf_mpmc_ring_reserve(&ring[1])) >= 0);
}
static void empty_1(void) { lay_out(1); }
static void taken_1(void) { taken_by_1(1); }
static void taken_1_of_three(void) {
    taken_by_1(1);
    threads = 3;
}
static void kept_1(void) {
    lay_out(1);
    kept_by(1);
}
static void kept_2(void) {
    lay_out(2);
    kept_by(1);
}
static void kept_by_dead(void) {
    lay_out(1);
    kept_by(DEAD);
    lf_model_set_participant_dead(DEAD);
}
/* `scarce` is on, and the slots were searched for. */
static void scarce_and_taken(void) {
    taken_by_1(2);
    int64_t second = lf_mpmc_ring_reserve(&ring[2]);
    lf_model_assert(second >= 0 && lf_mpmc_ring_reserve(&ring[2]) == LF_FULL);
    lf_model_assert(lf_queue_publish(&ring[2].queues[LF__FREE], (uint64_t)second, 2) == LF_OK);
}

static void scarce_and_two_taken(void) {
    scarce_and_taken();
    lf_model_assert((also_in_hand = lf_mpmc_ring_reserve(&ring[1])) >= 0);
}

static void put(uint64_t value) {
    lf_model_call(LF_MODEL_PUT, value);
    int status = lf_mpmc_ring_try_put(ME, &value, sizeof value);
    lf_model_return(status == LF_OK ? 0 : status == LF_FULL ? LF_MODEL_FULL : (uint64_t)status);
}
static void get(void) {
    uint64_t value = 0;
    lf_model_call(LF_MODEL_GET, 0);
    int64_t status = lf_mpmc_ring_try_get(ME, &value);
    lf_model_return(status == 8 ? value : status == LF_EMPTY ? LF_MODEL_EMPTY : (uint64_t)status);
}
static void put_1(void) { put(1); }
static void put_2_get(void) {
    put(2);
    get();
}
static void put_3_get(void) {
    put(3);
    get();
}

/* Frees the slot: a put that is refused afterwards has not seen that. */
static void frees(void) {
    data[in_hand] = 1;
    lf_model_assert(lf_mpmc_ring_release(&ring[1], in_hand) == LF_OK);
}
static void frees_one(void) {
    frees();
    finished[lf_model_thread()] = 1;
}
static void frees_and_puts(void) {
    frees();
    int64_t index = lf_mpmc_ring_reserve(&ring[1]);
    if (index >= 0) {
        data[index] = 3;
        lf_fetch_add_relaxed(&got, 1);
    }
    finished[lf_model_thread()] = 1;
}
/* The first is free for somebody else; the second one is kept, if `scarce` has gone off. */
static void frees_two(void) {
    lf_mpmc_ring_release(&ring[1], in_hand);
    lf_mpmc_ring_release(&ring[1], also_in_hand);
}
static void reserves(void) {
    int64_t index = lf_mpmc_ring_reserve(ME);
    lf_model_assert(index >= 0 || index == LF_FULL);
    if (index >= 0) {
        data[index] = 2;
        lf_fetch_add_relaxed(&got, 1);
        lf_model_assert(lf__custody_taker(lf_load_relaxed(lf__custody(&ring[0].store, (uint64_t)index))) ==
                            (uint32_t)lf_model_thread() ||
                        !lf__is_held(lf_load_relaxed(lf__custody(&ring[0].store, (uint64_t)index))));
    }
}
static void waits_for_room(void) {
    uint64_t value = 4;
    ME->h.last_reap = lf_now_coarse();
    lf_model_assert(lf_mpmc_ring_put(ME, &value, 8, LF_FOREVER) == LF_OK);
}
static int all_finished(void) { return finished[1] + finished[2] + finished[3] == threads; }
static void reserves_once(void) {
    reserves();
    finished[lf_model_thread()] = 1;
}
static void one_has_it(void) { lf_model_assert(!all_finished() || got == 1); }
static void all_are_there(void) {
    if (all_finished())
        lf_model_assert(lf_mpmc_ring_free_slots(&ring[0]) + (uint64_t)got == ring[0].capacity);
}

static int check_whole(struct lf_mpmc_ring *mine) {
    uint64_t value = 0, capacity = mine->capacity;
    while (lf_mpmc_ring_try_get(mine, &value) == 8)
        ;
    for (uint64_t i = 0; i < capacity; i++)
        lf_model_assert(lf_mpmc_ring_try_put(mine, &i, sizeof i) == LF_OK);
    lf_model_assert(lf_mpmc_ring_try_put(mine, &value, sizeof value) == LF_FULL);
    return 1;
}
static void mortal_keeper(void) {
    lf_mpmc_ring_release(&ring[1], in_hand);
    int64_t index = lf_mpmc_ring_reserve(&ring[1]);
    if (index >= 0)
        lf_mpmc_ring_release(&ring[1], index);
}
static void mortal_taker(void) { lf_mpmc_ring_reserve(&ring[1]); }
static void mortal_reaper(void) { lf_reap(&ring[1].h); }
static void heir(void) {
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&ring[2].h);
    check_whole(&ring[2]);
}
/* The keeper itself, whose spare the dead one was taking. */
static void kept_by_2(void) {
    lay_out(1);
    kept_by(2);
}
static void recovers_beside(void) {
    lf_reap(&ME->h);
    recovered = 1;
}
static void one_or_the_queue_has_it(void) {
    if (recovered && finished[1])
        lf_model_assert((uint64_t)got + lf_mpmc_ring_free_slots(&ring[0]) == 1);
}

/* 1 takes the spare of the dead one, beside its recovery, and dies as well. */
static void all_are_recovered(void) {
    if (!recovered || lf_model_participant_alive(1))
        return;
    lf_reap(&ring[3].h);
    check_whole(&ring[3]);
}

/* Two dead: 5 kept a slot, and 4 was taking it. One recovers each. */
static void kept_by_dead_taken_by_dead(void) {
    kept_by_dead();
    uint64_t *word = &ring[0].spares.spares->of[DEAD].word;
    *word |= UINT64_C(4) << LF__SPARE_TAKER;
    lf_model_set_participant_dead(4);
}
static void recovers_the_keeper(void) { finished[1] = lf_reap_one(&ring[1].h, DEAD); }
static void recovers_the_taker(void) { finished[2] = lf_reap_one(&ring[2].h, 4); }
static void it_is_free(void) {
    if (all_finished())
        lf_model_assert(lf_mpmc_ring_free_slots(&ring[0]) == 1 && check_whole(&ring[3]));
}

/* ---- the end of a ring ---- */

static void ends_and_drains(void) {
    uint64_t value;
    lf_mpmc_ring_shutdown(&ring[2], 0);
    int64_t status;
    while ((status = lf_mpmc_ring_get(&ring[2], &value, LF_FOREVER)) == 8)
        got++;
    lf_model_assert(status == LF_CLOSED);
    closed = 1;
}
static int accepted;
static void puts_or_is_too_late(void) {
    uint64_t value = 1;
    int status = lf_mpmc_ring_try_put(&ring[1], &value, 8);
    lf_model_assert(status == LF_OK || status == LF_CLOSED);
    accepted = status == LF_OK;
}
static void all_came_out(void) { lf_model_assert(!closed || got == accepted); }

#define QUEUE .spec = &lf_model_fifo
#define DEATH .stop_is_death = 1, .may_stop = 2
LF_MODEL_CLIENT(spare_kept_called_in, .setup = taken_1, .threads = {frees_one, reserves_once}, .final = all_are_there);
LF_MODEL_CLIENT(spare_kept_called_in_by_two, .setup = taken_1_of_three,
                .threads = {frees_one, reserves_once, reserves_once}, .final = all_are_there);
LF_MODEL_CLIENT(spare_taken_or_called_in, .setup = kept_1, .threads = {reserves_once, reserves_once},
                .final = one_has_it);
LF_MODEL_CLIENT(spare_kept_and_taken, .setup = taken_1, .threads = {frees_and_puts, reserves_once},
                .final = all_are_there);
LF_MODEL_CLIENT(spare_goes_off, .setup = scarce_and_taken, .threads = {frees_one, reserves_once},
                .final = all_are_there);
LF_MODEL_CLIENT(spare_goes_off_beside_two, .setup = scarce_and_taken, .threads = {frees_and_puts, reserves_once},
                .final = all_are_there);
LF_MODEL_CLIENT(spare_history, .setup = kept_1, .threads = {put_2_get, put_3_get}, QUEUE, .capacity = 1);
LF_MODEL_CLIENT(spare_history_of_none, .setup = empty_1, .threads = {put_2_get, put_1}, QUEUE, .capacity = 1);
LF_MODEL_CLIENT(spare_history_of_two, .setup = kept_2, .threads = {put_2_get, put_3_get}, QUEUE, .capacity = 2);
LF_MODEL_CLIENT(spare_waited_for_sleep, .setup = taken_1, .threads = {frees, waits_for_room});
LF_MODEL_CLIENT(spare_waited_for_refused_sleep, .setup = taken_1, .threads = {frees, waits_for_room},
                .no_membarrier = 1 << 1 | 1 << 2);
LF_MODEL_CLIENT(spare_waited_for_beside_one_sleep, .setup = scarce_and_taken, .threads = {frees, waits_for_room});
LF_MODEL_CLIENT(spare_goes_off_beside_taker_sleep, .setup = scarce_and_two_taken,
                .threads = {frees_two, reserves, waits_for_room});
LF_MODEL_CLIENT(spare_two_wait_sleep, .setup = scarce_and_two_taken,
                .threads = {frees_two, waits_for_room, waits_for_room});
LF_MODEL_CLIENT(spare_keeper_dies, .setup = taken_1, .threads = {mortal_keeper, heir}, DEATH);
LF_MODEL_CLIENT(spare_taker_dies, .setup = kept_by_2, .threads = {mortal_taker, heir}, DEATH);
LF_MODEL_CLIENT(spare_of_dead_called_in, .setup = kept_by_dead, .threads = {reserves_once, recovers_beside},
                .final = one_or_the_queue_has_it);
LF_MODEL_CLIENT(spare_of_dead_taker_dies, .setup = kept_by_dead, .threads = {mortal_taker, recovers_beside},
                .final = all_are_recovered, DEATH);
LF_MODEL_CLIENT(spare_of_two_dead, .setup = kept_by_dead_taken_by_dead,
                .threads = {recovers_the_keeper, recovers_the_taker}, .final = it_is_free);
LF_MODEL_CLIENT(spare_reaper_dies, .setup = kept_by_dead, .threads = {mortal_reaper, heir}, DEATH);
LF_MODEL_CLIENT(spare_drained_beside_free_sleep, .setup = taken_1, .threads = {frees, ends_and_drains},
                .final = all_came_out);
LF_MODEL_CLIENT(spare_drained_beside_put_sleep, .setup = kept_1, .threads = {puts_or_is_too_late, ends_and_drains},
                .final = all_came_out);
