#include <stdatomic.h>

#include "counters.h"
#include "lockfree_model.h"

static struct counters *counters;
static _Atomic int told;
static _Atomic uint64_t taken;

static void make(uint32_t shards, uint64_t start) {
    counters = lf_model_shared(counters_size(shards));
    counters_init(counters, shards, start);
}
static void empty(void) { make(2, 0); }
static void before_the_carry(void) { make(2, UINT32_MAX); }

static void add_as_0(void) { counters_add(counters, 0, 1); }
static void add_as_2(void) { counters_add(counters, 2, 1); } /* the same shard, if it is the remainder */
static void add_as_1(void) { counters_add(counters, 1, 1); }
static void two_hits(void) { lf_model_assert(counters_total(counters) == 2); }

static void read_at_the_carry(void) {
    uint64_t total = counters_total(counters);
    lf_model_assert(total == UINT32_MAX || total == (uint64_t)UINT32_MAX + 1);
}

static void add_and_tell(void) {
    counters_add(counters, 0, 1);
    counters_add(counters, 1, 1);
    atomic_store_explicit(&told, 1, memory_order_release);
}
static void hear_and_read(void) {
    int heard = atomic_load_explicit(&told, memory_order_acquire);
    uint64_t total = counters_total(counters);
    lf_model_assert(!heard || total == 2);
    lf_model_assert(total <= 2);
}
static void read_twice(void) {
    uint64_t total = counters_total(counters);
    lf_model_assert(counters_total(counters) >= total);
}

static void take(void) { atomic_fetch_add_explicit(&taken, counters_take(counters), memory_order_relaxed); }
static void all_taken_once(void) { lf_model_assert(taken + counters_take(counters) == 2); }
static void start_taken_once(void) { lf_model_assert(taken + counters_take(counters) == UINT32_MAX); }

static void three_in_each(void) {
    make(2, 0);
    counters_add(counters, 0, 3);
    counters_add(counters, 1, 3);
}
static void take_those_before(void) { lf_model_assert(counters_take(counters) >= 6); }

LF_MODEL_CLIENT(add_together, .setup = empty, .threads = {add_as_0, add_as_0}, .final = two_hits);
LF_MODEL_CLIENT(add_2, .setup = empty, .threads = {add_as_0, add_as_2}, .final = two_hits);
LF_MODEL_CLIENT(add_1, .setup = empty, .threads = {add_as_0, add_as_1}, .final = two_hits);
LF_MODEL_CLIENT(carry, .setup = before_the_carry, .threads = {add_as_0, read_at_the_carry});
LF_MODEL_CLIENT(total_after, .setup = empty, .threads = {add_and_tell, hear_and_read});
LF_MODEL_CLIENT(total_twice, .setup = empty, .threads = {add_as_0, add_as_1, read_twice});
LF_MODEL_CLIENT(take, .setup = empty, .threads = {add_and_tell, take}, .final = all_taken_once);
LF_MODEL_CLIENT(take_twice, .setup = before_the_carry, .threads = {take, take}, .final = start_taken_once);
LF_MODEL_CLIENT(take_meets_add, .setup = three_in_each, .threads = {add_as_0, take_those_before});
