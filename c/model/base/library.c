/* library.c: which code of the client is a library's, as the standard library of C++. The builder puts functions of the
 * namespace std in a section of their own (src/lockfree/modelcheck/sections.py). What they do is shown as the line of the
 * client that called them, as what the compiler inlines is. */
#include "base.h"

extern const char __start_lf_library[] __attribute__((weak)), __stop_lf_library[] __attribute__((weak));

static bool in_library(uint64_t pc) { return pc > (uintptr_t)__start_lf_library && pc <= (uintptr_t)__stop_lf_library; }

/* Where the innermost function of the client's own is that has led to pc, or pc itself. */
uint64_t outside_library(const struct thread *t, uint64_t pc) {
#if defined(__x86_64__) || defined(__aarch64__)
    uint64_t at = pc;
    for (int i = t->depth < MAX_DEPTH ? t->depth - 1 : MAX_DEPTH - 1; i >= 0 && in_library(at); i--)
        at = ((const uint64_t *)t->frame[i].top)[1]; /* the return address stands above the frame pointer */
    return in_library(at) ? pc : at;
#else
    (void)t;
    return pc;
#endif
}
