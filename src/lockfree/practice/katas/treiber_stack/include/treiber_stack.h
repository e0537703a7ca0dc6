/* A stack for many threads, without locks. It holds nodes; a node is a number below `nodes`. A thread that pops a node owns it
 * until it pushes it again. So a node is in the stack once at most, and the stack is never full. */
#ifndef TREIBER_STACK_H
#define TREIBER_STACK_H

#include <stddef.h>
#include <stdint.h>

struct stack; /* yours */

/* Bytes; the memory that stack_init gets is zeroed, and aligned to 64. */
size_t stack_size(uint32_t nodes);
/* By one thread, before the others begin. The stack is empty. start: where a tag or a count of yours begins. */
void stack_init(struct stack *stack, uint32_t nodes, uint32_t start);
void stack_push(struct stack *stack, uint32_t node);
/* 1, and the node that was on top; 0: the stack was empty. */
int stack_pop(struct stack *stack, uint32_t *node);

#endif
