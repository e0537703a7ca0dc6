#include "stack.h"

static void any(void) { make(0); }
static void wrap(void) { make(UINT32_MAX - 3); }

static uint32_t top(void) {
    uint32_t node = NODES;
    return stack_pop(stack, &node) ? node : NODES;
}

static void last_in_first_out(void) {
    lf_model_assert(top() == NODES);
    for (uint32_t turn = 0; turn < 5; turn++) {
        for (uint32_t node = 0; node < NODES; node++)
            stack_push(stack, (node + turn) % NODES);
        for (uint32_t node = NODES; node-- > 0;)
            lf_model_assert(top() == (node + turn) % NODES);
        lf_model_assert(top() == NODES);
    }
    stack_push(stack, 2);
    stack_push(stack, 0);
    lf_model_assert(top() == 0);
    stack_push(stack, 3);
    lf_model_assert(top() == 3);
    lf_model_assert(top() == 2);
    lf_model_assert(top() == NODES);
}

LF_MODEL_CLIENT(edge_order, .setup = any, .threads = {last_in_first_out});
LF_MODEL_CLIENT(edge_wrap, .setup = wrap, .threads = {last_in_first_out});
