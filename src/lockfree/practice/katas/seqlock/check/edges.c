#include "record.h"

static void begin(void) { make(0); }
static void wrap(void) { make(UINT32_MAX - 3); }

static void stamps(void) {
    struct quote record;
    lf_model_assert(seqlock_try_read(lock, &record) && record.stamp == 0 && is_whole(&record));
    lf_model_assert(!publish(0));
    for (uint64_t stamp = 1; stamp < 40; stamp += 3) {
        lf_model_assert(publish(stamp));
        lf_model_assert(seqlock_try_read(lock, &record) && record.stamp == stamp && is_whole(&record));
        lf_model_assert(publish(stamp + 1));
        seqlock_read(lock, &record);
        lf_model_assert(record.stamp == stamp + 1 && is_whole(&record));
    }
}

static void refused(void) {
    struct quote record;
    lf_model_assert(publish(7));
    int taken = publish(7) || publish(6);
    lf_model_assert(!taken);
    int readable = seqlock_try_read(lock, &record);
    lf_model_assert(readable);
    lf_model_assert(record.stamp == 7 && is_whole(&record));
    lf_model_assert(publish(8));
}

static void large_stamps(void) {
    struct quote record;
    lf_model_assert(publish(INT64_MAX) && publish(UINT64_MAX - 1) && publish(UINT64_MAX) && !publish(5));
    lf_model_assert(seqlock_try_read(lock, &record) && record.stamp == UINT64_MAX && is_whole(&record));
}

enum { UNTOUCHED = 77 };
static void inside_the_record(void) {
    struct {
        uint64_t before;
        struct quote record;
        uint64_t after;
    } read = {UNTOUCHED, {0}, UNTOUCHED}, tried = {UNTOUCHED, {0}, UNTOUCHED};
    lf_model_assert(publish(1));
    seqlock_read(lock, &read.record);
    lf_model_assert(read.before == UNTOUCHED && read.after == UNTOUCHED);
    int readable = seqlock_try_read(lock, &tried.record);
    lf_model_assert(readable && tried.before == UNTOUCHED && tried.after == UNTOUCHED);
}

LF_MODEL_CLIENT(edge_refused, .setup = begin, .threads = {refused});
LF_MODEL_CLIENT(edge_stamps, .setup = begin, .threads = {stamps});
LF_MODEL_CLIENT(edge_wrap, .setup = wrap, .threads = {stamps});
LF_MODEL_CLIENT(edge_inside, .setup = begin, .threads = {inside_the_record});
LF_MODEL_CLIENT(edge_large, .setup = begin, .threads = {large_stamps});
