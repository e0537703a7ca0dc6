/* turns.h: calls that hold the GIL for long let other threads run in between. */
#ifndef LOCKFREE_PY_TURNS_H
#define LOCKFREE_PY_TURNS_H

#include "common/object.h"

/* In a loop over very many items, which runs no Python code: after so long, other threads get a turn. Not inside. */
#define LF_PY_TURN_NS UINT64_C(500000)
static inline int lf_py_is_long(uint64_t *began, uint64_t item) {
    if (LF_LIKELY((item & 127) != 127))
        return 0;
    uint64_t now = lf_now(), since = *began;
    if (since == 0 || now - since >= LF_PY_TURN_NS)
        *began = now;
    return since != 0 && now - since >= LF_PY_TURN_NS;
}
/* Without the GIL for a moment that is long enough for a waiter to wake up. Else this thread has it again before,
 * and the one that was woken waits again: it never comes to ask for the GIL, which takes the whole of a switch
 * interval. */
#define LF_PY_TURN() LF_PY_WITHOUT_GIL(lf_nap(20000))
static inline void lf_py_let_others_run(uint64_t *began, uint64_t item) {
    if (LF_UNLIKELY(lf_py_is_long(began, item)))
        LF_PY_TURN();
}

#endif
