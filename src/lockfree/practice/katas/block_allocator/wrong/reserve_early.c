/* fails: model K7 */
/* Reserves by a count, and takes then. A block is counted before it lies on the list. */
#include "block_allocator.h"

#include <stdatomic.h>

struct block {
    _Atomic uint32_t next; /* the block below + 1, or 0 */
    _Atomic uint32_t references;
};

struct pool {
    _Alignas(64) _Atomic uint64_t head;       /* a tag, new with each push, and the top block + 1 */
    _Alignas(64) _Atomic uint32_t free_count; /* never more than lie on the stack and are not reserved */
    _Alignas(64) struct block blocks[];
};

static uint64_t pack(uint64_t tag, uint32_t top) { return tag << 32 | top; }

size_t pool_size(uint32_t blocks) { return sizeof(struct pool) + blocks * sizeof(struct block); }

void pool_init(struct pool *pool, uint32_t blocks, uint32_t start) {
    for (uint32_t i = 0; i < blocks; i++)
        atomic_init(&pool->blocks[i].next, i);
    atomic_init(&pool->head, pack(start, blocks));
    atomic_init(&pool->free_count, blocks);
}

static uint32_t pop(struct pool *pool) {
    uint64_t head = atomic_load_explicit(&pool->head, memory_order_acquire);
    uint32_t next;
    do
        next = atomic_load_explicit(&pool->blocks[(uint32_t)head - 1].next, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&pool->head, &head, pack(head >> 32, next), memory_order_relaxed,
                                                  memory_order_acquire));
    return (uint32_t)head - 1;
}

int pool_alloc(struct pool *pool, uint32_t count, uint32_t *taken) {
    uint32_t there = atomic_load_explicit(&pool->free_count, memory_order_relaxed);
    do
        if (there < count)
            return 0;
    while (!atomic_compare_exchange_weak_explicit(&pool->free_count, &there, there - count, memory_order_acquire,
                                                  memory_order_relaxed));
    for (uint32_t i = 0; i < count; i++) {
        taken[i] = pop(pool);
        atomic_store_explicit(&pool->blocks[taken[i]].references, 1, memory_order_relaxed);
    }
    return 1;
}

void pool_share(struct pool *pool, uint32_t block) {
    atomic_fetch_add_explicit(&pool->blocks[block].references, 1, memory_order_relaxed);
}

int pool_drop(struct pool *pool, uint32_t block) {
    if (atomic_fetch_sub_explicit(&pool->blocks[block].references, 1, memory_order_release) != 1)
        return 0;
    atomic_thread_fence(memory_order_acquire);
    atomic_fetch_add_explicit(&pool->free_count, 1, memory_order_release);
    uint64_t head = atomic_load_explicit(&pool->head, memory_order_relaxed);
    do
        atomic_store_explicit(&pool->blocks[block].next, (uint32_t)head, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&pool->head, &head, pack((head >> 32) + 1, block + 1),
                                                  memory_order_release, memory_order_relaxed));
    return 1;
}
