/* fails: model T4 */
/* The fence stands behind the swap that it should come before. */
#include "treiber_stack.h"

#include <stdatomic.h>

/* The head: a tag in the high half, the top node + 1 in the low half; 0 there means empty. */
struct stack {
    _Alignas(64) _Atomic uint64_t head;
    _Alignas(64) _Atomic uint32_t next[];
};

static uint64_t pack(uint64_t tag, uint32_t top) { return tag << 32 | top; }

size_t stack_size(uint32_t nodes) { return sizeof(struct stack) + nodes * sizeof(uint32_t); }

void stack_init(struct stack *stack, uint32_t nodes, uint32_t start) {
    atomic_init(&stack->head, pack(start, 0));
    for (uint32_t node = 0; node < nodes; node++)
        atomic_init(&stack->next[node], 0);
}

void stack_push(struct stack *stack, uint32_t node) {
    uint64_t head = atomic_load_explicit(&stack->head, memory_order_relaxed);
    do {
        atomic_store_explicit(&stack->next[node], (uint32_t)head, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(&stack->head, &head, pack((head >> 32) + 1, node + 1),
                                                    memory_order_relaxed, memory_order_relaxed));
    atomic_thread_fence(memory_order_release);
}

int stack_pop(struct stack *stack, uint32_t *node) {
    uint64_t head = atomic_load_explicit(&stack->head, memory_order_relaxed);
    uint32_t top, next;
    do {
        top = (uint32_t)head;
        if (top == 0)
            return 0;
        atomic_thread_fence(memory_order_acquire);
        next = atomic_load_explicit(&stack->next[top - 1], memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(&stack->head, &head, pack((head >> 32) + 1, next),
                                                    memory_order_relaxed, memory_order_relaxed));
    *node = top - 1;
    return 1;
}
