/* positions.h: where in its queue this thread put or took its last record. record() asks for it: it is the ticket of the
 * call, by which a check knows the order that the ring itself had. Nothing is kept until somebody has asked once. */
#ifndef LOCKFREE_PY_POSITIONS_H
#define LOCKFREE_PY_POSITIONS_H

#include <stdint.h>

static uint32_t lf_py_positions_wanted;
static _Thread_local int64_t lf_py_position = -1;

#define LF_AT_POSITION(id, position)                                                                                   \
    ((id) != LF__FREE && LF_UNLIKELY(lf_load_relaxed(&lf_py_positions_wanted) != 0)                                    \
         ? (void)(lf_py_position = (int64_t)((position) & INT64_MAX))                                                  \
         : (void)0)

#endif
