/* positions.h: where in its queue this thread put or took its last records. record() and the stress runs ask for it: these
 * are the tickets of a call, by which a check knows the order that the ring itself had. Nothing is kept until somebody has
 * asked once. Calls that give the GIL up keep theirs in an extension of their own. */
#ifndef LOCKFREE_PY_POSITIONS_H
#define LOCKFREE_PY_POSITIONS_H

#include <stdint.h>

enum { LF_PY_POSITIONS = 256 }; /* the newest are kept */
static uint32_t lf_py_positions_wanted;
static _Thread_local int64_t lf_py_position[LF_PY_POSITIONS];
static _Thread_local uint32_t lf_py_positioned;

#define LF_AT_POSITION(id, position)                                                                                   \
    ((id) != LF__FREE && LF_UNLIKELY(lf_load_relaxed(&lf_py_positions_wanted) != 0)                                    \
         ? (void)(lf_py_position[lf_py_positioned++ % LF_PY_POSITIONS] = (int64_t)((position) & INT64_MAX))            \
         : (void)0)

/* The positions since this thread asked before, the newest `room` of them; how many it filled in. */
#define LF_PY_TAKE_POSITIONS(name)                                                                                     \
    static uint32_t name(int64_t *positions, uint32_t room) {                                                          \
        uint32_t kept = lf_py_positioned < LF_PY_POSITIONS ? lf_py_positioned : LF_PY_POSITIONS;                       \
        kept = kept < room ? kept : room;                                                                              \
        lf_store_relaxed(&lf_py_positions_wanted, 1u);                                                                 \
        for (uint32_t i = 0; i < kept; i++)                                                                            \
            positions[i] = lf_py_position[(lf_py_positioned - kept + i) % LF_PY_POSITIONS];                            \
        lf_py_positioned = 0;                                                                                          \
        return kept;                                                                                                   \
    }

#endif
