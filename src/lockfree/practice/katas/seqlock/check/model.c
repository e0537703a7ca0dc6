#include "record.h"

static void begin(void) { make(UINT32_MAX - 1); }

static void write_1(void) { lf_model_assert(publish(1)); }
static void write_1_and_2(void) {
    publish(1);
    publish(2);
}
static void write_2(void) { publish(2); }
static void write_3_after_1(void) {
    publish(1);
    publish(3);
}

static void look(void) {
    struct quote record = {0};
    if (seqlock_try_read(lock, &record))
        lf_model_assert(is_whole(&record));
}
static void wait(void) {
    struct quote record = {0};
    seqlock_read(lock, &record);
    lf_model_assert(is_whole(&record));
}
static void look_twice(void) {
    struct quote first = {0}, second = {0};
    int one = seqlock_try_read(lock, &first), two = seqlock_try_read(lock, &second);
    lf_model_assert(!one || is_whole(&first));
    lf_model_assert(!two || is_whole(&second));
    lf_model_assert(!one || !two || first.stamp <= second.stamp);
}

static uint64_t told; /* plain: written before the record, read by the thread that has read the record */
static void tell(void) {
    told = 5;
    publish(1);
}
static void hear(void) {
    struct quote record = {0};
    if (seqlock_try_read(lock, &record) && record.stamp == 1)
        lf_model_assert(told == 5);
}

static void in_the_end(void) {
    struct quote record = {0};
    int readable = seqlock_try_read(lock, &record);
    lf_model_assert(readable);
    lf_model_assert(is_whole(&record));
}
static void in_the_end_2(void) {
    in_the_end();
    struct quote record;
    seqlock_read(lock, &record);
    lf_model_assert(record.stamp == 2);
}

LF_MODEL_CLIENT(read_once, .setup = begin, .threads = {write_1, look}, .final = in_the_end);
LF_MODEL_CLIENT(read_twice, .setup = begin, .threads = {write_1_and_2, look_twice}, .final = in_the_end_2);
LF_MODEL_CLIENT(tells, .setup = begin, .threads = {tell, hear}, .final = in_the_end);
LF_MODEL_CLIENT(waits, .setup = begin, .threads = {write_1, wait}, .final = in_the_end);
/* Two writers have records with the same stamp: one of them is taken. */
static int taken_by[2];
static void write_2_first(void) { taken_by[0] = publish(2); }
static void write_2_second(void) { taken_by[1] = publish(2); }
static void taken_once(void) {
    lf_model_assert(taken_by[0] + taken_by[1] == 1);
    in_the_end_2();
}

LF_MODEL_CLIENT(writers, .setup = begin, .threads = {write_1_and_2, write_2}, .final = in_the_end_2);
LF_MODEL_CLIENT(writers_equal, .setup = begin, .threads = {write_2_first, write_2_second}, .final = taken_once);
LF_MODEL_CLIENT(writers_read, .setup = begin, .threads = {write_2, write_3_after_1, look}, .final = in_the_end);
