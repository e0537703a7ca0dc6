#include "hazard_pointers.h"

#include <stdatomic.h>

struct cell {
    struct thing *present;
};

size_t cell_size(uint32_t readers) {
    (void)readers;
    return sizeof(struct cell);
}

void cell_init(struct cell *cell, uint32_t readers, struct thing *first) {
    (void)readers;
    cell->present = first;
}

const struct thing *cell_acquire(struct cell *cell, uint32_t reader) {
    (void)reader;
    return cell->present;
}

void cell_release(struct cell *cell, uint32_t reader) {
    (void)cell;
    (void)reader;
}

void cell_replace(struct cell *cell, struct thing *next) { cell->present = next; }
