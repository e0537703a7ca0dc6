/* mpmc_ring.c: the MPMC ring, killed at every instruction. */
#define LF_QUEUE_RUN 4u /* a run as long as the capacity, in 8 cells a queue */
#include "queues.h"

#include <lockfree/mpmc_ring.h>

#define CAPACITY 4
#define RECORD_SIZE 40
#define LEVELS 1
#define BATCH_SHOWS_AT_ITS_END 0
#define BATCH_IN_RUNS 1

static struct lf_mpmc_ring object;

static int create(uint64_t start) {
    int status = lf__mpmc_ring_allocate(&object, NULL, CAPACITY, RECORD_SIZE, start);
    return status == LF_OK ? lf_segment_publish(&object.h, NULL) : status;
}
static int64_t reserve(void) { return lf_mpmc_ring_reserve(&object); }
static struct lf_slot *slot_of(int64_t index) { return lf_mpmc_ring_slot(&object, (uint64_t)index); }
static int commit(int64_t index, uint64_t length, uint32_t level) {
    return (void)level, lf_mpmc_ring_commit(&object, index, length);
}
static int release(int64_t index) { return lf_mpmc_ring_release(&object, index); }
static int cancel(int64_t index) { return lf_mpmc_ring_cancel(&object, index); }
static int requeue(int64_t index, uint32_t level) { return (void)level, lf_mpmc_ring_requeue(&object, index); }
static int64_t peek(uint32_t lease, uint64_t *length, uint32_t *level) {
    *level = 0;
    return lf_mpmc_ring_peek(&object, lease, length);
}
static int put(const void *record, uint64_t length, uint32_t level, uint64_t deadline) {
    (void)level;
    return deadline == 0 ? lf_mpmc_ring_try_put(&object, record, length)
                         : lf_mpmc_ring_put(&object, record, length, deadline);
}
static int64_t get(void *record, uint64_t deadline) {
    return deadline == 0 ? lf_mpmc_ring_try_get(&object, record) : lf_mpmc_ring_get(&object, record, deadline);
}
static int64_t put_many(const void *records, const uint32_t *lengths, const uint32_t *levels, uint64_t count) {
    return (void)levels, lf_mpmc_ring_put_many(&object, records, 0, 0, lengths, count);
}
static int64_t get_many(void *records, uint32_t *lengths, uint64_t count) {
    return lf_mpmc_ring_get_many(&object, records, RECORD_SIZE, lengths, count);
}
static void ending(void) { lf_mpmc_ring_shutdown(&object, 1); }
static void draining(void) { lf_mpmc_ring_shutdown(&object, 0); }
#define HAS_SPARES
static uint64_t size(void) { return lf_mpmc_ring_size(&object); }

#include "slots.h"

const struct kill_subject kill_subject = {"mpmc_ring",        operations, N_OPERATIONS, &object.h,
                                          &lf_mpmc_ring_kind, NULL,       NULL,         &queue};
