/* lock_order: two locks taken in two orders. */
/* expect: deadlock */
#include <stdatomic.h>

#include "lockfree_model.h"
#include "seam.h"

static atomic_int lock[2];

static void both(int first, int second) {
    while (atomic_exchange_explicit(&lock[first], 1, memory_order_acquire))
        lf_model_pause();
    while (atomic_exchange_explicit(&lock[second], 1, memory_order_acquire))
        lf_model_pause();
    atomic_store_explicit(&lock[second], 0, memory_order_release);
    atomic_store_explicit(&lock[first], 0, memory_order_release);
}
static void one(void) { both(0, 1); }
#ifdef RIGHT
static void other(void) { both(0, 1); }
#else
static void other(void) { both(1, 0); }
#endif

LF_MODEL_CLIENT(lock_order, .threads = {one, other});
