/* fails: model T1 */
/* The pop that leaves the stack empty keeps the tag. */
#include "treiber_stack.h"

#include <stdatomic.h>

#define NONE UINT32_MAX

/* top: the node in the low half; in the high half a count of the pops. A push leaves the count. */
struct stack {
    _Atomic uint64_t top;
    _Alignas(64) _Atomic uint32_t below[];
};

size_t stack_size(uint32_t nodes) { return sizeof(struct stack) + nodes * sizeof(_Atomic uint32_t); }

void stack_init(struct stack *stack, uint32_t nodes, uint32_t start) {
    for (uint32_t i = 0; i < nodes; i++)
        atomic_init(&stack->below[i], NONE);
    atomic_init(&stack->top, (uint64_t)start << 32 | NONE);
}

void stack_push(struct stack *stack, uint32_t node) {
    uint64_t top = atomic_load_explicit(&stack->top, memory_order_relaxed);
    do
        atomic_store_explicit(&stack->below[node], (uint32_t)top, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&stack->top, &top, (top >> 32) << 32 | node, memory_order_release,
                                                  memory_order_relaxed));
}

int stack_pop(struct stack *stack, uint32_t *node) {
    uint64_t top = atomic_load_explicit(&stack->top, memory_order_acquire), next;
    do {
        if ((uint32_t)top == NONE)
            return 0;
        uint32_t below = atomic_load_explicit(&stack->below[(uint32_t)top], memory_order_relaxed);
        next = ((top >> 32) + (below != NONE)) << 32 | below;
    } while (
        !atomic_compare_exchange_weak_explicit(&stack->top, &top, next, memory_order_acquire, memory_order_acquire));
    *node = (uint32_t)top;
    return 1;
}
