#include "overwriting_ring.h"

#include <stdatomic.h>

struct latest {
    uint32_t slots;
    struct event events[];
};

size_t latest_size(uint32_t slots) { return sizeof(struct latest) + slots * sizeof(struct event); }

void latest_init(struct latest *ring, uint32_t slots, uint64_t first) {
    ring->slots = slots;
    (void)first;
}

void latest_put(struct latest *ring, const struct event *event) {
    (void)ring;
    (void)event;
}

uint64_t latest_next(const struct latest *ring) {
    (void)ring;
    return 0;
}

enum latest_answer latest_get(const struct latest *ring, uint64_t number, struct event *event) {
    (void)ring;
    (void)number;
    (void)event;
    return LATEST_LATER;
}
