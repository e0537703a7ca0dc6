/* peterson: mutual exclusion for two, with a fence where it seems to belong, but the turn given away by a plain
 * store: the two stores may take effect in the other order (2+2W), and both see it as their own. Read-modify-
 * writes follow each other, and need no fence. */
/* expect: data race */
#include <stdatomic.h>

#include "lockfree_model.h"
#include "seam.h"

static atomic_int wants[2], turn;
static int counter;

static void enter(int me) {
    atomic_store_explicit(&wants[me], 1, memory_order_relaxed);
#ifdef RIGHT
    atomic_exchange_explicit(&turn, 1 - me, memory_order_acq_rel);
#else
    atomic_store_explicit(&turn, 1 - me, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
#endif
    while (atomic_load_explicit(&wants[1 - me], memory_order_acquire) &&
           atomic_load_explicit(&turn, memory_order_acquire) != me)
        lf_model_pause();
    counter++;
    atomic_store_explicit(&wants[me], 0, memory_order_release);
}
static void left(void) { enter(0); }
static void right(void) { enter(1); }
static void final(void) { lf_model_assert(counter == 2); }

LF_MODEL_CLIENT(peterson, .threads = {left, right}, .final = final);
