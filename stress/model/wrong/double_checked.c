/* double_checked: initialised once, behind a flag that is read without acquire. */
/* expect: data race */
#include <stdatomic.h>

#include "lockfree_model.h"
#include "seam.h"

#ifdef RIGHT
#define CHECK memory_order_acquire
#else
#define CHECK memory_order_relaxed
#endif

static atomic_int ready, locked;
static int table;

static void use(void) {
    if (!atomic_load_explicit(&ready, CHECK)) {
        while (atomic_exchange_explicit(&locked, 1, memory_order_acquire))
            lf_model_pause();
        if (!atomic_load_explicit(&ready, memory_order_relaxed)) {
            table = 42;
            atomic_store_explicit(&ready, 1, memory_order_release);
        }
        atomic_store_explicit(&locked, 0, memory_order_release);
    }
    lf_model_assert(table == 42);
}

LF_MODEL_CLIENT(double_checked, .threads = {use, use});
