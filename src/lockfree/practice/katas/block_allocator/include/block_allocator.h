/* The blocks of a cache for keys and values. Sequences take many blocks at once, and share those of a common beginning. */
#ifndef BLOCK_ALLOCATOR_H
#define BLOCK_ALLOCATOR_H

#include <stddef.h>
#include <stdint.h>

struct pool; /* yours */

/* Bytes; the memory that pool_init gets is zeroed, and aligned to 64. blocks: 1 to 65,536. */
size_t pool_size(uint32_t blocks);
/* By one thread, before the others begin. All blocks are free. start: where a tag or a count of yours begins. */
void pool_init(struct pool *pool, uint32_t blocks, uint32_t start);
/* 1: `taken` holds `count` different blocks, each with one reference, which is the caller's. 0: at some moment of the call fewer
 * than `count` blocks were free; nothing is taken. count: 0 or more; 0 blocks are always there. */
int pool_alloc(struct pool *pool, uint32_t count, uint32_t *taken);
/* By who has a reference: there is one more. At most 1,000,000 of them. */
void pool_share(struct pool *pool, uint32_t block);
/* By who has a reference, and gives it back. 1: it was the last one, and the block is free. 0: there are others. */
int pool_drop(struct pool *pool, uint32_t block);

#endif
