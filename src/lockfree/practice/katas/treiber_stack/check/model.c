#include "stack.h"

/* From the bottom to the top. */
static void hold(int count, const uint32_t *nodes) {
    make(UINT32_MAX - 2);
    for (int i = 0; i < count; i++)
        push(nodes[i]);
}
static void none(void) { hold(0, NULL); }
static void one(void) { hold(1, (uint32_t[]){0}); }
static void two(void) { hold(2, (uint32_t[]){1, 0}); }
static void three(void) { hold(3, (uint32_t[]){2, 1, 0}); }

static void push_0(void) { push(0); }
static void push_1(void) { push(1); }
static void pop_once(void) { pop(); }

/* Again with what it got. */
static void again(void) {
    uint32_t node = pop();
    if (node != NODES)
        push(node);
}

/* The top node leaves and comes back; the one below it stays away. */
static void away(void) {
    uint32_t first = pop();
    pop();
    if (first != NODES)
        push(first);
}

/* The only node leaves and comes back, on top of another one. */
static void grown(void) {
    uint32_t first = pop();
    push(1);
    if (first != NODES)
        push(first);
}

/* Eight calls later the top is the same node again, and below it lies another one. */
static void exchanged(void) {
    uint32_t spare = 3, kept = 2;
    for (int turn = 0; turn < 2; turn++) {
        uint32_t first = pop(), below = pop();
        if (first != 0 || below == NODES)
            return;
        push(turn == 1 ? kept : spare);
        spare = below;
        push(first);
    }
}

/* In the end, node 1 is on top again, and what was below it is gone. */
static void turned(void) {
    uint32_t first = pop(), second = pop(), third = pop();
    if (third == 2)
        push(second);
    if (third == 2)
        push(first);
}

LF_MODEL_CLIENT(publish, .setup = none, .threads = {push_0, pop_once}, .final = drain, .spec = &lf_model_stack);
LF_MODEL_CLIENT(pushes, .setup = none, .threads = {push_0, push_1}, .final = drain, .spec = &lf_model_stack);
LF_MODEL_CLIENT(pops, .setup = two, .threads = {pop_once, pop_once}, .final = drain, .spec = &lf_model_stack);
LF_MODEL_CLIENT(publish_link, .setup = one, .threads = {push_1, pop_once}, .final = drain, .spec = &lf_model_stack);
LF_MODEL_CLIENT(next, .setup = one, .threads = {again, pop_once}, .final = drain, .spec = &lf_model_stack);
LF_MODEL_CLIENT(aba, .setup = two, .threads = {pop_once, away}, .final = drain, .spec = &lf_model_stack);
LF_MODEL_CLIENT(aba_last, .setup = one, .threads = {pop_once, grown}, .final = drain, .spec = &lf_model_stack);
LF_MODEL_CLIENT(tag_width, .setup = two, .threads = {pop_once, exchanged}, .final = drain, .spec = &lf_model_stack);
LF_MODEL_CLIENT(tag_age, .setup = three, .threads = {pop_once, turned, pop_once}, .final = drain,
                .spec = &lf_model_stack);
