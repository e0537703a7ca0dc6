/* What the clients share. Each node carries a plain word, which belongs to who owns the node. */
#include "lockfree_model.h"
#include "treiber_stack.h"

enum { NODES = 4 };

static struct stack *stack;
static uint64_t carried[NODES];

static inline void make(uint32_t start) {
    stack = lf_model_shared(stack_size(NODES));
    stack_init(stack, NODES, start);
}

static inline void push(uint32_t node) {
    carried[node] = node + 100;
    lf_model_call(LF_MODEL_PUT, node);
    stack_push(stack, node);
    lf_model_return(0);
}

/* The node, or NODES. */
static inline uint32_t pop(void) {
    uint32_t node = NODES;
    lf_model_call(LF_MODEL_GET, 0);
    int done = stack_pop(stack, &node);
    lf_model_assert(!done || node < NODES);
    lf_model_return(done ? node : LF_MODEL_EMPTY);
    if (done) {
        lf_model_assert(carried[node] == node + 100);
        carried[node] = 0;
        return node;
    }
    return NODES;
}

static inline void drain(void) {
    for (int turn = 0; turn <= NODES; turn++)
        if (pop() == NODES)
            return;
    lf_model_assert(!"the stack has an end");
}
