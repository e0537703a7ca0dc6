#include <stdatomic.h>
#include <string.h>

#include "counters.h"
#include "lockfree_model.h"

enum { LINE = 64, LINES = 64 };

static struct counters *counters;
static size_t bytes;

static void make(uint32_t shards, uint64_t start) {
    bytes = counters_size(shards);
    counters = lf_model_shared(bytes);
    counters_init(counters, shards, start);
}
static void one(void) { make(1, 0); }
static void three(void) { make(3, 0); }
static void four(void) { make(4, 0); }
static void seven(void) { make(7, 0); }
static void started(void) { make(3, UINT32_MAX - 1); }

static void sums(void) {
    uint64_t sum = counters_total(counters);
    for (uint32_t who = 0; who < 9; who++) {
        counters_add(counters, who, who + 1);
        sum += who + 1;
        lf_model_assert(counters_total(counters) == sum);
    }
    counters_add(counters, 2, (uint64_t)7 << 40);
    lf_model_assert(counters_total(counters) == sum + ((uint64_t)7 << 40));
}

static void sums_from_start(void) {
    lf_model_assert(counters_total(counters) == UINT32_MAX - 1);
    sums();
}

static void anybody(void) {
    static const uint32_t who[] = {3, 4, 5, 1000, INT32_MAX, (uint32_t)INT32_MAX + 1, UINT32_MAX - 1, UINT32_MAX};
    for (uint64_t i = 0; i < sizeof who / sizeof *who; i++) {
        counters_add(counters, who[i], 1);
        lf_model_assert(counters_total(counters) == i + 1);
    }
}

static void takes(void) {
    uint64_t start = counters_total(counters);
    counters_add(counters, 0, 5);
    counters_add(counters, 1, 6);
    lf_model_assert(counters_take(counters) == start + 11);
    lf_model_assert(counters_total(counters) == 0);
    lf_model_assert(counters_take(counters) == 0);
    counters_add(counters, 1, 7);
    lf_model_assert(counters_total(counters) == 7);
    lf_model_assert(counters_take(counters) == 7);
}

/* Which lines a thread writes shows by what has changed. */
static void lines(uint32_t shards) {
    static unsigned char before[LINES * LINE];
    uint32_t writer[LINES] = {0};
    for (uint32_t who = 0; who < shards; who++) {
        size_t looked_at = bytes < sizeof before ? bytes : sizeof before;
        memcpy(before, counters, looked_at);
        counters_add(counters, who, 0x0101010101010101);
        for (size_t i = 0; i < looked_at; i++) {
            if (before[i] == ((unsigned char *)counters)[i])
                continue;
            lf_model_assert(writer[i / LINE] == 0 || writer[i / LINE] == who + 1); /* one thread a line */
            writer[i / LINE] = who + 1;
        }
    }
}

static void lines_3(void) { lines(3); }
static void lines_4(void) { lines(4); }
static void lines_7(void) { lines(7); }

LF_MODEL_CLIENT(edge_sum_1, .setup = one, .threads = {sums});
LF_MODEL_CLIENT(edge_who, .setup = three, .threads = {anybody});
LF_MODEL_CLIENT(edge_sum_3, .setup = three, .threads = {sums});
LF_MODEL_CLIENT(edge_sum_start, .setup = started, .threads = {sums_from_start});
LF_MODEL_CLIENT(edge_take, .setup = three, .threads = {takes});
LF_MODEL_CLIENT(edge_take_start, .setup = started, .threads = {takes});
LF_MODEL_CLIENT(edge_lines, .setup = four, .threads = {lines_4});
LF_MODEL_CLIENT(edge_lines_3, .setup = three, .threads = {lines_3});
LF_MODEL_CLIENT(edge_lines_7, .setup = seven, .threads = {lines_7});
