/* thing.h: a kind of segment for tests: its body counts the recoveries of every participant, and can be told to let the
 * recoverer die half-way, or to take several pieces. */
#ifndef LOCKFREE_TESTS_THING_H
#define LOCKFREE_TESTS_THING_H

#include <lockfree/blocks/blocking.h>

#include "check.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct thing_body {
    uint32_t recovered[LF_PARTICIPANTS];
    uint32_t die_in_recovery; /* the next recoverer of this number is killed half-way */
    uint32_t pieces;          /* that a recovery takes beyond the first */
    uint32_t pieces_done;     /* by anybody */
    uint32_t stage;
};
#define THING_KIND 250u
#define THING_BYTES (LF_BODY_OFFSET + lf_round_up(sizeof(struct thing_body), LF_CACHE_LINE))

struct thing {
    struct lf_handle h;
    struct thing_body *body;
};

LF_INLINE int thing_view(struct lf_handle *h) {
    if (h->bytes != THING_BYTES)
        return lf_mismatch(h, "size in bytes for the geometry", h->bytes, THING_BYTES);
    ((struct thing *)h)->body = (struct thing_body *)(void *)h->body;
    return LF_OK;
}
LF_INLINE int thing_recover(struct lf_handle *h, uint32_t gone, uint64_t *cursor) {
    struct thing_body *body = ((struct thing *)h)->body;
    if (body->die_in_recovery == gone) {
        body->die_in_recovery = 0;
        raise(SIGKILL);
    }
    CHECK_EQ(*cursor, body->pieces_done); /* where the last piece ended, also one of another thread */
    if (body->pieces_done < body->pieces) {
        *cursor = ++body->pieces_done;
        return 0;
    }
    body->pieces_done = 0;
    lf_fetch_add_relaxed(&body->recovered[gone], 1u);
    return 1;
}
static const struct lf_kind thing_kind __attribute__((unused)) = {THING_KIND, thing_view, thing_recover, 0};
static const uint64_t geometry[LF_GEOMETRY] __attribute__((unused)) = {1, 2, 3, 4, 5, 6};

LF_INLINE void thing_create(struct thing *t, const char *named) {
    CHECK_EQ(lf_segment_create(&t->h, named, &thing_kind, THING_BYTES, geometry), LF_OK);
    CHECK_EQ(lf_segment_publish(&t->h, named), LF_OK);
}

/* On an old kernel, or an emulator that follows no advice about memory, only fork() is noticed, and a child inherits the
 * page that is its parent's life. Tests of that are not run there. */
static inline int advice_is_followed(void) {
    if (lf_process() != &lf__process_on_old_kernels)
        return 1;
    fprintf(stderr, "a part is not run here: madvise() does not follow MADV_WIPEONFORK and MADV_DONTFORK\n");
    return 0;
}

#endif
