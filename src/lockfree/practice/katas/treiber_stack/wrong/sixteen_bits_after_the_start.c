/* fails: threads T2 */
/* The first pop cuts the tag to 16 bits. So the words come back, but never to what the start made them. */
#include "treiber_stack.h"
#include <stdatomic.h>
/* top: count of pops << 32 | node + 1. Only a pop can be fooled, so only pops count. */
struct stack {
    _Alignas(64) _Atomic uint64_t top;
    _Alignas(64) _Atomic uint32_t below[];
};
size_t stack_size(uint32_t nodes) { return sizeof(struct stack) + nodes * sizeof(uint32_t); }
void stack_init(struct stack *s, uint32_t nodes, uint32_t start) {
    (void)nodes;
    atomic_init(&s->top, (uint64_t)start << 32);
}
void stack_push(struct stack *s, uint32_t node) {
    uint64_t old = atomic_load_explicit(&s->top, memory_order_relaxed);
    for (;;) {
        atomic_store_explicit(&s->below[node], (uint32_t)old, memory_order_relaxed);
        uint64_t fresh = (old & ~(uint64_t)UINT32_MAX) | (node + 1u);
        if (atomic_compare_exchange_weak_explicit(&s->top, &old, fresh, memory_order_release, memory_order_relaxed))
            break;
    }
}
int stack_pop(struct stack *s, uint32_t *node) {
    uint64_t old = atomic_load_explicit(&s->top, memory_order_acquire), fresh;
    do {
        if (!(uint32_t)old)
            return 0;
        fresh = (((old >> 32) + 1) & 0xffff) << 32 |
                atomic_load_explicit(&s->below[(uint32_t)old - 1], memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(&s->top, &old, fresh, memory_order_relaxed, memory_order_acquire));
    *node = (uint32_t)old - 1;
    return 1;
}
