/* fails: edges W5 */
/* A reader that asks for a lost event is told to come back later. */
#include "overwriting_ring.h"

#include <stdatomic.h>

/* mark: 2 * n + 1 while event n is written, 2 * n + 2 when it is there */
struct slot {
    _Atomic uint64_t mark;
    _Atomic uint64_t word[EVENT_WORDS];
};

struct latest {
    uint32_t mask;
    _Alignas(64) _Atomic uint64_t next;
    _Alignas(64) struct slot slots[];
};

size_t latest_size(uint32_t slots) { return sizeof(struct latest) + slots * sizeof(struct slot); }

void latest_init(struct latest *ring, uint32_t slots, uint64_t first) {
    ring->mask = slots - 1;
    atomic_init(&ring->next, first);
}

void latest_put(struct latest *ring, const struct event *event) {
    uint64_t number = atomic_load_explicit(&ring->next, memory_order_relaxed);
    struct slot *slot = &ring->slots[number & ring->mask];
    atomic_store_explicit(&slot->mark, 2 * number + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    for (int i = 0; i < EVENT_WORDS; i++)
        atomic_store_explicit(&slot->word[i], event->word[i], memory_order_relaxed);
    atomic_store_explicit(&slot->mark, 2 * number + 2, memory_order_release);
    atomic_store_explicit(&ring->next, number + 1, memory_order_release);
}

uint64_t latest_next(const struct latest *ring) { return atomic_load_explicit(&ring->next, memory_order_acquire); }

enum latest_answer latest_get(const struct latest *ring, uint64_t number, struct event *event) {
    const struct slot *slot = &ring->slots[number & ring->mask];
    uint64_t mark = atomic_load_explicit(&slot->mark, memory_order_acquire);
    if (mark != 2 * number + 2)
        return LATEST_LATER;
    for (int i = 0; i < EVENT_WORDS; i++)
        event->word[i] = atomic_load_explicit(&slot->word[i], memory_order_relaxed);
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&slot->mark, memory_order_relaxed) == mark ? LATEST_FOUND : LATEST_LOST;
}
