/* check_then_sleep: a semaphore that reads the count again when it goes to sleep, so that a post between
 * the look and the sleep is slept over. */
/* expect: lost wake */
#include <stdatomic.h>

#include "lockfree_model.h"
#include "seam.h"

static uint32_t count, posts;

static void waiter(void) {
    for (;;) {
#ifdef RIGHT
        uint32_t seen = __atomic_load_n(&posts, __ATOMIC_SEQ_CST);
#endif
        uint32_t c = __atomic_load_n(&count, __ATOMIC_SEQ_CST);
        if (c != 0 && __atomic_compare_exchange_n(&count, &c, c - 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            return;
#ifndef RIGHT
        uint32_t seen = __atomic_load_n(&posts, __ATOMIC_SEQ_CST);
#endif
        lf_model_futex_wait(&posts, seen, 0);
    }
}

static void poster(void) {
    __atomic_fetch_add(&count, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&posts, 1, __ATOMIC_SEQ_CST);
    lf_model_futex_wake(&posts, 1);
}

LF_MODEL_CLIENT(check_then_sleep, .threads = {waiter, poster});
