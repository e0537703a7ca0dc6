#include "lockfree_model.h"
#include "priority_scheduler.h"

static struct scheduler *scheduler;
static void make(uint32_t capacity) {
    scheduler = lf_model_shared(scheduler_size(capacity));
    scheduler_init(scheduler, capacity, UINT32_MAX - 3);
}
static void of_3(void) { make(3); }
static void of_1(void) { make(1); }

static uint32_t next(void) {
    uint32_t task = 0;
    return scheduler_get(scheduler, &task) ? task : UINT32_MAX;
}

static void arrival(void) {
    for (uint32_t turn = 0; turn < 4; turn++) {
        for (uint32_t i = 0; i < 3; i++)
            lf_model_assert(scheduler_put(scheduler, turn, 10 * turn + i));
        for (uint32_t i = 0; i < 3; i++) {
            int oldest_first = next() == 10 * turn + i;
            lf_model_assert(oldest_first);
        }
    }
    lf_model_assert(next() == UINT32_MAX);
}

static void levels(void) {
    uint32_t order[] = {3, 1, 0, 2, 1, 3, 0, 2};
    for (uint32_t turn = 0; turn < 3; turn++) {
        for (uint32_t i = 0; i < 8; i++)
            lf_model_assert(scheduler_put(scheduler, order[i], 10 * order[i] + i));
        uint32_t expected[] = {2, 6, 11, 14, 23, 27, 30, 35};
        for (uint32_t i = 0; i < 8; i++) {
            uint32_t task = next();
            int most_urgent = task / 10 == expected[i] / 10;
            lf_model_assert(most_urgent);
            int oldest_first = task == expected[i];
            lf_model_assert(oldest_first);
        }
        lf_model_assert(next() == UINT32_MAX);
    }
    lf_model_assert(scheduler_put(scheduler, 2, 7) && scheduler_put(scheduler, 3, 8) && next() == 7);
    lf_model_assert(scheduler_put(scheduler, 0, 9) && next() == 9 && next() == 8 && next() == UINT32_MAX);
}

static void full(void) {
    for (uint32_t level = 0; level < SCHEDULER_LEVELS; level++)
        lf_model_assert(scheduler_put(scheduler, level, level) && !scheduler_put(scheduler, level, 9));
    for (uint32_t level = 0; level < SCHEDULER_LEVELS; level++) {
        lf_model_assert(next() == level);
        lf_model_assert(scheduler_put(scheduler, level, 20 + level) && next() == 20 + level);
    }
    lf_model_assert(next() == UINT32_MAX);
    lf_model_assert(scheduler_put(scheduler, 0, UINT32_MAX - 1) && next() == UINT32_MAX - 1);
}

LF_MODEL_CLIENT(edge_arrival, .setup = of_3, .threads = {arrival});
LF_MODEL_CLIENT(edge_levels, .setup = of_3, .threads = {levels});
LF_MODEL_CLIENT(edge_full, .setup = of_1, .threads = {full});
