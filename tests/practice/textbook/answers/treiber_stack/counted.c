/* expected: ACCEPT */
/* Treiber 1986, with the count of IBM's Principles of Operation. */
#include "treiber_stack.h"
#include <stdatomic.h>
#include <stdbool.h>
struct stack {
    _Atomic uint64_t anchor; /* the count, then the top node, from 1 */
    _Atomic uint32_t under[];
};
size_t stack_size(uint32_t nodes) { return sizeof(struct stack) + (size_t)nodes * 4; }
void stack_init(struct stack *s, uint32_t nodes, uint32_t start) {
    (void)nodes, (void)start;
    atomic_init(&s->anchor, (uint64_t)start << 32);
}
static bool swing(struct stack *s, uint64_t *seen, uint32_t top) {
    uint64_t fresh = ((*seen >> 32) + 1) << 32 | top;
    return atomic_compare_exchange_strong(&s->anchor, seen, fresh);
}
void stack_push(struct stack *s, uint32_t node) {
    uint64_t seen = atomic_load(&s->anchor);
    do
        atomic_store(&s->under[node], (uint32_t)seen);
    while (!swing(s, &seen, node + 1));
}
int stack_pop(struct stack *s, uint32_t *node) {
    for (uint64_t seen = atomic_load(&s->anchor); (uint32_t)seen != 0;) {
        uint32_t top = (uint32_t)seen;
        if (swing(s, &seen, atomic_load(&s->under[top - 1]))) {
            *node = top - 1;
            return 1;
        }
    }
    return 0;
}
