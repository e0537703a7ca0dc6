/* One mutex around everything: what the stage speed compares with. */
#include "hazard_pointers.h"

#include <pthread.h>

enum { MOST = 64 };

struct cell {
    pthread_mutex_t guard;
    struct thing *present;
    struct thing *held[MOST];
    uint32_t readers, old;
    struct thing *left[MOST + 1];
};

size_t cell_size(uint32_t readers) {
    (void)readers;
    return sizeof(struct cell);
}

void cell_init(struct cell *cell, uint32_t readers, struct thing *first) {
    pthread_mutex_init(&cell->guard, NULL);
    cell->present = first;
    cell->readers = readers;
}

const struct thing *cell_acquire(struct cell *cell, uint32_t reader) {
    pthread_mutex_lock(&cell->guard);
    const struct thing *found = cell->held[reader] = cell->present;
    pthread_mutex_unlock(&cell->guard);
    return found;
}

void cell_release(struct cell *cell, uint32_t reader) {
    pthread_mutex_lock(&cell->guard);
    cell->held[reader] = NULL;
    pthread_mutex_unlock(&cell->guard);
}

void cell_replace(struct cell *cell, struct thing *next) {
    pthread_mutex_lock(&cell->guard);
    cell->left[cell->old++] = cell->present;
    cell->present = next;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < cell->old; i++) {
        int held = 0;
        for (uint32_t reader = 0; reader < cell->readers; reader++)
            held |= cell->held[reader] == cell->left[i];
        if (held)
            cell->left[kept++] = cell->left[i];
        else
            thing_free(cell->left[i]);
    }
    cell->old = kept;
    pthread_mutex_unlock(&cell->guard);
}
