/* A cell that holds the present version of a thing. Readers hold on to a version while they use it; a writer replaces it. */
#ifndef HAZARD_POINTERS_H
#define HAZARD_POINTERS_H

#include <stddef.h>
#include <stdint.h>

struct thing {
    uint64_t word[2];
};

/* Given. Frees a thing. Nobody may use it any more, and nobody may free it again. */
void thing_free(struct thing *thing);

struct cell; /* yours */

/* Bytes; the memory that cell_init gets is zeroed, and aligned to 64. readers: 0 to 64. */
size_t cell_size(uint32_t readers);
/* By one thread, before the others begin. */
void cell_init(struct cell *cell, uint32_t readers, struct thing *first);
/* By reader number `reader`: one thread at a time, which holds nothing. The present thing; it is not freed before the same
 * reader's cell_release. Lock-free. */
const struct thing *cell_acquire(struct cell *cell, uint32_t reader);
/* By the reader that holds a thing. */
void cell_release(struct cell *cell, uint32_t reader);
/* By the one writer. `next` is the present thing now. Old things that no reader holds are freed in this call: when it returns, at
 * most `readers` old things are left, and each of them was held by a reader during the call. Never waits for a reader. */
void cell_replace(struct cell *cell, struct thing *next);

#endif
