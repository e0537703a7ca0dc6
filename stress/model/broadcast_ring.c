/* broadcast_ring: one writer and two readers; positions begin just before they wrap at 2^64. */
#include <lockfree/broadcast_ring.h>

#include "lockfree_model.h"

static struct lf_broadcast_ring ring[4]; /* a handle for each thread, as processes have */

static void start(uint64_t size, uint64_t slow) {
    uint64_t bytes, first = UINT64_MAX - 31;
    lf_broadcast_ring_bytes(size, 2, slow, first, &bytes);
    void *memory = lf_model_shared(bytes);
    lf_model_assert(lf_broadcast_ring_create_local(&ring[0], memory, size, 2, slow, first) == LF_OK);
    for (uint32_t t = 1; t < 4; t++)
        lf_model_assert(lf_segment_attach_local(&ring[t].h, &lf_broadcast_ring_kind, memory, t) == LF_OK);
    lf_model_label(&ring[0].body->writer.tail, 8, "tail");
    lf_model_label(&ring[0].body->writer.oldest, 8, "oldest");
    lf_model_label(&ring[0].body->readers[0].position, 8, "position");
    lf_model_label(ring[0].bytes, size, "bytes");
}
/* A place is the thread's that joins: a reader in a thread takes over what the setup has joined for it. */
static void joined(uint32_t readers) {
    for (uint32_t k = 0; k < readers; k++) {
        struct lf_log_reader *place = &ring[0].body->readers[k];
        place->holder = (uint64_t)(k + 2) << 32 | (k + 3); /* thread k + 2, whose token is one more */
        place->position = ring[0].start | LF__LOG_JOINED;
        place->seen = ring[0].start;
    }
}
static void lossless(void) { start(64, LF_SLOW_WAIT), joined(1); }
static void lossless_two(void) { start(64, LF_SLOW_WAIT), joined(2); }
static void nobody(void) { start(64, LF_SLOW_WAIT); }
static void lossy(void) { start(64, LF_SLOW_OVERWRITE), joined(1); }

static int put(uint64_t value) {
    return lf_broadcast_ring_try_put(&ring[1], &value, sizeof value, LF_BROADCAST_TO_ALL);
}
static int64_t get(uint32_t k, uint64_t *value) {
    int64_t status = lf_broadcast_ring_try_get(&ring[k + 2], k, value, sizeof *value);
    lf_model_assert(status == 8 || status == LF_EMPTY);
    return status;
}

/* Each reader sees a beginning of 1, 2, 3, ... */
static void writes_three(void) {
    for (uint64_t v = 1; v <= 3; v++)
        if (put(v) != LF_OK)
            break;
}
static void reads(uint32_t k, int calls) {
    uint64_t next = 1, value = 0;
    for (int i = 0; i < calls; i++)
        if (get(k, &value) == 8)
            lf_model_assert(value == next++);
}
static void reads_first(void) { reads(0, 3); }
static void reads_first_once(void) { reads(0, 1); }
static void reads_second(void) { reads(1, 1); }
static void writes_two(void) {
    for (uint64_t v = 1; v <= 2; v++)
        if (put(v) != LF_OK)
            break;
}

/* In place: the reader's look is over before the writer writes there again. */
static void reads_in_place(void) {
    for (uint64_t i = 0, next = 1; i < 2; i++) {
        uint64_t length = 0;
        int64_t place = lf_broadcast_ring_peek(&ring[2], 0, &length);
        if (place < 0)
            continue;
        uint64_t value;
        memcpy(&value, ring[2].bytes + place, sizeof value);
        lf_model_assert(length == 8 && value == next++);
        lf_model_assert(lf_broadcast_ring_take(&ring[2], 0, place, NULL, length) == LF_OK);
    }
}

/* A joiner beside a writer sees every message from some point on. */
static void joins_and_reads(void) {
    uint64_t last = 0, value = 0;
    lf_model_assert(lf_broadcast_ring_join(&ring[2], 0) == 0);
    for (int i = 0; i < 2; i++)
        if (get(0, &value) == 8) {
            lf_model_assert(last == 0 || value == last + 1);
            last = value;
        }
}

/* Lossy: what comes is whole, in order, and the rest is counted. */
static void writes_lossy(void) {
    for (uint64_t v = 1; v <= 2; v++)
        lf_model_assert(put(v) == LF_OK);
}
static void reads_what_is_left(void) {
    uint64_t got = 0, value = 0;
    for (int i = 0; i < 2; i++)
        if (get(0, &value) == 8) {
            got++;
            lf_model_assert(value == got + lf_load_relaxed(&ring[2].body->readers[0].missed));
        }
}

/* Sleepers. */
static void waits_for_one(uint32_t k) {
    uint64_t value = 0;
    lf_model_assert(lf_broadcast_ring_get(&ring[k + 2], k, &value, sizeof value, LF_FOREVER) == 8 && value == 1);
}
static void first_waits(void) { waits_for_one(0); }
static void second_waits(void) { waits_for_one(1); }
static void writes_one(void) { lf_model_assert(put(1) == LF_OK); }
/* The ring holds one message: the second put waits for the reader. */
static void writes_two_waiting(void) {
    for (uint64_t v = 1; v <= 2; v++)
        lf_model_assert(lf_broadcast_ring_put(&ring[1], &v, sizeof v, LF_BROADCAST_TO_ALL, LF_FOREVER) == LF_OK);
}
static void reads_one(void) {
    uint64_t value = 0;
    while (get(0, &value) != 8)
        lf_pause();
}
/* A shutdown beside a put: the reader that is told so has not missed a message whose put was answered OK. */
static int put_answer = LF_TIMEDOUT, got_message, was_closed; /* a put that is stopped for ever answers nothing */
static void writes_beside_the_end(void) { put_answer = put(1); }
static void ends(void) { lf_broadcast_ring_shutdown(&ring[3], 0); }
static void reads_to_the_end(void) {
    uint64_t value;
    for (int i = 0; i < 2 && !was_closed; i++) {
        int64_t status = lf_broadcast_ring_try_get(&ring[2], 0, &value, sizeof value);
        got_message |= status == 8;
        was_closed |= status == LF_CLOSED;
    }
}
static void nothing_missed(void) { lf_model_assert(!was_closed || put_answer != LF_OK || got_message); }

LF_MODEL_CLIENT(broadcast_order, .setup = lossless, .threads = {writes_three, reads_first});
LF_MODEL_CLIENT(broadcast_two_readers, .setup = lossless_two, .threads = {writes_two, reads_first_once, reads_second});
LF_MODEL_CLIENT(broadcast_in_place, .setup = lossless, .threads = {writes_three, reads_in_place});
LF_MODEL_CLIENT(broadcast_join, .setup = nobody, .threads = {writes_three, joins_and_reads});
LF_MODEL_CLIENT(broadcast_overwrites, .setup = lossy, .threads = {writes_lossy, reads_what_is_left});
LF_MODEL_CLIENT(broadcast_sleep, .setup = lossless, .threads = {writes_one, first_waits});
LF_MODEL_CLIENT(broadcast_two_sleep, .setup = lossless_two, .threads = {writes_one, first_waits, second_waits});
LF_MODEL_CLIENT(broadcast_full_sleep, .setup = lossless, .threads = {writes_two_waiting, reads_one});
LF_MODEL_CLIENT(broadcast_shutdown, .setup = lossless, .threads = {writes_beside_the_end, reads_to_the_end, ends},
                .final = nothing_missed);
