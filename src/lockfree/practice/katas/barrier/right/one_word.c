/* Count and sense in one word: the highest bit flips when the round is over. The last one does both with one store. */
#include "barrier.h"

#include <stdatomic.h>

struct barrier {
    uint32_t threads;
    _Alignas(64) _Atomic uint32_t word;
};

static const uint32_t SENSE = (uint32_t)1 << 31;

size_t barrier_size(void) { return sizeof(struct barrier); }

void barrier_init(struct barrier *barrier, uint32_t threads, uint32_t start) {
    barrier->threads = threads;
    atomic_init(&barrier->word, 0);
    (void)start;
}

int barrier_wait(struct barrier *barrier) {
    uint32_t before = atomic_fetch_add_explicit(&barrier->word, 1, memory_order_acq_rel);
    if ((before & ~SENSE) + 1 == barrier->threads) {
        atomic_store_explicit(&barrier->word, (before & SENSE) ^ SENSE, memory_order_release);
        return 1;
    }
    while (((atomic_load_explicit(&barrier->word, memory_order_acquire) ^ before) & SENSE) == 0)
        barrier_yield();
    return 0;
}
