/* message_ring.c: the message ring, killed at every instruction. Each message here takes two blocks, so that a claim, a
 * publication and a release are chains: its record is in the first block, and its length in the second. */
#include "queues.h"

#include <lockfree/message_ring.h>

#define CAPACITY 4
#define RECORD_SIZE 48
#define LEVELS 1
#define BATCH_SHOWS_AT_ITS_END 0
#define BATCH_IN_RUNS 0
#define HAS_TASKS
#define LENGTH (RECORD_SIZE + 8u) /* a block has room for 48 bytes */

static struct lf_message_ring object;

static int create(uint64_t start) {
    return lf_message_ring_create(&object, NULL, 2 * CAPACITY, RECORD_SIZE + sizeof(struct lf_slot), CAPACITY, start);
}
static int64_t reserve(void) { return lf_message_ring_reserve(&object, LENGTH); }
static struct lf_slot *slot_of(int64_t index) { return lf_message_ring_block(&object, (uint64_t)index); }
static unsigned char *second_of(int64_t index) { return lf_slot_payload(slot_of((int64_t)slot_of(index)->unused - 1)); }
static int commit(int64_t index, uint64_t length, uint32_t level) {
    (void)level;
    memcpy(second_of(index), &length, 8);
    return lf_message_ring_commit(&object, index);
}
static int release(int64_t index) { return lf_message_ring_release(&object, index); }
static int cancel(int64_t index) { return lf_message_ring_cancel(&object, index); }
static int requeue(int64_t index, uint32_t level) { return (void)level, lf_message_ring_commit(&object, index); }
static int64_t peek(uint32_t lease, uint64_t *length, uint32_t *level) {
    *level = 0;
    int64_t index = lf_message_ring_peek(&object, lease, length);
    if (index >= 0)
        memcpy(length, second_of(index), 8);
    return index;
}
static int put(const void *record, uint64_t length, uint32_t level, uint64_t deadline) {
    unsigned char message[LENGTH];
    (void)level;
    memcpy(message, record, length);
    memcpy(message + RECORD_SIZE, &length, 8);
    return deadline == 0 ? lf_message_ring_try_put(&object, message, LENGTH)
                         : lf_message_ring_put(&object, message, LENGTH, deadline);
}
static int64_t get(void *record, uint64_t deadline) {
    unsigned char message[LENGTH];
    int64_t got = deadline == 0 ? lf_message_ring_try_get(&object, message, LENGTH)
                                : lf_message_ring_get(&object, message, LENGTH, deadline);
    uint64_t length;
    if (got < 0)
        return got;
    memcpy(&length, message + RECORD_SIZE, 8);
    if (got != LENGTH || length > RECORD_SIZE)
        return KILL_GARBAGE;
    memcpy(record, message, length);
    return (int64_t)length;
}
static int64_t put_many(const void *records, const uint32_t *lengths, const uint32_t *levels, uint64_t count) {
    const unsigned char *from = (const unsigned char *)records;
    int64_t done = 0;
    int status = LF_OK;
    (void)levels;
    while ((uint64_t)done < count && (status = put(from, lengths[done], 0, 0)) == LF_OK)
        from += lengths[done++];
    return done > 0 || status == LF_FULL ? done : status;
}
static int64_t get_many(void *records, uint32_t *lengths, uint64_t count) {
    int64_t done = 0, length = 0;
    while ((uint64_t)done < count && (length = get((unsigned char *)records + done * RECORD_SIZE, 0)) >= 0)
        lengths[done++] = (uint32_t)length;
    return done > 0 || length == LF_EMPTY ? done : length;
}
static void ending(void) { lf_message_ring_shutdown(&object, 1); }
static uint64_t size(void) { return lf_message_ring_size(&object); }

#include "slots.h"

const struct kill_subject kill_subject = {"message_ring",        operations, N_OPERATIONS, &object.h,
                                          &lf_message_ring_kind, NULL,       NULL,         &queue};
