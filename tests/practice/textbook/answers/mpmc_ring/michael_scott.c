/* expected: ACCEPT */
/* Michael and Scott 1996: a list with a dummy node; pointers have counts; nodes come from a free list (Treiber's). */
#include "mpmc_ring.h"
#include <stdatomic.h>
#include <stdbool.h>
typedef uint64_t pointer; /* count, node from 1 */
struct node {
    _Atomic pointer next;
    _Atomic uint64_t id, payload;
};
struct mpmc_ring {
    _Alignas(64) _Atomic pointer head;
    _Alignas(64) _Atomic pointer tail;
    _Alignas(64) _Atomic pointer unused;
    struct node node[];
};
static uint32_t node_of(pointer p) { return (uint32_t)p; }
static pointer changed(pointer old, uint32_t node) { return ((old >> 32) + 1) << 32 | node; }
static bool cas(_Atomic pointer *at, pointer old, uint32_t node) {
    return atomic_compare_exchange_strong(at, &old, changed(old, node));
}
size_t mpmc_size(uint32_t capacity) { return sizeof(struct mpmc_ring) + ((size_t)capacity + 1) * sizeof(struct node); }
void mpmc_init(struct mpmc_ring *r, uint32_t capacity, uint32_t start) {
    pointer count = (pointer)start << 32;
    for (uint32_t n = 1; n <= capacity; n++)
        atomic_init(&r->node[n - 1].next, count | (n < capacity ? n + 1 : 0));
    atomic_init(&r->node[capacity].next, count);
    atomic_init(&r->unused, count | 1);
    atomic_init(&r->head, count | (capacity + 1));
    atomic_init(&r->tail, count | (capacity + 1));
}
static uint32_t take(struct mpmc_ring *r) {
    for (;;) {
        pointer top = atomic_load(&r->unused);
        if (node_of(top) == 0)
            return 0;
        if (cas(&r->unused, top, node_of(atomic_load(&r->node[node_of(top) - 1].next))))
            return node_of(top);
    }
}
static void give(struct mpmc_ring *r, uint32_t n) {
    pointer top;
    do {
        top = atomic_load(&r->unused);
        pointer was = atomic_load(&r->node[n - 1].next);
        atomic_store(&r->node[n - 1].next, changed(was, node_of(top)));
    } while (!cas(&r->unused, top, n));
}
int mpmc_put(struct mpmc_ring *r, const struct mpmc_record *record) {
    uint32_t n = take(r);
    if (n == 0)
        return 0;
    struct node *mine = &r->node[n - 1];
    atomic_store_explicit(&mine->id, record->id, memory_order_relaxed);
    atomic_store_explicit(&mine->payload, record->payload, memory_order_relaxed);
    atomic_store(&mine->next, changed(atomic_load(&mine->next), 0));
    for (;;) {
        pointer tail = atomic_load(&r->tail);
        _Atomic pointer *link = &r->node[node_of(tail) - 1].next;
        pointer next = atomic_load(link);
        if (tail != atomic_load(&r->tail))
            continue;
        if (node_of(next) != 0)
            cas(&r->tail, tail, node_of(next));
        else if (cas(link, next, n)) {
            cas(&r->tail, tail, n);
            return 1;
        }
    }
}
int mpmc_get(struct mpmc_ring *r, struct mpmc_record *record) {
    for (;;) {
        pointer head = atomic_load(&r->head), tail = atomic_load(&r->tail);
        pointer next = atomic_load(&r->node[node_of(head) - 1].next);
        if (head != atomic_load(&r->head))
            continue;
        if (node_of(head) == node_of(tail)) {
            if (node_of(next) == 0)
                return 0;
            cas(&r->tail, tail, node_of(next));
            continue;
        }
        if (node_of(next) == 0)
            continue;
        struct node *first = &r->node[node_of(next) - 1];
        record->id = atomic_load_explicit(&first->id, memory_order_relaxed);
        record->payload = atomic_load_explicit(&first->payload, memory_order_relaxed);
        if (cas(&r->head, head, node_of(next))) {
            give(r, node_of(head));
            return 1;
        }
    }
}
