/* expected: ACCEPT */
/* Treiber's stack (IBM RJ 5118, 1986) with the count of 64 bits beside the top, as on machines with a double-width swap. */
#include "treiber_stack.h"
#include <stdatomic.h>
struct head {
    uint64_t top, tag;
};
struct stack {
    _Atomic struct head head;
    _Atomic uint32_t next[];
};
size_t stack_size(uint32_t nodes) { return sizeof(struct stack) + nodes * sizeof(uint32_t); }
void stack_init(struct stack *s, uint32_t nodes, uint32_t start) {
    (void)nodes;
    atomic_init(&s->head, ((struct head){0, start}));
}
void stack_push(struct stack *s, uint32_t node) {
    struct head h = atomic_load_explicit(&s->head, memory_order_relaxed), n;
    do {
        atomic_store_explicit(&s->next[node], (uint32_t)h.top, memory_order_relaxed);
        n = (struct head){node + 1u, h.tag + 1};
    } while (!atomic_compare_exchange_weak_explicit(&s->head, &h, n, memory_order_release, memory_order_relaxed));
}
int stack_pop(struct stack *s, uint32_t *node) {
    struct head h = atomic_load_explicit(&s->head, memory_order_acquire), n;
    do {
        if (h.top == 0)
            return 0;
        n = (struct head){atomic_load_explicit(&s->next[h.top - 1], memory_order_relaxed), h.tag + 1};
    } while (!atomic_compare_exchange_weak_explicit(&s->head, &h, n, memory_order_acquire, memory_order_acquire));
    *node = (uint32_t)(h.top - 1);
    return 1;
}
