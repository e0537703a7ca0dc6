/* mpmc_ring of capacity 1 with queues of a single cell, which is used again at once: thread 1 dies anywhere
 * while thread 2 is busy, or is only slow. With capacity 2 its custody must be completed by the next user of the
 * cell. */
#define LF_LEAST_CELLS 1u
#include <lockfree/mpmc_ring.h>

#include "lockfree_model.h"

static struct lf_mpmc_ring ring[4];
static uint32_t delivered, releasing;

static void setup_of(uint64_t capacity) {
    uint64_t bytes;
    lf_mpmc_ring_bytes(capacity, 8, &bytes);
    void *memory = lf_model_shared(bytes);
    lf_model_assert(lf_mpmc_ring_create_local(&ring[0], memory, capacity, 8, 0) == LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&ring[t].h, &lf_mpmc_ring_kind, memory, t) == LF_OK);
    lf_model_label(&ring[0].queues[LF__FREE].ends->head, 8, "free.head");
    lf_model_label(&ring[0].queues[LF__FREE].ends->tail, 8, "free.tail");
    lf_model_label(ring[0].queues[LF__FREE].cells, 8, "free.cell");
    lf_model_label(&ring[0].queues[LF__RECORDS].ends->head, 8, "records.head");
    lf_model_label(&ring[0].queues[LF__RECORDS].ends->tail, 8, "records.tail");
    lf_model_label(ring[0].queues[LF__RECORDS].cells, 8, "records.cell");
    lf_model_label(lf_mpmc_ring_slot(&ring[0], 0), 8, "custody");
}
static void setup(void) { setup_of(1); }
static void setup_of_two(void) { setup_of(2); }
static void setup_with_one(void) {
    uint64_t value = 9;
    setup();
    lf_model_assert(lf_mpmc_ring_try_put(&ring[3], &value, sizeof value) == LF_OK);
}

static void put(uint64_t value) {
    lf_model_call(LF_MODEL_PUT, value);
    int status = lf_mpmc_ring_try_put(&ring[lf_model_thread()], &value, sizeof value);
    lf_model_return(status == LF_OK ? 0 : status == LF_FULL ? LF_MODEL_FULL : (uint64_t)status);
}
static void get(void) {
    uint64_t value = 0;
    lf_model_call(LF_MODEL_GET, 0);
    int64_t status = lf_mpmc_ring_try_get(&ring[lf_model_thread()], &value);
    lf_model_return(status == 8 ? value : status == LF_EMPTY ? LF_MODEL_EMPTY : (uint64_t)status);
}

/* The ring is whole: what is inside comes out once, and then there is room for exactly one. */
static void check_whole_by(struct lf_mpmc_ring *mine, uint64_t most) {
    uint64_t value = 0, inside = 0;
    while (lf_mpmc_ring_try_get(mine, &value) == 8)
        inside++;
    lf_model_assert(inside <= most);
    for (uint64_t round = 5; round < 7; round++) {
        lf_model_assert(lf_mpmc_ring_try_put(mine, &round, sizeof round) == LF_OK);
        lf_model_assert(lf_mpmc_ring_try_put(mine, &round, sizeof round) == LF_FULL);
        lf_model_assert(lf_mpmc_ring_try_get(mine, &value) == 8 && value == round);
        lf_model_assert(lf_mpmc_ring_try_get(mine, &value) == LF_EMPTY);
    }
}

static void check_whole(uint64_t most) { check_whole_by(&ring[lf_model_thread()], most); }

static void mortal_put(void) { put(1); }
static void mortal_get(void) { get(); }
static void busy_then_check(void) {
    put(2);
    get();
    if (!lf_model_participant_alive(1)) {
        lf_reap(&ring[2].h);
        check_whole(1);
    }
}
static void get_then_check(void) {
    get();
    if (!lf_model_participant_alive(1)) {
        lf_reap(&ring[2].h);
        check_whole(1);
    }
}

/* The cell from which the dead one took its slot is used again before anybody knows of the death. */
static void mortal_reserve(void) {
    if (lf_mpmc_ring_reserve(&ring[1]) >= 0)
        lf_store_relaxed(&releasing, 1u); /* it may die with the slot in its hands */
}
static void lap_then_check(void) {
    uint64_t value = 0;
    for (uint64_t round = 5; round < 7; round++) {
        lf_model_assert(lf_mpmc_ring_try_put(&ring[2], &round, sizeof round) == LF_OK);
        lf_model_assert(lf_mpmc_ring_try_get(&ring[2], &value) == 8 && value == round);
    }
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&ring[2].h);
    for (uint64_t round = 5; round < 7; round++)
        lf_model_assert(lf_mpmc_ring_try_put(&ring[2], &round, sizeof round) == LF_OK);
    lf_model_assert(lf_mpmc_ring_try_put(&ring[2], &value, sizeof value) == LF_FULL);
}

/* A lease that was not given back is delivered again, once. */
static void mortal_lease(void) {
    uint64_t length;
    int64_t index = lf_mpmc_ring_peek(&ring[1], LF_LEASE, &length);
    if (index < 0)
        return;
    lf_store_relaxed(&releasing, 1u);
    lf_mpmc_ring_release(&ring[1], index);
}
static void heir_of_lease(void) {
    uint64_t value = 0;
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&ring[2].h);
    int64_t status = lf_mpmc_ring_try_get(&ring[2], &value);
    lf_model_assert(status == LF_EMPTY || (status == 8 && value == 9));
    lf_model_assert(status == 8 || lf_load_relaxed(&releasing));
    check_whole(0);
}

/* Two recover the same dead one. */
static void recoverer(void) {
    uint64_t value = 0;
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&ring[lf_model_thread()].h);
    if (lf_mpmc_ring_try_get(&ring[lf_model_thread()], &value) == 8)
        lf_model_assert(value == 9 && lf_fetch_add_relaxed(&delivered, 1u) == 0);
}

/* 9 died with a lease; the thread that recovers it dies as well, anywhere. The record comes again, once. */
static struct lf_mpmc_ring dead;
static void setup_dead_lease(void) {
    uint64_t length;
    setup_with_one();
    lf_model_assert(lf_segment_attach_local(&dead.h, &lf_mpmc_ring_kind, ring[0].h.segment, 9) == LF_OK);
    lf_model_assert(lf_mpmc_ring_peek(&dead, LF_LEASE, &length) >= 0);
    lf_model_set_participant_dead(9);
}
static void mortal_reaper(void) { lf_reap(&ring[1].h); }
static void heir_of_reaper(void) {
    uint64_t value = 0;
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&ring[2].h);
    lf_model_assert(lf_mpmc_ring_try_get(&ring[2], &value) == 8 && value == 9);
    check_whole(0);
}

/* 9 died and its record is inside; it is recovered beside somebody who takes that record and uses the cell again. */
static void setup_dead_put(void) {
    uint64_t value = 9;
    setup();
    lf_model_assert(lf_segment_attach_local(&dead.h, &lf_mpmc_ring_kind, ring[0].h.segment, 9) == LF_OK);
    lf_model_assert(lf_mpmc_ring_try_put(&dead, &value, sizeof value) == LF_OK);
    lf_model_set_participant_dead(9);
}
static void traffic(void) {
    uint64_t value = 0;
    lf_model_assert(lf_mpmc_ring_try_get(&ring[2], &value) == 8 && value == 9);
    for (uint64_t round = 5; round < 7; round++) {
        lf_model_assert(lf_mpmc_ring_try_put(&ring[2], &round, sizeof round) == LF_OK);
        lf_model_assert(lf_mpmc_ring_try_get(&ring[2], &value) == 8 && value == round);
    }
}
static int recovered;
static void recover_beside(void) {
    mortal_reaper();
    recovered = 1;
}
static void whole_in_the_end(void) {
    if (recovered)
        check_whole_by(&ring[3], 0);
}

#define DEATH .stop_is_death = 1, .may_stop = 2
LF_MODEL_CLIENT(death_put_busy, .setup = setup, .threads = {mortal_put, busy_then_check}, DEATH);
LF_MODEL_CLIENT(death_get_busy, .setup = setup_with_one, .threads = {mortal_get, busy_then_check}, DEATH);
LF_MODEL_CLIENT(death_get_get, .setup = setup_with_one, .threads = {mortal_get, get_then_check}, DEATH);
LF_MODEL_CLIENT(death_reserve_lap, .setup = setup_of_two, .threads = {mortal_reserve, lap_then_check}, DEATH);
LF_MODEL_CLIENT(death_lease, .setup = setup_with_one, .threads = {mortal_lease, heir_of_lease}, DEATH);
LF_MODEL_CLIENT(death_of_reaper, .setup = setup_dead_lease, .threads = {mortal_reaper, heir_of_reaper}, DEATH);
LF_MODEL_CLIENT(death_beside_traffic, .setup = setup_dead_put, .threads = {recover_beside, traffic},
                .final = whole_in_the_end, DEATH);
LF_MODEL_CLIENT(death_two_recover, .setup = setup_with_one, .threads = {mortal_lease, recoverer, recoverer}, DEATH);
