/* reached.c: which positions of the program some execution has reached. */
#define _GNU_SOURCE
#include "base.h"

#include <stdlib.h>

enum { MAX_POSITIONS = 1 << 12 };
MODEL_STATE static uint64_t positions[MAX_POSITIONS]; /* of all visible steps of all executions, hashed */

void note_position(uint64_t pc) {
    for (unsigned slot = (unsigned)pc * 2654435761u >> 20, i = 0; i < MAX_POSITIONS; i++, slot++) {
        uint64_t *at = &positions[slot & (MAX_POSITIONS - 1)];
        if (*at == 0)
            *at = pc;
        if (*at == pc)
            return;
    }
}

void print_positions(void) {
    for (int i = 0; i < MAX_POSITIONS; i++)
        if (positions[i] != 0)
            say("position\t%lx\n", (unsigned long)positions[i]);
}

enum { MAX_BRANCHES = 1 << 16 };
MODEL_STATE static uint64_t *branches; /* of all executions, hashed: with --coverage */

/* Called where each basic block begins, by clients that are compiled to do so. */
void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void) {
    uint64_t pc = (uint64_t)(uintptr_t)__builtin_return_address(0);
    if (branches == NULL)
        branches = calloc(MAX_BRANCHES, sizeof *branches);
    for (unsigned slot = (unsigned)(pc * 0x9E3779B97F4A7C15u >> 44), i = 0; i < MAX_BRANCHES; i++, slot++) {
        uint64_t *at = &branches[slot & (MAX_BRANCHES - 1)];
        if (*at == 0)
            *at = pc;
        if (*at == pc)
            return;
    }
}

void print_branches(void) {
    for (int i = 0; branches != NULL && i < MAX_BRANCHES; i++)
        if (branches[i] != 0)
            say("reached\t%lx\n", (unsigned long)branches[i]);
}
