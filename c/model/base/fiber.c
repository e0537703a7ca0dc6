/* fiber.c: threads of the client as fibers on stacks at fixed addresses. */
#define _GNU_SOURCE
#include "base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { STACK_BYTES = 8 << 20, STACK_GUARD = 1 << 20 }; /* of virtual memory */
#define STACKS_AT ((char *)0x200000000000)

MODEL_STATE static void (*entries[MAX_THREADS])(void);

/* LF_MODEL_UCONTEXT: the portable switch, several times slower. */
#if defined(__x86_64__) && !defined(LF_MODEL_UCONTEXT)
/* Saves what the ABI says a call keeps, stores the stack pointer and takes the other one. */
__asm__(".text\n.globl lf_model_swap\n.type lf_model_swap,@function\nlf_model_swap:\n"
        "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rsp,(%rdi)\nmov %rsi,%rsp\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n");
extern void lf_model_swap(void **save, void *load);
static void *first_frame(char *top, void (*entry)(void)) {
    void **frame = (void **)(void *)top;
    *--frame = NULL; /* entry never returns; keeps the stack aligned as after a call */
    *--frame = (void *)entry;
    for (int saved = 0; saved < 6; saved++)
        *--frame = NULL;
    return frame;
}
#elif defined(__aarch64__) && !defined(LF_MODEL_UCONTEXT)
__asm__(".text\n.globl lf_model_swap\n.type lf_model_swap,%function\nlf_model_swap:\n"
        "sub sp,sp,#176\n"
        "stp x19,x20,[sp]\nstp x21,x22,[sp,#16]\nstp x23,x24,[sp,#32]\nstp x25,x26,[sp,#48]\n"
        "stp x27,x28,[sp,#64]\nstp x29,x30,[sp,#80]\n"
        "stp d8,d9,[sp,#96]\nstp d10,d11,[sp,#112]\nstp d12,d13,[sp,#128]\nstp d14,d15,[sp,#144]\n"
        "mov x9,sp\nstr x9,[x0]\nmov sp,x1\n"
        "ldp x19,x20,[sp]\nldp x21,x22,[sp,#16]\nldp x23,x24,[sp,#32]\nldp x25,x26,[sp,#48]\n"
        "ldp x27,x28,[sp,#64]\nldp x29,x30,[sp,#80]\n"
        "ldp d8,d9,[sp,#96]\nldp d10,d11,[sp,#112]\nldp d12,d13,[sp,#128]\nldp d14,d15,[sp,#144]\n"
        "add sp,sp,#176\nret\n");
extern void lf_model_swap(void **save, void *load);
static void *first_frame(char *top, void (*entry)(void)) {
    uint64_t *frame = (uint64_t *)(void *)(top - 176);
    memset(frame, 0, 176);
    frame[11] = (uint64_t)(uintptr_t)entry; /* x30 */
    return frame;
}
#else
#include <ucontext.h>
MODEL_STATE static ucontext_t contexts[MAX_THREADS + 1];
MODEL_STATE static int used_contexts;
static void lf_model_swap(void **save, void *load) {
    ucontext_t here;
    *save = &here;
    swapcontext(&here, load);
}
static void *first_frame(char *top, void (*entry)(void)) {
    ucontext_t *context = &contexts[used_contexts++ % MAX_THREADS];
    getcontext(context);
    context->uc_stack.ss_sp = top - STACK_BYTES;
    context->uc_stack.ss_size = STACK_BYTES;
    context->uc_link = NULL;
    makecontext(context, entry, 0);
    return context;
}
#endif

void fibers_start(void) {
    size_t bytes = (size_t)MAX_THREADS * STACK_BYTES;
    char *stacks = mmap(STACKS_AT, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (stacks != STACKS_AT) {
        say("unusable\tno room for stacks at their fixed address\n");
        end_checker(3);
    }
    for (int t = 0; t < MAX_THREADS; t++) {
        R.thread[t].tid = (uint8_t)t;
        R.thread[t].stack = stacks + (size_t)t * STACK_BYTES;
        mprotect(R.thread[t].stack, STACK_GUARD, PROT_NONE);
    }
}

static void fiber_main(void) {
    void *used = __builtin_alloca(128); /* what first_frame has written is not where the client's variables are */
    __asm__ volatile("" : : "r"(used) : "memory");
    errno = 0;
    entries[R.current->tid]();
    abort(); /* entries end with a switch */
}

void fiber_prepare(struct thread *thread, void (*entry)(void)) {
    entries[thread->tid] = entry;
    thread->context = first_frame(thread->stack + STACK_BYTES - 64, fiber_main);
}

void fiber_switch(struct thread *to) {
    struct thread *from = R.current;
    int error = errno;
    R.current = to;
    tls_switch(to->tid);
    lf_model_swap(from != NULL ? &from->context : &R.main_context, to->context);
    errno = error;
}

void fiber_to_main(void) {
    struct thread *from = R.current;
    R.current = NULL; /* for good: its errno is not needed again */
    tls_switch(0);
    lf_model_swap(&from->context, R.main_context);
}

struct thread *stack_owner(uintptr_t address) {
    uintptr_t from = address - (uintptr_t)STACKS_AT;
    return from < (uintptr_t)MAX_THREADS * STACK_BYTES ? &R.thread[from / STACK_BYTES] : NULL;
}

/* Behind the last word of its stack that its functions use. */
const void *stack_top(const struct thread *t) { return t->stack + STACK_BYTES - 64; }

bool stack_exhausted(uintptr_t address) {
    const struct thread *owner = stack_owner(address);
    return owner != NULL && address - (uintptr_t)owner->stack < STACK_GUARD;
}
