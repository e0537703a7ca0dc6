/* entry.h: what a thread knows by itself when it calls the runtime: the registers that a call must keep, and its
 * stack. Functions at which a loop may be known again are entered through a few instructions that note the registers.
 * On other processors nothing is noted, and no loop is known to be useless. */
#ifndef LOCKFREE_MODEL_ENTRY_H
#define LOCKFREE_MODEL_ENTRY_H

#include <stdint.h>

enum { KEPT_REGISTERS = 12 };

struct entry {
    uintptr_t stack; /* the lowest address that is the client's; 0: this call has been looked at, or is the runtime's */
    uint64_t kept[KEPT_REGISTERS];
};
extern struct entry lf_model_entry;

static inline uint64_t mixed(uint64_t a, uint64_t b) { return (a ^ b) * 0x9E3779B97F4A7C15u; }
/* The arguments of a call, for spin_check. The compiler need not have them anywhere else any more. */
static inline uint64_t with_arguments(uintptr_t address, unsigned __int128 a, unsigned __int128 b) {
    uint64_t first = mixed(mixed(address, (uint64_t)a), (uint64_t)(a >> 64));
    return mixed(mixed(first ^ first >> 29, (uint64_t)b), (uint64_t)(b >> 64));
}

/* ENTERED(f) defines f, which goes to the function written as AT_ENTRY(f). */
#define AT_ENTRY(name) lf_model_behind_##name
#if defined(__x86_64__)
#define ENTERED(name)                                                                                                  \
    __asm__(".text\n.globl " #name "\n.type " #name ",@function\n" #name ":\n"                                         \
            "mov %rsp,lf_model_entry(%rip)\nmov %rbx,lf_model_entry+8(%rip)\nmov %rbp,lf_model_entry+16(%rip)\n"       \
            "mov %r12,lf_model_entry+24(%rip)\nmov %r13,lf_model_entry+32(%rip)\n"                                     \
            "mov %r14,lf_model_entry+40(%rip)\nmov %r15,lf_model_entry+48(%rip)\n"                                     \
            "jmp lf_model_behind_" #name "\n.size " #name ",.-" #name "\n")
#elif defined(__aarch64__)
#define ENTERED(name)                                                                                                  \
    __asm__(".text\n.globl " #name "\n.type " #name ",%function\n" #name ":\n"                                         \
            "adrp x16,lf_model_entry\nadd x16,x16,:lo12:lf_model_entry\nmov x17,sp\nstr x17,[x16]\n"                   \
            "stp x19,x20,[x16,#8]\nstp x21,x22,[x16,#24]\nstp x23,x24,[x16,#40]\nstp x25,x26,[x16,#56]\n"              \
            "stp x27,x28,[x16,#72]\nstp x29,x30,[x16,#88]\n"                                                           \
            "b lf_model_behind_" #name "\n.size " #name ",.-" #name "\n")
#else
#define ENTERED(name) __asm__(".globl " #name "\n.set " #name ",lf_model_behind_" #name "\n")
#endif
/* The same of a function that a header declares. */
#define ENTERED_AS_DECLARED(name)                                                                                      \
    ENTERED(name);                                                                                                     \
    extern __typeof__(name) AT_ENTRY(name)

#endif
