/* On the real machine: three threads take, share and drop blocks. */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "block_allocator.h"

enum { THREADS = 3, BLOCKS = 12, TURNS = 15000, MOST = 4 };

static struct pool *pool;
static int owner[BLOCKS]; /* plain: the thread that has taken a block writes it */

static void *take_all(void *number) {
    for (int turn = 0; turn < TURNS; turn++) {
        uint32_t taken[MOST], count = 1 + (uint32_t)turn % MOST;
        if (!pool_alloc(pool, count, taken)) {
            sched_yield();
            continue;
        }
        for (uint32_t i = 0; i < count; i++) {
            assert(taken[i] < BLOCKS && owner[taken[i]] == 0 && "three threads: a block is taken once");
            owner[taken[i]] = 1;
        }
        if (turn % 16 == 0)
            sched_yield();
        for (uint32_t i = 0; i < count; i++) {
            pool_share(pool, taken[i]);
            int last = pool_drop(pool, taken[i]);
            assert(!last && "three threads: a shared block is not free");
            owner[taken[i]] = 0;
            last = pool_drop(pool, taken[i]);
            assert(last && "three threads: the last drop frees the block");
        }
    }
    return number;
}

int main(void) {
    size_t bytes = (pool_size(BLOCKS) + 63) / 64 * 64;
    pool = aligned_alloc(64, bytes);
    assert(pool != NULL);
    memset(pool, 0, bytes);
    pool_init(pool, BLOCKS, UINT32_MAX - 1000);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        int failed = pthread_create(&threads[i], NULL, take_all, NULL);
        assert(!failed);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    uint32_t taken[BLOCKS + 1];
    int all = pool_alloc(pool, BLOCKS, taken);
    assert(all && "three threads: all blocks are back in the end");
    int one_more = pool_alloc(pool, 1, taken);
    assert(!one_more && "three threads: and no more than these");
    free(pool);
    return 0;
}
