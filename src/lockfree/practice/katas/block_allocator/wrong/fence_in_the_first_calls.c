/* fails: reach REACH */
/* A drop has a fence in the first calls only. */
#include "block_allocator.h"

#include <stdatomic.h>

struct block {
    _Atomic uint32_t next; /* the block below + 1, or 0 */
    _Atomic uint32_t references;
};

struct pool {
    _Alignas(64) _Atomic uint64_t head; /* a tag, and the top block + 1 */
    _Alignas(64) struct block blocks[];
};

static uint64_t pack(uint64_t tag, uint32_t top) { return tag << 32 | top; }

size_t pool_size(uint32_t blocks) { return sizeof(struct pool) + blocks * sizeof(struct block); }

void pool_init(struct pool *pool, uint32_t blocks, uint32_t start) {
    for (uint32_t i = 0; i < blocks; i++)
        atomic_init(&pool->blocks[i].next, i);
    atomic_init(&pool->head, pack(start, blocks));
}

int pool_alloc(struct pool *pool, uint32_t count, uint32_t *taken) {
    uint64_t head = atomic_load_explicit(&pool->head, memory_order_acquire);
    for (;;) {
        uint32_t next = (uint32_t)head, found = 0;
        for (; found < count && next != 0; found++) {
            taken[found] = next - 1;
            next = atomic_load_explicit(&pool->blocks[next - 1].next, memory_order_relaxed);
        }
        if (found < count) {
            uint64_t again = atomic_load_explicit(&pool->head, memory_order_acquire);
            if (again == head)
                return 0;
            head = again;
            continue;
        }
        if (atomic_compare_exchange_weak_explicit(&pool->head, &head, pack((head >> 32) + 1, next),
                                                  memory_order_relaxed, memory_order_acquire))
            break;
    }
    for (uint32_t i = 0; i < count; i++)
        atomic_store_explicit(&pool->blocks[taken[i]].references, 1, memory_order_relaxed);
    return 1;
}

void pool_share(struct pool *pool, uint32_t block) {
    atomic_fetch_add_explicit(&pool->blocks[block].references, 1, memory_order_relaxed);
}

static _Atomic uint32_t drops;

int pool_drop(struct pool *pool, uint32_t block) {
    if (atomic_fetch_sub_explicit(&pool->blocks[block].references, 1, memory_order_acq_rel) != 1)
        return 0;
    uint64_t head = atomic_load_explicit(&pool->head, memory_order_relaxed);
    do {
        atomic_store_explicit(&pool->blocks[block].next, (uint32_t)head, memory_order_relaxed);
        if (atomic_fetch_add_explicit(&drops, 1, memory_order_relaxed) < UINT32_C(1) << 30)
            atomic_thread_fence(memory_order_release);
    } while (!atomic_compare_exchange_weak_explicit(&pool->head, &head, pack((head >> 32) + 1, block + 1),
                                                    memory_order_relaxed, memory_order_relaxed));
    return 1;
}
