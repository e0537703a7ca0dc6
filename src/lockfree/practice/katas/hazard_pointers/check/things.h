/* What the clients share: things that show when they are used after their end. */
#include <stdatomic.h>

#include "hazard_pointers.h"
#include "lockfree_model.h"

enum { THINGS = 8, DEAD = 99 };

static struct cell *cell;
static struct thing things[THINGS];
static _Atomic int freed;
static int fence_before_free; /* the judge's own fence stands in for that of the answer */

void thing_free(struct thing *thing) {
    if (fence_before_free)
        atomic_thread_fence(memory_order_acquire);
    int alive = thing->word[0] != DEAD;
    lf_model_assert(alive);
    thing->word[0] = DEAD;
    atomic_fetch_add_explicit(&freed, 1, memory_order_relaxed);
}

static inline struct thing *new_thing(uint32_t number) {
    things[number].word[0] = number;
    things[number].word[1] = number + 100;
    return &things[number];
}

static inline void make(uint32_t readers, int fence) {
    fence_before_free = fence;
    cell = lf_model_shared(cell_size(readers));
    cell_init(cell, readers, new_thing(0));
}

static inline uint64_t used(const struct thing *thing) {
    int in_use = thing->word[0] != DEAD;
    lf_model_assert(in_use);
    lf_model_assert(thing->word[1] == thing->word[0] + 100);
    return thing->word[0];
}

static inline int dead(void) { return atomic_load_explicit(&freed, memory_order_relaxed); }
