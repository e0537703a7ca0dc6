/* unwritten_record: a node is linked before it is filled in. */
/* expect: data race | uninitialised read */
#include <stdatomic.h>
#include <stdlib.h>

#include "lockfree_model.h"

static _Atomic(int *) head;

static void producer(void) {
    int *node = malloc(sizeof *node);
#ifdef RIGHT
    *node = 5;
    atomic_store_explicit(&head, node, memory_order_release);
#else
    atomic_store_explicit(&head, node, memory_order_release);
    *node = 5;
#endif
}

static void consumer(void) {
    int *node = atomic_load_explicit(&head, memory_order_acquire);
    lf_model_assert(node == NULL || *node == 5);
}

LF_MODEL_CLIENT(unwritten_record, .threads = {producer, consumer});
