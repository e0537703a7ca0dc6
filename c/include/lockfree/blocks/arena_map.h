/* arena_map.h: memory for the pages of a block, and the mapping of a block that needs one of its own.
 *
 * Contract
 *   The file of an arena is as long as the arena, and has memory only where a block was. lf_arena_populate takes memory for
 *   the pages of a block before anybody touches them, so a full memory file system, or a full container, is an error of
 *   the call that allocates, and never SIGBUS. Pages keep their memory when their block is free.
 *   A block of several runs, or with an alignment above a page, is seen through a mapping of its own: its runs side by
 *   side, and a page behind them that nobody may touch. Other blocks are seen in the mapping of the segment.
 * The block's holder does both, without the arena's lock.
 * Death: pages that got memory, and whose bit was not set, get it again. That changes nothing. */
#ifndef LOCKFREE_ARENA_MAP_H
#define LOCKFREE_ARENA_MAP_H

#include "arena_rebuild.h"

#ifdef LF_MODEL
LF_INLINE int lf_arena_populate(struct lf_arena *a, uint32_t block) { return (void)a, (void)block, LF_OK; }
LF_INLINE int lf_arena_map(struct lf_arena *a, struct lf_arena_hold *hold) { return (void)a, (void)hold, LF_OK; }
LF_INLINE void lf_arena_unmap(struct lf_arena_hold *hold) { (void)hold; }
#else

/* The segment's descriptor, found again if the program has closed it; -1: LF_LOST. */
LF_INLINE int lf__arena_file(struct lf_arena *a) {
    if (LF_LIKELY(lf__is_file_of(&a->h, a->h.fd)))
        return a->h.fd;
    while (!lf__begin_to_reap(&a->h)) /* the thread that looks for the dead may look for the file, too */
        lf_nap(50000);
    int fd = lf_segment_file(&a->h);
    lf__end_to_reap(&a->h);
    return fd;
}
LF_INLINE int lf__arena_failed(struct lf_arena *a, int error, const char *doing) {
    errno = error;
    return lf_system_error(&a->h, doing);
}

/* Takes memory for pages that have none. Several processes may look at the same time, and then take what there is once. So
 * where LF__TAKERS such calls would not all find memory, it is taken in pieces, with a look before each. A thread that
 * loses its processor mostly loses it while the system fills its pages with zeros, and takes the rest of its piece long
 * after its look, when others have taken what there was. So where little is left the pieces are small: LF__TAKERS of them
 * are together no more than LF__SPARE. */
#define LF__LITTLE_LEFT (UINT64_C(64) << 20)
#define LF__PIECE (LF__SPARE / LF__TAKERS)
LF_INLINE uint64_t lf__arena_piece(uint64_t left) {
    return left < LF__LITTLE_LEFT ? lf__smaller_of(LF__PIECE, left / LF__TAKERS) : left / LF__TAKERS;
}
LF_INLINE int lf__arena_populate_run(struct lf_arena *a, uint32_t first, uint32_t pages) {
    for (uint32_t at = first, end = first + pages; at < end;) {
        uint64_t word = lf_load_relaxed(&a->populated[at / 64]) >> at % 64;
        uint32_t count = word & 1 ? (~word == 0 ? 64 : (uint32_t)__builtin_ctzll(~word)) : 0;
        if (count > 0) {
            at += count < 64 - at % 64 ? count : 64 - at % 64;
            continue;
        }
        uint32_t stop = at;
        while (stop < end && (lf_load_relaxed(&a->populated[stop / 64]) >> stop % 64 & 1) == 0)
            stop++;
        uint64_t bytes = (stop - at) * a->page_bytes;
        uint64_t left = UINT64_MAX;
        if (!lf_memory_allows(&a->unasked, (uint32_t)(lf_now_coarse() >> 22), bytes, &left))
            return lf__arena_failed(a, ENOMEM, "taking memory for a block: the machine, or the container, has none");
        uint64_t piece = lf__arena_piece(left) / a->page_bytes; /* not looked: all that is allowed without it */
        stop = (uint32_t)lf__smaller_of(stop, at + (piece > 0 ? piece : 1));
        if (lf__arena_file(a) < 0)
            return lf__lost(&a->h);
        uint64_t from = a->data_offset + at * a->page_bytes;
        int error = lf__allocate(&a->h, from, from + (stop - at) * a->page_bytes);
        if (error != 0)
            return lf__arena_failed(a, error, "taking memory for a block");
        for (; at < stop; at++)
            lf_fetch_or_relaxed(&a->populated[at / 64], UINT64_C(1) << at % 64);
    }
    return LF_OK;
}
/* For all pages of a block that the caller holds: LF_OK, LF_SYSTEM or LF_LOST. */
LF_INLINE int lf_arena_populate(struct lf_arena *a, uint32_t block) {
    uint32_t first, pages;
    int status = LF_OK;
    if (a->h.fd < 0) /* memory of the caller's */
        return LF_OK;
    if (a->blocks[block].bytes & LF__ARENA_IS_SLOT) {
        uint64_t run = a->blocks[block].run;
        if (!lf__slab_is_possible(a, run))
            return LF_CORRUPT;
        return lf__arena_populate_run(a, a->slabs[run >> 32].first, lf__slab_pages(a));
    }
    for (uint32_t i = 0; status == LF_OK && (pages = lf__arena_run(a, block, i, &first)) != 0; i++)
        status = lf__arena_populate_run(a, first, pages);
    return status;
}

/* Whether all pages of a block that the caller holds have memory. */
LF_INLINE int lf_arena_is_populated(const struct lf_arena *a, uint32_t block) {
    uint32_t first, pages;
    if (a->blocks[block].bytes & LF__ARENA_IS_SLOT)
        return 1; /* of little consequence: a slab has few pages */
    for (uint32_t i = 0; (pages = lf__arena_run(a, block, i, &first)) != 0; i++)
        for (uint32_t at = first; at < first + pages; at = (at / 64 + 1) * 64) {
            uint32_t bit = at % 64, count = 64 - bit < first + pages - at ? 64 - bit : first + pages - at;
            if (~lf_load_relaxed(&a->populated[at / 64]) & lf__pages_mask(bit, count))
                return 0;
        }
    return 1;
}

/* Shows the runs of a block side by side in `base`, which is reserved: LF_OK or LF_SYSTEM. */
LF_INLINE int lf__arena_show(struct lf_arena *a, uint32_t block, unsigned char *base) {
    uint32_t first, pages;
    uint64_t done = 0;
    for (uint32_t i = 0; (pages = lf__arena_run(a, block, i, &first)) != 0; i++) {
        void *at = mmap(base + done, pages * a->page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, a->h.fd,
                        (off_t)(a->data_offset + first * a->page_bytes));
        if (at == MAP_FAILED)
            return lf_system_error(&a->h, "mapping the pages of a block side by side (see vm.max_map_count)");
        done += pages * a->page_bytes;
    }
    return LF_OK;
}
/* The mapping of a block of its own: sets hold->address, mapping, mapped. The caller holds it. */
LF_INLINE int lf_arena_map(struct lf_arena *a, struct lf_arena_hold *hold) {
    uint64_t bytes = a->blocks[hold->block].bytes;
    uint64_t span = lf__arena_pages_of(a, bytes & LF__ARENA_BYTES) * a->page_bytes;
    uint64_t align = UINT64_C(1) << (bytes >> LF__ARENA_ALIGN_SHIFT & 63);
    align = align > a->page_bytes ? align : a->page_bytes;
    if (a->h.fd < 0)
        return LF_OK; /* memory of the caller's: its blocks of several runs have no address */
    if (align > LF_ARENA_MOST_ALIGN || span > (uint64_t)a->n_pages * a->page_bytes)
        return LF_CORRUPT;
    if (lf__arena_file(a) < 0)
        return lf__lost(&a->h);
    uint64_t reserved = span + align + a->page_bytes;
    unsigned char *start = (unsigned char *)mmap(NULL, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                                                 -1, 0);
    if (start == MAP_FAILED)
        return lf_system_error(&a->h, "reserving addresses for a block");
    unsigned char *base = start + (lf_round_up((uintptr_t)start, align) - (uintptr_t)start);
    int status = lf__arena_show(a, hold->block, base);
    if (status != LF_OK) {
        munmap(start, reserved);
        return status;
    }
    unsigned char *end = base + span + a->page_bytes;
    if (base > start)
        munmap(start, (size_t)(base - start));
    if (end < start + reserved)
        munmap(end, (size_t)(start + reserved - end));
    hold->address = base;
    hold->mapping = base;
    hold->mapped = span + a->page_bytes;
    return LF_OK;
}
LF_INLINE void lf_arena_unmap(struct lf_arena_hold *hold) {
    if (hold->mapping != NULL)
        munmap(hold->mapping, hold->mapped);
    hold->mapping = NULL;
    hold->address = NULL;
}

/* Asks for huge pages; whether the kernel is willing. */
LF_INLINE int lf__arena_advise(struct lf_arena *a) {
    a->huge = madvise(a->data, (size_t)a->n_pages * a->page_bytes, MADV_HUGEPAGE) == 0;
    return (int)a->huge;
}
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
/* Takes memory for all pages, and enters it into this process's page table, so that no first touch is slow. */
LF_INLINE int lf__arena_prefault(struct lf_arena *a) {
    int status = lf__arena_populate_run(a, 0, a->n_pages);
    if (status != LF_OK || madvise(a->data, (size_t)a->n_pages * a->page_bytes, MADV_POPULATE_WRITE) == 0)
        return status;
    for (uint64_t i = 0; i < a->n_pages; i++) /* a kernel before 5.14: the memory is there, so a look is enough */
        (void)lf_load_relaxed(a->data + i * a->page_bytes);
    return LF_OK;
}
#endif

#endif
