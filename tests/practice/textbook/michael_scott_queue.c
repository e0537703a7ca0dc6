/* Michael and Scott's queue (1996), with nodes that are used again. A link is a node's number and a count; without the count
 * a node that came back is taken for the one that left. */
#include <stdatomic.h>
#include <stdint.h>

#include "lockfree_model.h"

enum { NODES = 5, NONE = 15 };
static uint64_t step;
static _Atomic uint64_t head, tail, link[NODES], value[NODES];

static uint64_t node_of(uint64_t word) { return word & 15; }
static uint64_t next_word(uint64_t word, uint64_t node) { return (word & ~UINT64_C(15)) + step + node; }

static void enqueue(uint64_t node, uint64_t what) {
    lf_model_call(LF_MODEL_PUT, what);
    atomic_store(&value[node], what);
    atomic_store(&link[node], next_word(atomic_load(&link[node]), NONE));
    for (;;) {
        uint64_t last = atomic_load(&tail), next = atomic_load(&link[node_of(last)]);
        if (atomic_load(&tail) != last)
            continue;
        if (node_of(next) != NONE) {
            atomic_compare_exchange_strong(&tail, &last, next_word(last, node_of(next)));
            continue;
        }
        if (atomic_compare_exchange_strong(&link[node_of(last)], &next, next_word(next, node))) {
            atomic_compare_exchange_strong(&tail, &last, next_word(last, node));
            break;
        }
    }
    lf_model_return(0);
}

/* Gives the node that is free now. */
static uint64_t dequeue(void) {
    lf_model_call(LF_MODEL_GET, 0);
    for (;;) {
        uint64_t first = atomic_load(&head), last = atomic_load(&tail), next = atomic_load(&link[node_of(first)]);
        if (atomic_load(&head) != first)
            continue;
        if (node_of(first) == node_of(last)) {
            if (node_of(next) == NONE) {
                lf_model_return(LF_MODEL_EMPTY);
                return NONE;
            }
            atomic_compare_exchange_strong(&tail, &last, next_word(last, node_of(next)));
            continue;
        }
        uint64_t what = atomic_load(&value[node_of(next)]);
        if (atomic_compare_exchange_strong(&head, &first, next_word(first, node_of(next)))) {
            lf_model_return(what);
            return node_of(first);
        }
    }
}

static void begin(uint64_t by) {
    step = by;
    for (uint64_t node = 0; node < NODES; node++)
        atomic_init(&link[node], NONE);
    enqueue(1, 101);
}
static void without_count(void) { begin(0); }
static void with_count(void) { begin(16); }
static void take(void) { dequeue(); }
static void around(void) {
    uint64_t node = dequeue();
    if (node == NONE)
        return;
    enqueue(2, 102);
    dequeue();
    enqueue(node, 103);
    dequeue(); /* now this node is the first one again */
}
static void drain(void) {
    for (int turns = 0; turns < 4 && dequeue() != NONE; turns++)
        ;
}
static void put_3(void) { enqueue(3, 303); }
static void put_4_and_take(void) {
    enqueue(4, 404);
    dequeue();
}

LF_MODEL_CLIENT(michael_scott, .setup = with_count, .threads = {put_3, put_4_and_take}, .final = drain,
                .spec = &lf_model_fifo);
LF_MODEL_CLIENT(michael_scott_reuse, .setup = with_count, .threads = {take, around}, .final = drain,
                .spec = &lf_model_fifo);
LF_MODEL_CLIENT(michael_scott_uncounted, .setup = without_count, .threads = {take, around}, .final = drain,
                .spec = &lf_model_fifo);
