/* mpmc_ring with runs of two records: they are published in one step, and taken together or one by one. Capacity 3 in four
 * cells is as tight as it may be: a run that is taken in part keeps its cell until the tail has come round to it. */
#define LF_QUEUE_RUN 2u
#define LF_LEAST_CELLS 1u
#include <lockfree/mpmc_ring.h>

#include "lockfree_model.h"

static struct lf_mpmc_ring ring[4];
static uint64_t got[4][4], n_got[4];
static int ended[4];
static uint64_t puts;

static void setup(void) {
    uint64_t bytes;
    lf_mpmc_ring_bytes(3, 8, &bytes);
    void *memory = lf_model_shared(bytes);
    lf_model_assert(lf_mpmc_ring_create_local(&ring[0], memory, 3, 8, 0) == LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&ring[t].h, &lf_mpmc_ring_kind, memory, t) == LF_OK);
    lf_model_assert(ring[0].queues[LF__FREE].mask == 3);
    lf_model_label(ring[0].queues[LF__FREE].cells, 32, "free.cells");
    lf_model_label(ring[0].queues[LF__RECORDS].cells, 32, "records.cells");
    for (uint32_t i = 0; i < 3; i++)
        lf_model_label(lf_mpmc_ring_slot(&ring[0], i), 8, i == 0 ? "custody 0" : i == 1 ? "custody 1" : "custody 2");
}

static int64_t put_two(uint64_t first) {
    uint64_t values[2] = {first, first + 1};
    return lf_mpmc_ring_put_many(&ring[lf_model_thread()], values, 8, 8, NULL, 2);
}
static int64_t take_by(uint32_t me, uint64_t most) {
    int64_t n = most == 1 ? lf_mpmc_ring_try_get(&ring[me], &got[me][n_got[me]])
                          : lf_mpmc_ring_get_many(&ring[me], &got[me][n_got[me]], 8, NULL, most);
    n = most == 1 && n == 8 ? 1 : n;
    n_got[me] += n > 0 ? (uint64_t)n : 0;
    return n;
}
static int64_t take(uint64_t most) { return take_by(lf_model_thread(), most); }
static void end(void) { ended[lf_model_thread()] = 1; }
static int all_ended(void) { return ended[1] && ended[2]; } /* none was stopped */
static void setup_with_run(void) {
    uint64_t values[2] = {1, 2};
    setup();
    lf_model_assert(lf_mpmc_ring_put_many(&ring[3], values, 8, 8, NULL, 2) == 2);
}

/* What each thread got rises, nobody got the same, and so many came out in all. */
static void check_got(uint64_t all) {
    uint64_t seen = 0, sum = 0;
    for (uint32_t t = 0; t < 4; t++)
        for (uint64_t i = 0; i < n_got[t]; i++, sum++) {
            lf_model_assert(got[t][i] >= 1 && got[t][i] < 64 && !(seen >> got[t][i] & 1));
            lf_model_assert(i == 0 || got[t][i - 1] < got[t][i]);
            seen |= UINT64_C(1) << got[t][i];
        }
    lf_model_assert(sum == all);
}
/* All three slots are there, each once. */
static void check_whole_by(struct lf_mpmc_ring *mine) {
    uint64_t value = 0;
    while (lf_mpmc_ring_try_get(mine, &value) == 8)
        ;
    for (uint64_t i = 0; i < 3; i++)
        lf_model_assert(lf_mpmc_ring_try_put(mine, &i, sizeof i) == LF_OK);
    lf_model_assert(lf_mpmc_ring_try_put(mine, &value, sizeof value) == LF_FULL);
    for (uint64_t i = 0; i < 3; i++)
        lf_model_assert(lf_mpmc_ring_try_get(mine, &value) == 8 && value == i);
    lf_model_assert(lf_queue_is_whole(&mine->queues[LF__FREE]));
}

/* ---- alive ---- */

/* A thread that sees the first record of a run sees the second. */
static void put_a_run(void) {
    lf_model_assert(put_two(1) == 2);
    end();
}
static void get_get(void) {
    if (take(1) == 1)
        lf_model_assert(take(1) == 1 && got[2][0] == 1 && got[2][1] == 2);
}
static void put_alone(void) {
    uint64_t value = 9;
    lf_model_assert(lf_mpmc_ring_try_put(&ring[2], &value, sizeof value) == LF_OK);
    end();
}
static void all_three_come(void) {
    if (!all_ended())
        return;
    lf_model_assert(take_by(3, 3) == 3 && take_by(3, 1) == LF_EMPTY);
    lf_model_assert(got[3][0] + got[3][1] + got[3][2] == 12);
    lf_model_assert(got[3][0] == 1 || (got[3][0] == 9 && got[3][1] == 1)); /* a batch keeps its order */
    check_whole_by(&ring[3]);
}
static void get_one(void) {
    lf_model_assert(take(1) == 1);
    end();
}
static void get_one_or_none(void) {
    take(1);
    end();
}
static void get_two(void) {
    lf_model_assert(take(2) >= 1);
    end();
}
static void both_came(void) {
    if (!all_ended())
        return;
    while (take_by(3, 2) > 0)
        ;
    check_got(2);
    check_whole_by(&ring[3]);
}
/* The tail comes round to the cell of a run that is taken in part. */
static void lap(void) {
    uint64_t value = 3;
    lf_model_assert(lf_mpmc_ring_try_put(&ring[2], &value, sizeof value) == LF_OK);
    take(1);
    take(1);
    value = 4;
    puts = 3 + (lf_mpmc_ring_try_put(&ring[2], &value, sizeof value) == LF_OK);
    end();
}
/* The run of free slots that was laid out first is used up one by one. */
static void one_by_one(void) {
    uint64_t value = 0;
    for (uint64_t i = 0; i < 3; i++) {
        lf_model_assert(lf_mpmc_ring_try_put(&ring[1], &i, sizeof i) == LF_OK);
        lf_model_assert(lf_mpmc_ring_try_get(&ring[1], &value) == 8 && value == i);
    }
}
static void looks(void) { lf_model_assert(lf_mpmc_ring_size(&ring[2]) <= 3); }
static void nothing_is_missing(void) {
    if (!all_ended())
        return;
    while (take_by(3, 2) > 0)
        ;
    check_got(puts);
    check_whole_by(&ring[3]);
}

/* ---- death: thread 1 dies anywhere ---- */

static void mortal_get(void) { take(1); }
static void mortal_get_two(void) { take(2); }
static void mortal_put_two(void) { put_two(5); }
static void mortal_reserve(void) { lf_mpmc_ring_reserve(&ring[1]); }
static void recovers(void) {
    if (lf_model_participant_alive(1))
        return;
    lf_reap(&ring[2].h);
    check_whole_by(&ring[2]);
}
static void takes_beside(void) {
    take(1);
    recovers();
}
static void uses_the_cell_again(void) {
    uint64_t value = 7;
    for (int i = 0; i < 2; i++) {
        take(1);
        lf_mpmc_ring_try_put(&ring[2], &value, sizeof value);
    }
    recovers();
}

#define DEATH .stop_is_death = 1, .may_stop = 2
LF_MODEL_CLIENT(runs_put_get, .setup = setup, .threads = {put_a_run, get_get});
LF_MODEL_CLIENT(runs_put_put, .setup = setup, .threads = {put_a_run, put_alone}, .final = all_three_come);
LF_MODEL_CLIENT(runs_get_get, .setup = setup_with_run, .threads = {get_one, get_one}, .final = both_came);
LF_MODEL_CLIENT(runs_get_two, .setup = setup_with_run, .threads = {get_two, get_one_or_none}, .final = both_came);
LF_MODEL_CLIENT(runs_lap, .setup = setup_with_run, .threads = {get_one, lap}, .final = nothing_is_missing);
LF_MODEL_CLIENT(runs_tight, .setup = setup, .threads = {one_by_one, looks});
LF_MODEL_CLIENT(runs_get_dies, .setup = setup_with_run, .threads = {mortal_get, takes_beside}, DEATH);
LF_MODEL_CLIENT(runs_get_two_dies, .setup = setup_with_run, .threads = {mortal_get_two, takes_beside}, DEATH);
LF_MODEL_CLIENT(runs_put_two_dies, .setup = setup, .threads = {mortal_put_two, takes_beside}, DEATH);
LF_MODEL_CLIENT(runs_reserve_dies, .setup = setup, .threads = {mortal_reserve, uses_the_cell_again}, DEATH);
LF_MODEL_CLIENT(runs_get_dies_lap, .setup = setup_with_run, .threads = {mortal_get, uses_the_cell_again}, DEATH);
