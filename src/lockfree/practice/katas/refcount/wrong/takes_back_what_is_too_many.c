/* fails: model R5 */
/* Adds first, and takes it back if there were too many: for a moment there are. */
#include "refcount.h"
void ref_init(struct refcount *c, uint32_t owners) { atomic_init(&c->owners, owners); }
static int one_more(struct refcount *c) {
    for (uint32_t n = atomic_load_explicit(&c->owners, memory_order_relaxed); n != 0 && n < REFCOUNT_MAX;)
        if (atomic_compare_exchange_weak_explicit(&c->owners, &n, n + 1, memory_order_acquire, memory_order_relaxed))
            return 1;
    return 0;
}
int ref_copy(struct refcount *c) {
    if (atomic_fetch_add_explicit(&c->owners, 1, memory_order_relaxed) < REFCOUNT_MAX)
        return 1;
    atomic_fetch_sub_explicit(&c->owners, 1, memory_order_relaxed);
    return 0;
}
int ref_try(struct refcount *c) { return one_more(c); }
int ref_drop(struct refcount *c) {
    if (atomic_fetch_sub_explicit(&c->owners, 1, memory_order_release) > 1)
        return 0;
    (void)atomic_load_explicit(&c->owners, memory_order_acquire);
    return 1;
}
int ref_unique(struct refcount *c) { return atomic_load_explicit(&c->owners, memory_order_acquire) < 2; }
