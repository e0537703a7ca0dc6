/* arena_pages.h: which pages, or which slot of a slab, a block gets. All of it with the arena's lock.
 *
 * Contract
 *   A block of less than a page gets a slot of a slab: LF__SLAB_PAGES neighbouring pages that are cut into slots of one size
 *   class. A slab without a block is given back. Where no slab can be had, the block gets pages.
 *   A block of whole pages gets the lowest run that is long enough. If none is, but enough pages are free, it gets several
 *   runs, the longest first, which each process maps side by side. So pages that lie apart refuse nobody, up to
 *   LF_ARENA_PIECES runs.
 * Every function returns LF_OK; LF_EMPTY: there is no room, and nothing is changed; or LF_CORRUPT. */
#ifndef LOCKFREE_ARENA_PAGES_H
#define LOCKFREE_ARENA_PAGES_H

#include "arena_table.h"

/* ---- slots ---- */

LF_INLINE uint64_t lf__slab_bytes(const struct lf_arena *a) {
    return a->page_bytes >= 16384 ? a->page_bytes : LF__SLAB_PAGES * a->page_bytes;
}
LF_INLINE uint32_t lf__slab_pages(const struct lf_arena *a) { return (uint32_t)(lf__slab_bytes(a) / a->page_bytes); }
LF_INLINE uint32_t lf__slots(const struct lf_arena *a, uint32_t size_class) {
    uint64_t slots = lf__slab_bytes(a) / lf__arena_sizes[size_class];
    return slots < 256 ? (uint32_t)slots : 256;
}
/* The class of blocks of so many bytes with this alignment; LF__ARENA_CLASSES: they get pages. */
LF_INLINE uint32_t lf__arena_class(const struct lf_arena *a, uint64_t bytes, uint64_t align) {
    for (uint32_t c = 0; c < LF__ARENA_CLASSES; c++)
        if (lf__arena_sizes[c] >= bytes && lf__arena_sizes[c] % align == 0)
            return lf__arena_sizes[c] < a->page_bytes && lf__slots(a, c) > 1 ? c : LF__ARENA_CLASSES;
    return LF__ARENA_CLASSES;
}

LF_INLINE void lf__slab_clear(const struct lf_arena *a, struct lf_arena_slab *slab) {
    uint32_t slots = lf__slots(a, slab->size_class);
    slab->used = 0;
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t here = slots < 64 * i ? 0 : slots - 64 * i < 64 ? slots - 64 * i : 64;
        slab->free[i] = here == 0 ? 0 : lf__pages_mask(0, here);
    }
}
/* The list of a class's slabs with free slots. */
LF_INLINE void lf__slab_link(struct lf_arena *a, uint32_t number) {
    struct lf_arena_slab *slab = &a->slabs[number];
    uint32_t *head = &a->body->partial[slab->size_class];
    slab->previous = 0;
    slab->next = *head;
    if (*head != 0 && *head <= a->n_slabs)
        a->slabs[*head - 1].previous = number + 1;
    *head = number + 1;
}
LF_INLINE int lf__slab_unlink(struct lf_arena *a, uint32_t number) {
    struct lf_arena_slab *slab = &a->slabs[number];
    if (slab->next > a->n_slabs || slab->previous > a->n_slabs)
        return LF_CORRUPT;
    if (slab->next != 0)
        a->slabs[slab->next - 1].previous = slab->previous;
    if (slab->previous != 0)
        a->slabs[slab->previous - 1].next = slab->next;
    else
        a->body->partial[slab->size_class] = slab->next;
    return LF_OK;
}

/* A new slab of a class, at the head of its list. */
LF_INLINE int lf__slab_make(struct lf_arena *a, uint32_t size_class) {
    uint32_t first = lf_pages_find(&a->pages, lf__slab_pages(a));
    int64_t number = first == LF_NO_PAGE ? -1 : lf__arena_take_slab(a);
    if (number < 0)
        return number == LF_CORRUPT ? LF_CORRUPT : LF_EMPTY;
    struct lf_arena_slab *slab = &a->slabs[number];
    slab->first = first;
    slab->size_class = size_class;
    lf__slab_clear(a, slab);
    lf__slab_link(a, (uint32_t)number);
    return lf__arena_mark(a, first, lf__slab_pages(a), 0);
}
/* A slab without a block: its pages are free again. */
LF_INLINE int lf__slab_drop(struct lf_arena *a, uint32_t number) {
    int status = lf__slab_unlink(a, number);
    if (status == LF_OK)
        status = lf__arena_mark(a, a->slabs[number].first, lf__slab_pages(a), 1);
    LF__ARENA_GIVE(a, free_slab, LF__ARENA_NEXT_SLAB, number);
    return status;
}
LF_INLINE int lf__slab_is_possible(const struct lf_arena *a, uint64_t run) {
    uint64_t number = run >> 32, slot = run & UINT32_MAX;
    return number < a->n_slabs && a->slabs[number].size_class < LF__ARENA_CLASSES &&
           slot < lf__slots(a, a->slabs[number].size_class) && a->slabs[number].first < a->n_pages &&
           lf__slab_pages(a) <= a->n_pages - a->slabs[number].first;
}

LF_INLINE int lf__slot_take(struct lf_arena *a, uint32_t size_class, uint64_t *run) {
    uint32_t *head = &a->body->partial[size_class];
    int status = *head != 0 ? LF_OK : lf__slab_make(a, size_class);
    if (status != LF_OK)
        return status;
    uint32_t number = *head - 1, i = 0;
    if (number >= a->n_slabs || a->slabs[number].size_class != size_class)
        return LF_CORRUPT;
    struct lf_arena_slab *slab = &a->slabs[number];
    while (i < 4 && slab->free[i] == 0)
        i++;
    if (i == 4)
        return LF_CORRUPT;
    uint32_t slot = 64 * i + (uint32_t)__builtin_ctzll(slab->free[i]);
    slab->free[i] &= slab->free[i] - 1;
    *run = (uint64_t)number << 32 | slot;
    return ++slab->used < lf__slots(a, size_class) ? LF_OK : lf__slab_unlink(a, number);
}
LF_INLINE int lf__slot_give(struct lf_arena *a, uint64_t run) {
    uint32_t number = (uint32_t)(run >> 32), slot = (uint32_t)run;
    if (!lf__slab_is_possible(a, run))
        return LF_CORRUPT;
    struct lf_arena_slab *slab = &a->slabs[number];
    if (slab->used == 0 || (slab->free[slot / 64] >> slot % 64 & 1))
        return LF_CORRUPT;
    if (slab->used == lf__slots(a, slab->size_class))
        lf__slab_link(a, number);
    slab->free[slot / 64] |= UINT64_C(1) << slot % 64;
    return --slab->used > 0 ? LF_OK : lf__slab_drop(a, number);
}

/* ---- runs of pages ---- */

/* Gives all runs of a block back: the first one and those of its extents. */
LF_INLINE int lf__runs_give(struct lf_arena *a, uint64_t run, uint32_t extent) {
    int status = lf__arena_mark(a, (uint32_t)(run >> 32), (uint32_t)run, 1);
    for (uint32_t steps = 0; extent != 0 && status == LF_OK; steps++) {
        if (extent > a->n_extents || steps >= LF_ARENA_PIECES)
            return LF_CORRUPT;
        struct lf_arena_extent *it = &a->extents[extent - 1];
        uint32_t next = it->next;
        status = lf__arena_mark(a, it->first, it->pages, 1);
        LF__ARENA_GIVE(a, free_extent, LF__ARENA_NEXT_EXTENT, extent - 1);
        extent = next;
    }
    return status;
}

/* Where a longest free run begins. */
LF_INLINE uint32_t lf__longest_run(const struct lf_arena *a, uint32_t pages, uint32_t *length) {
    *length = lf_pages_longest(&a->pages);
    *length = *length < pages ? *length : pages;
    return lf_pages_find(&a->pages, *length);
}

/* `pages` pages: one run if possible, else several. */
LF_INLINE int lf__runs_take(struct lf_arena *a, uint64_t pages, uint64_t *run, uint32_t *extent) {
    uint32_t rest = (uint32_t)pages, length;
    *extent = 0;
    if (pages > a->n_pages || pages > a->body->free_pages)
        return LF_EMPTY;
    uint32_t first = lf__longest_run(a, rest, &length), *link = extent;
    int status = first == LF_NO_PAGE ? (int)LF_CORRUPT : lf__arena_mark(a, first, length, 0);
    if (status != LF_OK)
        return status;
    *run = (uint64_t)first << 32 | length;
    rest -= length;
    for (uint32_t pieces = 1; rest > 0; pieces++) {
        int64_t number = pieces < LF_ARENA_PIECES ? lf__arena_take_extent(a) : -1;
        if (number < 0) {
            status = lf__runs_give(a, *run, *extent);
            return status != LF_OK || number == LF_CORRUPT ? (int)LF_CORRUPT : (int)LF_EMPTY;
        }
        struct lf_arena_extent *it = &a->extents[number];
        it->first = lf__longest_run(a, rest, &length);
        it->pages = length;
        it->next = 0;
        if (it->first == LF_NO_PAGE || lf__arena_mark(a, it->first, length, 0) != LF_OK)
            return LF_CORRUPT;
        *link = (uint32_t)number + 1;
        link = &it->next;
        rest -= length;
    }
    return LF_OK;
}

/* ---- what a block is made of ---- */

/* The i-th run of a live block that the caller holds: first page and pages, or 0 pages: there is none. Needs no lock: the
 * runs of a block stay as they are while somebody holds it. */
LF_INLINE uint32_t lf__arena_run(const struct lf_arena *a, uint32_t block, uint32_t i, uint32_t *first) {
    const struct lf_arena_block *it = &a->blocks[block];
    uint32_t extent = it->extent, pages = (uint32_t)it->run;
    *first = (uint32_t)(it->run >> 32);
    while (i-- > 0) {
        if (extent == 0 || extent > a->n_extents)
            return 0;
        *first = a->extents[extent - 1].first;
        pages = a->extents[extent - 1].pages;
        extent = a->extents[extent - 1].next;
    }
    return *first < a->n_pages && pages <= a->n_pages - *first ? pages : 0;
}
LF_INLINE uint64_t lf__arena_pages_of(const struct lf_arena *a, uint64_t bytes) {
    return (bytes + a->page_bytes - 1) / a->page_bytes;
}

#endif
