/* What the clients share: an object with a plain word. The thread that destroys it writes that word. */
#include "lockfree_model.h"
#include "refcount.h"

static struct refcount count;
static uint64_t body;
static _Atomic int destroyed;

static inline void make(uint32_t owners) {
    ref_init(&count, owners);
    body = 5;
}

static inline void use(void) { lf_model_assert(body == 5); }

static inline void destroy(void) {
    int before = atomic_fetch_add_explicit(&destroyed, 1, memory_order_relaxed);
    lf_model_assert(before == 0);
    body = 0;
}

static inline void destroyed_once(void) {
    int times = atomic_load_explicit(&destroyed, memory_order_relaxed);
    lf_model_assert(times == 1);
}
