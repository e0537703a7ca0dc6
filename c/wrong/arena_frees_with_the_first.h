/* arena_frees_with_the_first.h: in the place of arena_blocks.h: a block is free when the first of its holders lets go. */
#define lf__arena_let_go lf__arena_let_go_by_one
#include <lockfree/blocks/arena_blocks.h>
#undef lf__arena_let_go

LF_INLINE int lf__arena_let_go(struct lf_arena *a, uint32_t hold) {
    uint32_t block = lf__hold_block(lf_load_relaxed(&a->holds[hold]));
    if (block < a->n_blocks)
        a->blocks[block].holders = 1;
    return lf__arena_let_go_by_one(a, hold);
}
