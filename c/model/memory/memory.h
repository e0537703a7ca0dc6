/* memory.h: plain memory: what exists, what has been written, and which accesses are allowed. */
#ifndef LOCKFREE_MODEL_MEMORY_H
#define LOCKFREE_MODEL_MEMORY_H

#include "../events/events.h"

/* stack.c: which variables on stacks are alive and written. */
void stack_begin(const struct thread *t);
void stack_check(uintptr_t address, size_t size, bool write, uint64_t pc);
bool stack_is_written(uintptr_t address, size_t size);
void stack_forget(uintptr_t address); /* nobody has written this byte */
void stack_enter(const struct thread *t, const struct frame *frame);
bool stack_leave(const struct thread *t, const struct frame *frame, uintptr_t *low, uintptr_t *high);

/* local.c: thread-local variables. */
void local_begin(int tid);
void local_check(uintptr_t address, size_t size, bool write, uint64_t pc);
bool local_end(int tid, uintptr_t *low, uintptr_t *high);

/* heap.c: what memory the client owns. */
void heap_start(void);
void heap_snapshot(void);
void heap_restore(void);
enum maker { BY_MALLOC, BY_NEW, BY_NEW_ARRAY };
void *heap_allocate(size_t size, size_t align, bool zeroed, uint64_t pc);
void heap_made_by(const void *pointer, enum maker maker, uint64_t pc);
void heap_check_maker(const void *pointer, enum maker maker, uint64_t pc);
size_t heap_block_size(const void *pointer, uint64_t pc);
void heap_copy(void *to, const void *from, size_t size);
void heap_end_block(const void *pointer, uint64_t pc);
void heap_check(uintptr_t address, size_t size, bool write, uint64_t pc);
void heap_print(void);
void heap_warn_of_lost(void);
bool heap_contains(uintptr_t address);
bool heap_is_written(uintptr_t address, size_t size);
/* After an access that wrote all of `to`, before the bytes are copied: what nobody has written of `from`, nobody has of the
 * copy. */
void heap_copy_unwritten(uintptr_t to, uintptr_t from, size_t size);

/* shadow.c: data races. */
void shadow_start(void);
void shadow_reset(void);
void plain_access(uintptr_t address, size_t size, bool write, uint64_t pc);
void atomic_access(uintptr_t address, unsigned size, bool write, uint64_t pc);
void end_of_memory(uintptr_t low, uintptr_t high, uint64_t pc);

/* release.c */
void heap_free(void *pointer, uint64_t pc);
void heap_free_as(void *pointer, enum maker maker, uint64_t pc); /* what was made in the same way */
void *heap_reallocate(void *pointer, size_t size, uint64_t pc);

#endif
