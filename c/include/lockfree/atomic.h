/* atomic.h: one atomic variable of up to 8 bytes in a segment of its own.
 *
 * Usage
 *   #include <lockfree/atomic.h>
 *
 *   struct lf_atomic_cell counter;
 *   int status = lf_atomic_cell_create(&counter, "hits", LF_CELL_U64, 0); // others: lf_atomic_cell_attach
 *   if (status != LF_OK)
 *       return status;                                                  // counter.h.error: errno after LF_SYSTEM
 *   uint64_t before = lf_fetch_add_acq_rel(counter.value, (uint64_t)1); // any macro of blocks/atomics.h
 *   (void)before;
 *   lf_segment_unlink(&counter.h, "hits"); // nobody can attach any more; participants go on
 *   lf_detach(&counter.h);                 // this participant leaves
 *
 * Contract: the operations are the macros of blocks/atomics.h. This header only gives the variable a segment.
 * Progress: wait-free. Death: nothing to do.
 * Layout: one line; the value at its beginning. geometry = {type}. */
#ifndef LOCKFREE_ATOMIC_H
#define LOCKFREE_ATOMIC_H

#include "blocks/blocking.h"

#define LF_KIND_ATOMIC 1u

enum lf_cell_type { LF_CELL_U32 = 1, LF_CELL_U64 = 2, LF_CELL_I64 = 3, LF_CELL_F64 = 4, LF_CELL_FLAG = 5 };

struct lf_atomic_cell {
    struct lf_handle h;
    uint64_t *value; /* points at the cell; 4-byte types use its first half */
    uint64_t type;
};

#define LF__CELL_BYTES (LF_BODY_OFFSET + LF_CACHE_LINE)

LF_INLINE int lf__atomic_cell_view(struct lf_handle *h) {
    struct lf_atomic_cell *cell = (struct lf_atomic_cell *)h;
    cell->type = h->geometry[0];
    cell->value = (uint64_t *)(void *)h->body;
    if (h->bytes != LF__CELL_BYTES)
        return lf_mismatch(h, "size in bytes", h->bytes, LF__CELL_BYTES);
    if (cell->type < LF_CELL_U32 || cell->type > LF_CELL_FLAG)
        return lf_mismatch(h, "type of the cell", cell->type, LF_CELL_U64);
    return LF_OK;
}
LF_INLINE int lf__atomic_cell_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    (void)h, (void)gone, (void)cursor;
    return 1; /* an atomic variable belongs to nobody */
}
static const struct lf_kind lf_atomic_cell_kind = {LF_KIND_ATOMIC, lf__atomic_cell_view, lf__atomic_cell_recover, 0};

#ifndef LF_MODEL
LF_INLINE int lf_atomic_cell_create(struct lf_atomic_cell *cell, const char *name, enum lf_cell_type type,
                                    uint64_t initial) {
    uint64_t geometry[LF_GEOMETRY] = {(uint64_t)type, 0, 0, 0, 0, 0};
    int status = lf_segment_create(&cell->h, name, &lf_atomic_cell_kind, LF__CELL_BYTES, geometry);
    if (status != LF_OK)
        return status;
    *cell->value = initial;
    return lf_segment_publish(&cell->h, name);
}
LF_INLINE int lf_atomic_cell_attach(struct lf_atomic_cell *cell, const char *name) {
    return lf_segment_attach(&cell->h, name, &lf_atomic_cell_kind);
}
LF_INLINE int lf_atomic_cell_attach_fd(struct lf_atomic_cell *cell, int fd) {
    return lf_segment_attach_fd(&cell->h, fd, &lf_atomic_cell_kind);
}
#endif

LF_INLINE void lf_atomic_cell_close(struct lf_atomic_cell *cell) { lf_close(&cell->h, NULL, 0); }

#endif
