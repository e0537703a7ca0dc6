/* On the real machine: whether the words come back, and four threads that pass nodes round. */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "treiber_stack.h"

enum { CALLS = 1 << 20, THREADS = 4, NODES = 8, TURNS = 20000 };

static struct stack *make(uint32_t nodes, uint32_t start, size_t *bytes) {
    *bytes = (stack_size(nodes) + 63) / 64 * 64;
    struct stack *stack = aligned_alloc(64, *bytes);
    assert(stack != NULL);
    memset(stack, 0, *bytes);
    stack_init(stack, nodes, start);
    return stack;
}

/* A thread that sleeps in the middle of a call must see afterwards that something happened. */
static void words_come_back(void) {
    size_t bytes;
    struct stack *stack = make(2, UINT32_MAX - 1000, &bytes);
    uint32_t node = 0;
    stack_push(stack, 1);
    stack_push(stack, node);
    int popped = stack_pop(stack, &node); /* what a start of many bits left is gone */
    assert(popped && node == 0 && "one thread: the last in is the first out");
    stack_push(stack, node);
    char *before = malloc(bytes);
    assert(before != NULL);
    memcpy(before, stack, bytes);
    for (int call = 0; call < CALLS; call += 2) {
        node = 2;
        popped = stack_pop(stack, &node);
        assert(popped && node == 0 && "one thread: the last in is the first out");
        stack_push(stack, node);
        assert(memcmp(before, stack, bytes) != 0 && "within 2^20 calls the words do not come back");
    }
    free(before);
    free(stack);
}

static struct stack *shared;
static int owner[NODES]; /* plain: the thread that popped the node writes it */

static void *pass(void *number) {
    for (int turn = 0; turn < TURNS; turn++) {
        uint32_t node;
        if (!stack_pop(shared, &node)) {
            sched_yield();
            continue;
        }
        assert(node < NODES && owner[node] == 0 && "four threads: a node has one owner");
        owner[node] = 1;
        if (turn % 8 == 0)
            sched_yield();
        owner[node] = 0;
        stack_push(shared, node);
    }
    return number;
}

int main(void) {
    words_come_back();
    size_t bytes;
    shared = make(NODES, UINT32_MAX - 1000, &bytes);
    for (uint32_t node = 0; node < NODES; node++)
        stack_push(shared, node);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        int failed = pthread_create(&threads[i], NULL, pass, NULL);
        assert(!failed);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    uint32_t node, count = 0;
    while (count <= NODES && stack_pop(shared, &node))
        count++;
    assert(count == NODES && "four threads: no node is lost");
    return 0;
}
