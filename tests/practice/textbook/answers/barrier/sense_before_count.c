/* expected: REJECT model B2 */
/* The central barrier whose sense turns round: Hensgen, Finkel and Manber 1988. */
#include "barrier.h"
#include <stdatomic.h>
struct barrier {
    uint32_t threads;
    _Atomic uint32_t missing;
    _Atomic uint32_t sense;
};
size_t barrier_size(void) { return sizeof(struct barrier); }
void barrier_init(struct barrier *b, uint32_t threads, uint32_t start) {
    b->threads = threads;
    atomic_init(&b->missing, threads);
    atomic_init(&b->sense, start & 1);
}
int barrier_wait(struct barrier *b) {
    uint32_t sense = atomic_load_explicit(&b->sense, memory_order_relaxed);
    if (atomic_fetch_sub_explicit(&b->missing, 1, memory_order_acq_rel) == 1) {
        atomic_store_explicit(&b->sense, !sense, memory_order_release);
        atomic_store_explicit(&b->missing, b->threads, memory_order_relaxed);
        return 1;
    }
    while (atomic_load_explicit(&b->sense, memory_order_acquire) == sense)
        barrier_yield();
    return 0;
}
