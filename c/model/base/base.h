/* base.h: the lowest layer: what the runtime says, fibers, and how an execution ends early. */
#ifndef LOCKFREE_MODEL_BASE_H
#define LOCKFREE_MODEL_BASE_H

#include "state.h"

#define PC ((uint64_t)(uintptr_t)__builtin_return_address(0)) /* where the client called */
#define AT(p) ((uintptr_t)(p))

/* say.c: what the driver reads. */
void say_start(bool one_execution);
void end_checker(int status) __attribute__((noreturn));
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_warnings(void);

/* reached.c */
void note_position(uint64_t pc);
void print_positions(void);
void print_branches(void);

/* fail.c: how an execution ends before its threads do. */
void leave_run(enum run_end end) __attribute__((noreturn));
void too_large(long most, const char *what) __attribute__((noreturn));
void fail(const char *kind, const char *format, ...) __attribute__((format(printf, 2, 3)));
void race(const char *what, bool write, uintptr_t address, uint64_t pc, int tid, const char *other, uint64_t other_pc);

/* fiber.c */
void fibers_start(void);
void fiber_prepare(struct thread *thread, void (*entry)(void));
void fiber_switch(struct thread *to);
void fiber_to_main(void);
struct thread *stack_owner(uintptr_t address); /* NULL: not on a stack */
const void *stack_top(const struct thread *t);
bool stack_exhausted(uintptr_t address);

/* library.c */
uint64_t outside_library(const struct thread *t, uint64_t pc);

/* tls.c */
void tls_start(void);
void tls_switch(int tid);
void tls_snapshot(void);
void tls_reset(int tid);
void tls_print(void);
const char *tls_block(int tid, size_t *bytes);
int tls_owner(uintptr_t address); /* 0: no variable of a thread's own */

#endif
