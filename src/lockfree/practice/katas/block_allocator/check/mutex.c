/* One mutex around everything: what the stage speed compares with. */
#include "block_allocator.h"

#include <pthread.h>

struct pool {
    pthread_mutex_t guard;
    uint32_t blocks, free_count;
    uint32_t words[]; /* the references of each block, and then the numbers of the free ones */
};

size_t pool_size(uint32_t blocks) { return sizeof(struct pool) + 2 * blocks * sizeof(uint32_t); }

static uint32_t *free_blocks(struct pool *pool) { return pool->words + pool->blocks; }

void pool_init(struct pool *pool, uint32_t blocks, uint32_t start) {
    (void)start;
    pthread_mutex_init(&pool->guard, NULL);
    pool->blocks = pool->free_count = blocks;
    for (uint32_t i = 0; i < blocks; i++)
        free_blocks(pool)[i] = i;
}

int pool_alloc(struct pool *pool, uint32_t count, uint32_t *taken) {
    pthread_mutex_lock(&pool->guard);
    int enough = pool->free_count >= count;
    for (uint32_t i = 0; enough && i < count; i++) {
        taken[i] = free_blocks(pool)[--pool->free_count];
        pool->words[taken[i]] = 1;
    }
    pthread_mutex_unlock(&pool->guard);
    return enough;
}

void pool_share(struct pool *pool, uint32_t block) {
    pthread_mutex_lock(&pool->guard);
    pool->words[block]++;
    pthread_mutex_unlock(&pool->guard);
}

int pool_drop(struct pool *pool, uint32_t block) {
    pthread_mutex_lock(&pool->guard);
    int last = --pool->words[block] == 0;
    if (last)
        free_blocks(pool)[pool->free_count++] = block;
    pthread_mutex_unlock(&pool->guard);
    return last;
}
