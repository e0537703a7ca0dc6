/* One mutex around everything: what the stage speed compares with. */
#include "treiber_stack.h"

#include <pthread.h>

struct stack {
    pthread_mutex_t guard;
    uint32_t count;
    uint64_t calls; /* the judge looks whether the same words come back */
    uint32_t nodes[];
};

size_t stack_size(uint32_t nodes) { return sizeof(struct stack) + nodes * sizeof(uint32_t); }

void stack_init(struct stack *stack, uint32_t nodes, uint32_t start) {
    pthread_mutex_init(&stack->guard, NULL);
    (void)nodes;
    (void)start;
}

void stack_push(struct stack *stack, uint32_t node) {
    pthread_mutex_lock(&stack->guard);
    stack->nodes[stack->count++] = node;
    stack->calls++;
    pthread_mutex_unlock(&stack->guard);
}

int stack_pop(struct stack *stack, uint32_t *node) {
    pthread_mutex_lock(&stack->guard);
    int done = stack->count > 0;
    if (done)
        *node = stack->nodes[--stack->count];
    pthread_mutex_unlock(&stack->guard);
    return done;
}
