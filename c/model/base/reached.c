/* reached.c: which positions of the program some execution has reached. */
#define _GNU_SOURCE
#include "base.h"

#include <stdlib.h>

enum { POSITION_BITS = 12, BRANCH_BITS = 16 };
/* Of all executions, hashed; what finds no room is left out. */
MODEL_STATE static uint64_t positions[1 << POSITION_BITS];                                 /* of all visible steps */
MODEL_STATE static uint64_t *branches;                                                     /* with --coverage */
MODEL_STATE static uint64_t edges[1 << POSITION_BITS], edges_together[1 << POSITION_BITS]; /* the latter: by threads */

static void note(uint64_t *table, int bits, uint64_t pc) {
    unsigned slot = (unsigned)(pc * 0x9E3779B97F4A7C15u >> (64 - bits)), last = (1u << bits) - 1;
    for (unsigned i = 0; i <= last; i++) {
        uint64_t *at = &table[(slot + i) & last];
        if (*at == 0)
            *at = pc;
        if (*at == pc)
            return;
    }
}

static void print(const uint64_t *table, int bits, const char *record) {
    for (int i = 0; table != NULL && i < 1 << bits; i++)
        if (table[i] != 0)
            say("%s\t%lx\n", record, (unsigned long)table[i]);
}

void note_position(uint64_t pc) { note(positions, POSITION_BITS, pc); }
void print_positions(void) { print(positions, POSITION_BITS, "position"); }

/* Called where each basic block begins, by clients that are compiled to do so. */
void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void) {
    if (branches == NULL)
        branches = calloc((size_t)1 << BRANCH_BITS, sizeof *branches);
    note(branches, BRANCH_BITS, PC);
}

#if defined(__x86_64__)
/* Called on each edge of a conditional jump (edges.py), where any register and the flags may be in use. */
void lf_model_edge(void);
__asm__(".text\n.globl lf_model_edge\n.type lf_model_edge,@function\nlf_model_edge:\n"
        "pushf\npush %rax\npush %rcx\npush %rdx\npush %rsi\npush %rdi\npush %r8\npush %r9\npush %r10\npush %r11\n"
        "mov 80(%rsp),%rdi\ncall lf_model_behind_edge\n"
        "pop %r11\npop %r10\npop %r9\npop %r8\npop %rdi\npop %rsi\npop %rdx\npop %rcx\npop %rax\npopf\nret\n"
        ".size lf_model_edge,.-lf_model_edge\n");

void lf_model_behind_edge(uint64_t pc);
__attribute__((target("general-regs-only"))) void lf_model_behind_edge(uint64_t pc) {
    note(edges, POSITION_BITS, pc);
    if (R.running)
        note(edges_together, POSITION_BITS, pc);
}
#endif

void print_branches(void) {
    print(branches, BRANCH_BITS, "reached");
    print(edges, POSITION_BITS, "edge");
    print(edges_together, POSITION_BITS, "together");
}
