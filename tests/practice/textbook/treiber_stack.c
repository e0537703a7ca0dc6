/* Treiber's stack (1986): the first version, which compares the top alone, and the one with a count beside it. Nodes that were
 * popped are pushed again, as a free list does. */
#include <stdatomic.h>
#include <stdint.h>

#include "lockfree_model.h"

enum { NONE = 9 };
static uint64_t step; /* what each change adds to the count beside the top */
static _Atomic uint64_t head;
static _Atomic uint64_t below[3];

static void push(uint64_t node) {
    lf_model_call(LF_MODEL_PUT, node);
    uint64_t top = atomic_load(&head);
    do
        atomic_store(&below[node], top & 15);
    while (!atomic_compare_exchange_strong(&head, &top, (top & ~UINT64_C(15)) + step + node));
    lf_model_return(0);
}

static uint64_t pop(void) {
    lf_model_call(LF_MODEL_GET, 0);
    uint64_t top = atomic_load(&head), next;
    do {
        if ((top & 15) == NONE) {
            lf_model_return(LF_MODEL_EMPTY);
            return NONE;
        }
        next = (top & ~UINT64_C(15)) + step + atomic_load(&below[top & 15]);
    } while (!atomic_compare_exchange_strong(&head, &top, next));
    lf_model_return(top & 15);
    return top & 15;
}

static void begin(uint64_t by) {
    step = by;
    atomic_init(&head, NONE);
    push(1);
    push(0);
}
static void without_count(void) { begin(0); }
static void with_count(void) { begin(16); }
static void pop_once(void) { pop(); }
static void away(void) {
    uint64_t first = pop();
    pop();
    if (first != NONE)
        push(first);
}
static void drain(void) {
    for (int turns = 0; turns < 4 && pop() != NONE; turns++)
        ;
}

LF_MODEL_CLIENT(treiber, .setup = without_count, .threads = {pop_once, away}, .final = drain, .spec = &lf_model_stack);
LF_MODEL_CLIENT(treiber_counted, .setup = with_count, .threads = {pop_once, away}, .final = drain,
                .spec = &lf_model_stack);
