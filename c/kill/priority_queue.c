/* priority_queue.c: the priority queue, killed at every instruction. 17 levels stand two in a group; records go to the
 * first three and to the last, so that the scan within a group and that over the groups both have something to pass.
 * Where there are fronts, the four levels of the others are lines of two of nine levels: 0 and 2 stand in front. */

/* A recovery that is stepped takes long, and would be cut into pieces where no other is: what a detach leaves to others is
 * then not back when it returns. c/tests/test_priority_queue_steps.c has recoveries in pieces. */
#define LF__PIECE_NS UINT64_C(1000000000000)
#include "queues.h"

#define LF__SPARE_CELLS 4u /* 16 cells a queue, so that there are fewer instructions */
#include <lockfree/priority_queue.h>

#define CAPACITY 4
#define RECORD_SIZE 40
#define LEVELS 4
#define BATCH_SHOWS_AT_ITS_END 1
#define BATCH_IN_RUNS 0

static struct lf_priority_queue object;

static int fronts(void); /* whether this operation is on a queue with fronts */
static int is_front(uint32_t level) { return object.fronts && level % 2 == 0; }
static uint32_t real(uint32_t level) {
    if (object.fronts)
        return level < 2 ? 0 : 8;
    return level == LEVELS - 1 ? 16 : level;
}

static int create(uint64_t start) {
    return lf_priority_queue_create(&object, NULL, CAPACITY, RECORD_SIZE, fronts() ? 9 | LF_FRONTS : 17, start);
}
static int64_t reserve(void) { return lf_priority_queue_reserve(&object); }
static struct lf_slot *slot_of(int64_t index) { return lf_priority_queue_slot(&object, (uint64_t)index); }
static int commit(int64_t index, uint64_t length, uint32_t level) {
    slot_of(index)->length = (uint32_t)length;
    return is_front(level) ? lf_priority_queue_requeue_front(&object, index, real(level))
                           : lf_priority_queue_commit(&object, index, length, real(level));
}
static int release(int64_t index) { return lf_priority_queue_release(&object, index); }
static int cancel(int64_t index) { return lf_priority_queue_release(&object, index); }
static int requeue(int64_t index, uint32_t level) {
    return is_front(level) ? lf_priority_queue_requeue_front(&object, index, real(level))
                           : lf_priority_queue_requeue(&object, index, real(level));
}
static int64_t peek(uint32_t lease, uint64_t *length, uint32_t *level) {
    int64_t index = lf_priority_queue_peek(&object, lease, level, length);
    if (index >= 0 && object.fronts)
        kill_read_record(lf_slot_payload(slot_of(index)), (int64_t)*length, level);
    else if (index >= 0 && *level == 16)
        *level = LEVELS - 1;
    return index;
}
static int put(const void *record, uint64_t length, uint32_t level, uint64_t deadline) {
    uint64_t unused;
    return is_front(level) ? lf_priority_queue_put_front(&object, record, length, real(level), deadline, &unused)
                           : lf_priority_queue_put(&object, record, length, real(level), deadline);
}
static int64_t get(void *record, uint64_t deadline) {
    uint32_t level;
    return lf_priority_queue_get(&object, record, &level, deadline);
}
static int64_t put_many(const void *records, const uint32_t *lengths, const uint32_t *levels, uint64_t count) {
    uint32_t there[8];
    for (uint64_t i = 0; i < count; i++)
        there[i] = real(levels[i]);
    return lf_priority_queue_put_many(&object, records, 0, 0, lengths, there, count);
}
static int64_t get_many(void *records, uint32_t *lengths, uint64_t count) {
    uint32_t levels[CAPACITY];
    return lf_priority_queue_get_many(&object, records, RECORD_SIZE, lengths, levels, count);
}
static void ending(void) { lf_priority_queue_shutdown(&object, 1); }
static void draining(void) { lf_priority_queue_shutdown(&object, 0); }
#define HAS_SPARES
static uint64_t size(void) { return lf_priority_queue_size(&object); }

/* A record that was put by the victim itself, withdrawn: behind the others, or as the first. */
static uint64_t ticket;
static void arm_ticket(void);
static int64_t act_withdraw(void) { return lf_priority_queue_withdraw(&object, ticket); }
static void beside_withdrawal(void);
static void judge_withdrawal(void);
#define WITHDRAW(name, ...)                                                                                            \
    {name, KILL_ALL_MODES,    arrange,          arm_ticket,        NULL, act_withdraw,                                 \
     1,    beside_withdrawal, judge_withdrawal, WITH(__VA_ARGS__), NULL, 0}
#define WITHDRAWALS WITHDRAW("withdraw", .inside = 2, .level = 1), WITHDRAW("withdraw-the-first", .inside = 2)

/* What makes another way through the code than the same without fronts, or leads to another line. */
#define FRONTS                                                                                                         \
    PUT("put-in-front", act_try_put, LF_OK, .inside = 2, .count = 1, .fronts = 1),                                     \
        PUT("put-behind-the-front", act_try_put, LF_OK, .inside = 2, .count = 1, .level = 1, .fronts = 1),             \
        GET("get-from-the-front", act_try_get, LF_OK, .inside = 2, .count = 1, .fronts = 1),                           \
        TAKEN("lease-from-the-front", NULL, act_lease, lease, .inside = 2, .fronts = 1),                               \
        TAKEN("requeue-in-front-of-lease", arm_peek, act_requeue, requeue, .inside = 2, .lease = LF_LEASE,             \
              .fronts = 1),                                                                                            \
        TAKEN("requeue-in-front-of-peek", arm_peek, act_requeue, requeue, .inside = 2, .fronts = 1),                   \
        WITHDRAW("withdraw-in-front", .inside = 2, .fronts = 1)

#include "slots.h"

static int fronts(void) { return details()->fronts != 0; }
static void arm_ticket(void) {
    uint64_t length = kill_write_record(records, KILL_VICTIMS, details()->level);
    uint32_t level = details()->level;
    int status = is_front(level) ? lf_priority_queue_put_front(&object, records, length, real(level), 0, &ticket)
                                 : lf_priority_queue_put_ticket(&object, records, length, real(level), 0, &ticket);
    if (status != LF_OK)
        kill_breach("a ticket", "the record cannot be put");
}
/* The record is inside, or out; its slot comes back with the recovery at the latest. */
static void after_withdrawal(void) {
    struct kill_world gone = kill_world_of(details()->inside), before = gone, held = gone;
    kill_world_put(&before, KILL_VICTIMS, details()->level);
    held.hand = 1;
    possible_unless_ended(&before);
    possible_unless_ended(&held);
    kill_possible(&gone);
}
OUTCOME(withdrawal)

const struct kill_subject kill_subject = {"priority_queue",        operations, N_OPERATIONS, &object.h,
                                          &lf_priority_queue_kind, NULL,       NULL,         &queue};
