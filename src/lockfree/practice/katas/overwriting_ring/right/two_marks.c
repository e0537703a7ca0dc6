#include "overwriting_ring.h"

#include <stdatomic.h>

/* Two marks: one is written before the words of an event, one after them. Readers look in the other order. */
struct slot {
    _Atomic uint64_t begun; /* the number + 1 */
    _Atomic uint64_t word[EVENT_WORDS];
    _Atomic uint64_t done; /* the number + 1 */
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
    atomic_store_explicit(&slot->begun, number + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    for (int i = 0; i < EVENT_WORDS; i++)
        atomic_store_explicit(&slot->word[i], event->word[i], memory_order_relaxed);
    atomic_store_explicit(&slot->done, number + 1, memory_order_release);
    atomic_store_explicit(&ring->next, number + 1, memory_order_release);
}

uint64_t latest_next(const struct latest *ring) { return atomic_load_explicit(&ring->next, memory_order_acquire); }

enum latest_answer latest_get(const struct latest *ring, uint64_t number, struct event *event) {
    const struct slot *slot = &ring->slots[number & ring->mask];
    uint64_t done = atomic_load_explicit(&slot->done, memory_order_acquire);
    if (done != number + 1)
        return done < number + 1 ? LATEST_LATER : LATEST_LOST;
    for (int i = 0; i < EVENT_WORDS; i++)
        event->word[i] = atomic_load_explicit(&slot->word[i], memory_order_relaxed);
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&slot->begun, memory_order_relaxed) == done ? LATEST_FOUND : LATEST_LOST;
}
