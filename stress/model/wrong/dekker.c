/* dekker: each raises a flag and looks at the other's; without seq_cst both may see the other's down. */
/* expect: data race */
#include <stdatomic.h>

#include "lockfree_model.h"

#ifdef RIGHT
#define RAISE memory_order_seq_cst
#define LOOK memory_order_seq_cst
#else
#define RAISE memory_order_release
#define LOOK memory_order_acquire
#endif

static atomic_int flag[2];
static int inside;

static void enter(int me) {
    atomic_store_explicit(&flag[me], 1, RAISE);
    if (atomic_load_explicit(&flag[1 - me], LOOK) == 0)
        inside++;
}
static void left(void) { enter(0); }
static void right(void) { enter(1); }

LF_MODEL_CLIENT(dekker, .threads = {left, right});
