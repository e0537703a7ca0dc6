/* participants.h: how many participants an object has, as its table says: the living, and the dead that nobody has found. */
#ifndef LOCKFREE_TESTS_PARTICIPANTS_H
#define LOCKFREE_TESTS_PARTICIPANTS_H

#include <lockfree/blocks/segment.h>

#include "check.h"

static inline uint32_t participants(const struct lf_handle *h) {
    uint32_t n = 0;
    for (uint32_t i = 1; i <= lf_load_relaxed(&h->segment->highest); i++)
        n += lf_load_relaxed(&h->segment->participants[i].in_use) != 0;
    return n;
}
/* Forked children join at their first use: waits until they have. */
static inline void wait_for_participants(const struct lf_handle *h, uint32_t n) {
    while (participants(h) < n)
        check_sleep(1000000);
}

#endif
