/* How many locked instructions a put and a get pay together, when nobody else runs: read-modify-writes and full fences,
 * 5 ns each on the machine where this was measured. A count, not a time, so that it is the same everywhere. */
#include "check.h"

#include "../include/lockfree/blocks/atomics.h"

static uint64_t locked;

#undef lf__cas
#define lf__cas(p, expected, desired, success, failure)                                                                \
    (locked++, __atomic_compare_exchange_n((p), (expected), (desired), 0, success, failure))
#undef lf_fence_seq_cst
#define lf_fence_seq_cst() (locked++, __atomic_thread_fence(__ATOMIC_SEQ_CST))
/* Nothing on these paths may exchange or add: it would not be counted. */
#undef lf_exchange_relaxed
#undef lf_exchange_acquire
#undef lf_fetch_add_relaxed
#undef lf_fetch_or_relaxed
#define lf_exchange_relaxed(p, v) (locked++, __atomic_exchange_n((p), (v), __ATOMIC_RELAXED))
#define lf_exchange_acquire(p, v) (locked++, __atomic_exchange_n((p), (v), __ATOMIC_ACQUIRE))
#define lf_fetch_add_relaxed(p, v) (locked++, __atomic_fetch_add((p), (v), __ATOMIC_RELAXED))
#define lf_fetch_or_relaxed(p, v) (locked++, __atomic_fetch_or((p), (v), __ATOMIC_RELAXED))
#define FIRST 16 /* more once: the thread learns its number, and begins to keep a slot */

#include "../include/lockfree/mpmc_ring.h"
#include "../include/lockfree/priority_queue.h"

enum { PAIRS = 1000, CAPACITY = 100, LEVELS = 32 };

static void test_ring(uint64_t capacity, uint64_t inside) {
    struct lf_mpmc_ring r;
    uint64_t bytes, value = 7, taken[64] = {0};
    CHECK_EQ(lf_mpmc_ring_bytes(capacity, 8, &bytes), LF_OK);
    unsigned char *memory = check_map(bytes);
    CHECK_EQ(lf_mpmc_ring_create_local(&r, memory, capacity, 8, 0), LF_OK);
    CHECK_EQ(lf_segment_attach_local(&r.h, &lf_mpmc_ring_kind, memory, 1), LF_OK);
    for (uint64_t i = 0; i < inside; i++)
        CHECK_EQ(lf_mpmc_ring_try_put(&r, &value, 8), LF_OK);
    locked = 0;
    for (int i = 0; i < PAIRS; i++) {
        CHECK_EQ(lf_mpmc_ring_try_put(&r, &value, 8), LF_OK);
        CHECK_EQ(lf_mpmc_ring_try_get(&r, &value), 8);
    }
    CHECK(locked <= 3 * PAIRS + FIRST);
    locked = 0;
    for (int i = 0; i < PAIRS; i++) {
        CHECK_EQ(lf_mpmc_ring_put_many(&r, taken, 8, 8, NULL, 32), 32);
        CHECK_EQ(lf_mpmc_ring_get_many(&r, taken, 8, NULL, 32), 32);
    }
    CHECK(locked <=
          4 * 4 * PAIRS); /* 32 records are two runs; or three, where a lap ends; or were single ones before */
    check_unmap(memory, bytes);
}

static void test_priority_queue(uint64_t inside) {
    static struct lf_priority_queue q;
    uint64_t bytes, value = 7;
    uint32_t level;
    CHECK_EQ(lf_priority_queue_bytes(CAPACITY, 8, LEVELS, &bytes), LF_OK);
    unsigned char *memory = check_map(bytes);
    CHECK_EQ(lf_priority_queue_create_local(&q, memory, CAPACITY, 8, LEVELS, 0), LF_OK);
    CHECK_EQ(lf_segment_attach_local(&q.h, &lf_priority_queue_kind, memory, 1), LF_OK);
    for (uint32_t i = 0; i < inside; i++)
        CHECK_EQ(lf_priority_queue_try_put(&q, &value, 8, i % LEVELS), LF_OK);
    locked = 0;
    for (int i = 0; i < PAIRS; i++) {
        CHECK_EQ(lf_priority_queue_try_put(&q, &value, 8, 3), LF_OK);
        CHECK_EQ(lf_priority_queue_try_get(&q, &value, &level), 8);
    }
    CHECK(locked <= 6 * PAIRS + LEVELS + FIRST);
    check_unmap(memory, bytes);
}

int main(void) {
    test_ring(CAPACITY, 0);
    test_ring(CAPACITY, CAPACITY - 32);
    test_ring(64, 17);
    test_priority_queue(0);
    test_priority_queue(50);
    return 0;
}
