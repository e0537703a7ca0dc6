/* arena_table.h: what an arena keeps in shared memory: blocks, holds, and what follows from them.
 *
 * Layout
 *   body | blocks | holds | next_holds | extents | slabs | page_runs.h | populated | a page that nobody may touch | pages.
 *   All that the library relies on stands before the pages, so that a write beyond a block breaks data, not the arena.
 * The truth is small, and each change of it takes effect by one store:
 *   a block's word {generation : 32 | LIVE}. Its run, size and extents are written before, while nobody can see them.
 *   a hold's word {block + 1 : 32 | generation : 20 | participant : 12}, 0: none. It counts only while its block is live
 *   and has this generation. Participant 0: it was let go without the lock, and the next holder of the lock ends it.
 *   a block's promises {seconds of CLOCK_MONOTONIC : 32 | count : 32}: references that are on their way in a handle.
 *   To open, the hold comes first: a reader that dies before the promise is gone has not opened, and loses the hold.
 *   what a slab's record says of its pages and its class, as long as a block in it is live.
 * All the rest is derived: the page runs, free lists, counts, `holders`. arena_rebuild.h derives it again after a
 * death.
 * Invariants, whenever nobody has the lock
 *   [A1] A live block has a holder or a promise. [A2] A page is taken exactly if one live block, or one slab with a live
 *   block, has it. [A3] `holders` of a block is the number of holds that count.
 * Trust: numbers from shared memory are bounded before use; LF_CORRUPT if they are impossible. */
#ifndef LOCKFREE_ARENA_TABLE_H
#define LOCKFREE_ARENA_TABLE_H

#include "owner_lock.h"
#include "page_runs.h"

#define LF_ARENA_LEAST_ALIGN 64u
#define LF_ARENA_MOST_ALIGN (UINT64_C(1) << 30)
#define LF_ARENA_MOST_PAGES (UINT64_C(1) << 31)
#define LF_ARENA_MOST_BLOCKS (UINT64_C(1) << 24)
#define LF_ARENA_PIECES 1024u /* a block is put together from so many runs at most; the kernel allows 65,530 mappings */
#define LF__ARENA_CLASSES 19u
#ifdef LF_MODEL
#define LF__SLAB_PAGES 1u
#define LF__ARENA_LEAST_PAGE 128u
#else
#define LF__SLAB_PAGES 4u
#define LF__ARENA_LEAST_PAGE 4096u
#endif

/* Distances are at most 25% above 256 bytes; below, they are the least alignment. */
static const uint16_t lf__arena_sizes[LF__ARENA_CLASSES] = {64,  128,  192,  256,  320,  384,  448,  512,  640, 768,
                                                            896, 1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584};

enum lf__arena_kind { LF__ARENA_RUN = 0, LF__ARENA_SLOT = 1 };
#define LF__ARENA_LIVE UINT64_C(1)
#define LF__ARENA_MAPPED (UINT64_C(1) << 62) /* in block.bytes: seen through a mapping of its own */
#define LF__ARENA_IS_SLOT (UINT64_C(1) << 63)
#define LF__ARENA_BYTES ((UINT64_C(1) << 48) - 1)
#define LF__ARENA_ALIGN_SHIFT 48 /* 6 bits: the logarithm */

struct lf_arena_block {
    uint64_t word;     /* {generation : 32 | 0 : 31 | LIVE} */
    uint64_t run;      /* {first page : 32 | pages : 32}, or of a slot {slab : 32 | slot : 32} */
    uint64_t bytes;    /* {IS_SLOT | MAPPED | 0 : 8 | log2 of the alignment : 6 | bytes asked for : 48} */
    uint64_t promised; /* {seconds : 32 | count : 32} */
    uint32_t extent;   /* + 1; the second run of its pages; 0: there is none */
    uint32_t holders;  /* derived */
    uint32_t next;     /* + 1; derived: the free blocks */
    uint32_t unused;
};
struct lf_arena_extent {
    uint32_t first, pages, next /* + 1 */, unused;
};
struct lf_arena_slab {
    uint32_t first;      /* page */
    uint32_t size_class; /* of lf__arena_sizes */
    uint32_t used;       /* derived, as all that follows */
    uint32_t next, previous;
    uint32_t unused;
    uint64_t free[4]; /* 1: this slot is free */
};
LF_STATIC_ASSERT(sizeof(struct lf_arena_block) == 48, "layout");
LF_STATIC_ASSERT(sizeof(struct lf_arena_extent) == 16 && sizeof(struct lf_arena_slab) == 56, "layout");

struct lf_arena_body {
    LF_ALIGNED uint64_t lock;       /* owner_lock.h; guards all but what is said to be read without it */
    LF_ALIGNED uint64_t free_pages; /* derived, as all that follows; also read without the lock */
    uint32_t live_blocks, live_holds;
    uint32_t blocks_used, holds_used, extents_used, slabs_used; /* no higher one was ever used; never go down */
    uint32_t free_block, free_hold, free_extent, free_slab;     /* + 1; 0: none below `used` */
    uint64_t allocs;                                            /* since it was made; for messages */
    uint32_t let_go; /* not 0: there may be holds of participant 0 (arena_blocks.h); also added to without the lock */
    LF_ALIGNED uint32_t partial[LF__ARENA_CLASSES]; /* + 1: slabs with a free slot */
    LF_ALIGNED struct lf_eventcount freed;
};

struct lf_arena {
    struct lf_handle h;
    struct lf_arena_body *body;
    struct lf_arena_block *blocks;
    uint64_t *holds;
    uint32_t *next_holds;
    struct lf_arena_extent *extents;
    struct lf_arena_slab *slabs;
    struct lf_pages pages;
    uint64_t *populated; /* bits of pages that have memory; set once they have, by a holder of a block there */
    unsigned char *data; /* of the mapping: page 0 */
    uint64_t data_offset, page_bytes, identity;
    uint32_t n_pages, n_blocks, n_holds, n_extents, n_slabs, huge;
    uint64_t unasked; /* lf_memory_allows */
};

/* What one thread has of a block; in process memory. */
struct lf_arena_hold {
    uint32_t block, generation, hold;
    uint32_t held; /* 1 until it is let go */
    uint64_t bytes;
    unsigned char *address;
    void *mapping; /* of the block's own, or NULL */
    uint64_t mapped;
    uint64_t epoch; /* of the process that has it: a forked child's copy is not the child's */
};
/* Travels as bytes. */
struct lf_arena_handle {
    uint64_t identity; /* of the arena */
    uint32_t block;    /* {WEAK | block : 31} */
    uint32_t generation;
};
#define LF_ARENA_WEAK (UINT32_C(1) << 31)
LF_STATIC_ASSERT(sizeof(struct lf_arena_handle) == 16, "layout");

/* ---- where everything is ---- */

struct lf__arena_places {
    uint64_t blocks, holds, next_holds, extents, slabs, runs, populated, metadata, data, total;
    uint32_t n_holds, n_extents, n_slabs;
};
/* LF_INVALID if a number is out of its bounds. Offsets are those in the file. */
LF_INLINE int lf__arena_places(const uint64_t geometry[LF_GEOMETRY], struct lf__arena_places *at) {
    uint64_t pages = geometry[0], page = geometry[1], blocks = geometry[2];
    if (pages < 1 || pages > LF_ARENA_MOST_PAGES || blocks < 1 || blocks > LF_ARENA_MOST_BLOCKS ||
        page < LF__ARENA_LEAST_PAGE || page > 65536 || (page & (page - 1)) != 0)
        return LF_INVALID;
    at->n_holds = (uint32_t)(2 * blocks);
    at->n_extents = (uint32_t)(blocks / 2 + 2 * LF_ARENA_PIECES);
    at->n_slabs = (uint32_t)(blocks / 8 + 4);
#ifdef LF_MODEL
    at->n_extents = 4;
#endif
    at->blocks = LF_BODY_OFFSET + lf_round_up(sizeof(struct lf_arena_body), 64);
    at->holds = at->blocks + blocks * sizeof(struct lf_arena_block);
    at->next_holds = at->holds + at->n_holds * UINT64_C(8);
    at->extents = at->next_holds + at->n_holds * UINT64_C(4);
    at->slabs = lf_round_up(at->extents + at->n_extents * sizeof(struct lf_arena_extent), 8);
    at->runs = at->slabs + at->n_slabs * sizeof(struct lf_arena_slab);
    at->populated = at->runs + lf_pages_bytes(pages);
    at->metadata = lf_round_up(at->populated + lf_pages_words(pages) * 8, page);
    at->data = at->metadata + page;
    at->total = at->data + pages * page;
    return LF_OK;
}

LF_INLINE int lf__arena_view(struct lf_handle *h) {
    struct lf_arena *a = (struct lf_arena *)h;
    const uint64_t *geometry = h->segment->identity.geometry;
    struct lf__arena_places at;
    if (lf__arena_places(geometry, &at) != LF_OK)
        return lf_mismatch(h, "geometry of the arena (pages)", geometry[0], LF_ARENA_MOST_PAGES);
    if (h->bytes != at.total)
        return lf_mismatch(h, "size in bytes for the geometry", h->bytes, at.total);
    unsigned char *base = (unsigned char *)h->segment;
    a->body = (struct lf_arena_body *)(void *)h->body;
    a->blocks = (struct lf_arena_block *)(void *)(base + at.blocks);
    a->holds = (uint64_t *)(void *)(base + at.holds);
    a->next_holds = (uint32_t *)(void *)(base + at.next_holds);
    a->extents = (struct lf_arena_extent *)(void *)(base + at.extents);
    a->slabs = (struct lf_arena_slab *)(void *)(base + at.slabs);
    lf_pages_view(&a->pages, base + at.runs, (uint32_t)geometry[0]);
    a->populated = (uint64_t *)(void *)(base + at.populated);
    a->data = base + at.data;
    a->data_offset = at.data;
    a->page_bytes = geometry[1];
    a->identity = geometry[3];
    a->n_pages = (uint32_t)geometry[0];
    a->n_blocks = (uint32_t)geometry[2];
    a->n_holds = at.n_holds;
    a->n_extents = at.n_extents;
    a->n_slabs = at.n_slabs;
    a->huge = 0;
    a->unasked = 0;
    return LF_OK;
}

/* ---- words ---- */

LF_INLINE int lf__block_is_live(uint64_t word) { return (int)(word & LF__ARENA_LIVE); }
LF_INLINE uint32_t lf__arena_generation(uint64_t word) { return (uint32_t)(word >> 32); }
LF_INLINE uint64_t lf__hold_word(uint32_t block, uint32_t generation, uint32_t participant) {
    return (uint64_t)(block + 1) << 32 | (uint64_t)(generation & 0xfffff) << 12 | participant;
}
LF_INLINE uint32_t lf__hold_block(uint64_t word) { return (uint32_t)(word >> 32) - 1; } /* UINT32_MAX: none */
LF_INLINE uint32_t lf__hold_participant(uint64_t word) { return (uint32_t)word & LF_PARTICIPANT_MASK; }
LF_INLINE uint32_t lf__promises(uint64_t promised) { return (uint32_t)promised; }
/* Whether a hold counts: its block is live, in its generation. */
LF_INLINE int lf__hold_counts(const struct lf_arena *a, uint64_t word) {
    uint32_t block = lf__hold_block(word);
    if (block >= a->n_blocks)
        return 0;
    uint64_t it = lf_load_relaxed(&a->blocks[block].word);
    return lf__block_is_live(it) && (lf__arena_generation(it) & 0xfffff) == (uint32_t)(word >> 12 & 0xfffff);
}

/* ---- free lists: derived, last in first out; what was never used comes last. All with the lock. ---- */

/* A number from a list, or the next one never used; -1: there is none; LF_CORRUPT. `next`: of entry i. */
#define LF__ARENA_TAKE(a, head, used, limit, NEXT, number)                                                             \
    do {                                                                                                               \
        uint32_t first = (a)->body->head;                                                                              \
        if (first != 0 && first <= (limit)) {                                                                          \
            (number) = (int64_t)first - 1;                                                                             \
            (a)->body->head = NEXT((a), first - 1);                                                                    \
        } else if (first == 0 && (a)->body->used < (limit)) {                                                          \
            (number) = (int64_t)(a)->body->used;                                                                       \
            lf_store_relaxed(&(a)->body->used, (uint32_t)(number) + 1);                                                \
        } else {                                                                                                       \
            (number) = first == 0 ? -1 : (int64_t)LF_CORRUPT;                                                          \
        }                                                                                                              \
    } while (0)
#define LF__ARENA_NEXT_BLOCK(a, i) (a)->blocks[i].next
#define LF__ARENA_NEXT_HOLD(a, i) (a)->next_holds[i]
#define LF__ARENA_NEXT_EXTENT(a, i) (a)->extents[i].next
#define LF__ARENA_NEXT_SLAB(a, i) (a)->slabs[i].next
#define LF__ARENA_GIVE(a, head, NEXT, number)                                                                          \
    do {                                                                                                               \
        NEXT((a), number) = (a)->body->head;                                                                           \
        (a)->body->head = (uint32_t)(number) + 1;                                                                      \
    } while (0)

LF_INLINE int64_t lf__arena_take_block(struct lf_arena *a) {
    int64_t number;
    LF__ARENA_TAKE(a, free_block, blocks_used, a->n_blocks, LF__ARENA_NEXT_BLOCK, number);
    return number;
}
LF_INLINE int64_t lf__arena_take_hold(struct lf_arena *a) {
    int64_t number;
    LF__ARENA_TAKE(a, free_hold, holds_used, a->n_holds, LF__ARENA_NEXT_HOLD, number);
    return number;
}
LF_INLINE int64_t lf__arena_take_extent(struct lf_arena *a) {
    int64_t number;
    LF__ARENA_TAKE(a, free_extent, extents_used, a->n_extents, LF__ARENA_NEXT_EXTENT, number);
    return number;
}
LF_INLINE int64_t lf__arena_take_slab(struct lf_arena *a) {
    int64_t number;
    LF__ARENA_TAKE(a, free_slab, slabs_used, a->n_slabs, LF__ARENA_NEXT_SLAB, number);
    return number;
}

/* ---- pages, with the lock ---- */

LF_INLINE int lf__arena_mark(struct lf_arena *a, uint32_t first, uint32_t pages, int become_free) {
    if (lf_pages_mark(&a->pages, first, pages, become_free) != 0)
        return LF_CORRUPT;
    lf_store_relaxed(&a->body->free_pages, a->body->free_pages + (become_free ? pages : 0 - (uint64_t)pages));
    return LF_OK;
}

#endif
