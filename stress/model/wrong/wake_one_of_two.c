/* wake_one_of_two: shutting down wakes one of two sleepers. */
/* expect: lost wake */
#include "lockfree_model.h"
#include "seam.h"

#ifdef RIGHT
#define HOW_MANY 2147483647
#else
#define HOW_MANY 1
#endif

static uint32_t closed;

static void sleeper(void) {
    while (__atomic_load_n(&closed, __ATOMIC_ACQUIRE) == 0)
        lf_model_futex_wait(&closed, 0, 0);
}

static void closer(void) {
    __atomic_store_n(&closed, 1, __ATOMIC_RELEASE);
    lf_model_futex_wake(&closed, HOW_MANY);
}

LF_MODEL_CLIENT(wake_one_of_two, .threads = {sleeper, sleeper, closer});
