#include "ck_rings.h"

#ifdef HAS_CK
#include <ck_ring.h>
#include <stdint.h>
#include <stdlib.h>

struct record {
    uint64_t words[8];
};
CK_RING_PROTOTYPE(records, record)

struct rings {
    ck_ring_t ring;
    struct record *buffer;
};

void *ck_rings_new(unsigned capacity) {
    struct rings *made = aligned_alloc(256, (sizeof *made + 255) / 256 * 256);
    if (made == NULL || (made->buffer = aligned_alloc(64, capacity * sizeof *made->buffer)) == NULL)
        abort();
    ck_ring_init(&made->ring, capacity);
    return made;
}
void ck_rings_free(void *ring) {
    struct rings *r = ring;
    free(r->buffer);
    free(r);
}
bool ck_rings_put_spsc(void *ring, const void *record) {
    struct rings *r = ring;
    return CK_RING_ENQUEUE_SPSC(records, &r->ring, r->buffer, (struct record *)record);
}
bool ck_rings_get_spsc(void *ring, void *record) {
    struct rings *r = ring;
    return CK_RING_DEQUEUE_SPSC(records, &r->ring, r->buffer, (struct record *)record);
}
bool ck_rings_put_mpmc(void *ring, const void *record) {
    struct rings *r = ring;
    return CK_RING_ENQUEUE_MPMC(records, &r->ring, r->buffer, (struct record *)record);
}
bool ck_rings_get_mpmc(void *ring, void *record) {
    struct rings *r = ring;
    return CK_RING_DEQUEUE_MPMC(records, &r->ring, r->buffer, (struct record *)record);
}
#endif
