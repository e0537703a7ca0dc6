/* expected: REJECT model S1 */
/* Lamport 1983: two counts, one written by each side. */
#include "spsc_ring.h"
#include <stdatomic.h>
struct spsc_ring {
    uint32_t size;
    _Atomic uint32_t got, put;
    uint32_t in, out;
    struct spsc_record at[];
};
size_t spsc_size(uint32_t capacity) { return sizeof(struct spsc_ring) + capacity * sizeof(struct spsc_record); }
void spsc_init(struct spsc_ring *r, uint32_t capacity, uint32_t start) {
    r->size = capacity;
    atomic_init(&r->got, start);
    atomic_init(&r->put, start);
    r->in = r->out = 0;
}
int spsc_put(struct spsc_ring *r, const struct spsc_record *record) {
    uint32_t mine = atomic_load_explicit(&r->put, memory_order_relaxed);
    if (mine - atomic_load_explicit(&r->got, memory_order_relaxed) >= r->size)
        return 0;
    r->at[r->in++] = *record;
    r->in = r->in < r->size ? r->in : 0;
    atomic_store_explicit(&r->put, mine + 1, memory_order_relaxed);
    return 1;
}
int spsc_get(struct spsc_ring *r, struct spsc_record *record) {
    uint32_t mine = atomic_load_explicit(&r->got, memory_order_relaxed);
    if (mine == atomic_load_explicit(&r->put, memory_order_relaxed))
        return 0;
    *record = r->at[r->out++];
    r->out = r->out < r->size ? r->out : 0;
    atomic_store_explicit(&r->got, mine + 1, memory_order_relaxed);
    return 1;
}
