/* fails: reach REACH */
/* The writer has a fence in its first calls only. */
#include "hazard_pointers.h"

#include <stdatomic.h>
#include <stdbool.h>

struct hazard {
    _Alignas(64) _Atomic(struct thing *) held; /* written by its reader alone */
    struct thing *old;                         /* the writer's: a thing that waits to be freed */
};

struct cell {
    _Alignas(64) _Atomic(struct thing *) present;
    uint32_t readers, waiting;
    struct hazard hazards[];
};

size_t cell_size(uint32_t readers) { return sizeof(struct cell) + readers * sizeof(struct hazard); }

void cell_init(struct cell *cell, uint32_t readers, struct thing *first) {
    atomic_init(&cell->present, first);
    cell->readers = readers;
    cell->waiting = 0;
    for (uint32_t i = 0; i < readers; i++)
        atomic_init(&cell->hazards[i].held, NULL);
}

const struct thing *cell_acquire(struct cell *cell, uint32_t reader) {
    struct thing *thing = atomic_load_explicit(&cell->present, memory_order_relaxed);
    for (;;) {
        atomic_store_explicit(&cell->hazards[reader].held, thing, memory_order_relaxed);
        atomic_thread_fence(memory_order_seq_cst);
        struct thing *again = atomic_load_explicit(&cell->present, memory_order_acquire);
        if (again == thing)
            return thing;
        thing = again;
    }
}

void cell_release(struct cell *cell, uint32_t reader) {
    atomic_store_explicit(&cell->hazards[reader].held, NULL, memory_order_release);
}

/* seen: what the readers held, looked up once for all old things. A reader counts for one thing then. */
static bool is_held(uint32_t readers, struct thing *const *seen, const struct thing *thing) {
    for (uint32_t i = 0; i < readers; i++)
        if (seen[i] == thing)
            return true;
    return false;
}

static uint32_t calls; /* of the one writer */

void cell_replace(struct cell *cell, struct thing *next) {
    struct thing *last = atomic_exchange_explicit(&cell->present, next, memory_order_release);
    if (calls++ < UINT32_C(1) << 30)
        atomic_thread_fence(memory_order_seq_cst);
    struct thing *seen[64];
    for (uint32_t i = 0; i < cell->readers; i++)
        seen[i] = atomic_load_explicit(&cell->hazards[i].held, memory_order_acquire);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < cell->waiting; i++) {
        struct thing *old = cell->hazards[i].old;
        if (is_held(cell->readers, seen, old))
            cell->hazards[kept++].old = old;
        else
            thing_free(old);
    }
    if (is_held(cell->readers, seen, last))
        cell->hazards[kept++].old = last;
    else
        thing_free(last);
    cell->waiting = kept;
}
