#include "barrier.h"

#include <stdatomic.h>

struct barrier {
    uint32_t threads;
};

size_t barrier_size(void) { return sizeof(struct barrier); }

void barrier_init(struct barrier *barrier, uint32_t threads, uint32_t start) {
    barrier->threads = threads;
    (void)start;
}

int barrier_wait(struct barrier *barrier) {
    (void)barrier;
    return 0;
}
