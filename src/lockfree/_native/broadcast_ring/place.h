/* place.h: which of the readers of a broadcast ring the calling thread is. */
#ifndef LOCKFREE_PY_BROADCAST_PLACE_H
#define LOCKFREE_PY_BROADCAST_PLACE_H

#include <lockfree/broadcast_ring.h>

/* The calling thread's place, or LF_NOT_OWNER, or why there is none. */
static inline int64_t lf_py_broadcast_place(struct lf_broadcast_ring *r) {
    int status = lf_enter(&r->h);
    if (status != LF_OK)
        return status;
    uint64_t me = lf__broadcast_me(r);
    for (uint32_t k = 0; k < r->n_readers; k++)
        if (lf_load_relaxed(&r->body->readers[k].holder) == me)
            return k;
    return LF_NOT_OWNER;
}

#endif
