/* release.c: giving memory back is a write of all of it: every access to it must come before. */
#include "memory.h"

void heap_free_as(void *pointer, enum maker maker, uint64_t pc) {
    if (pointer == NULL)
        return;
    heap_check_maker(pointer, maker, pc);
    size_t size = heap_block_size(pointer, pc);
    turns_forget(R.current);
    plain_access((uintptr_t)pointer, size, true, pc);
    heap_end_block(pointer, pc);
}

void heap_free(void *pointer, uint64_t pc) { heap_free_as(pointer, BY_MALLOC, pc); }

void *heap_reallocate(void *pointer, size_t size, uint64_t pc) {
    void *fresh = heap_allocate(size, 16, false, pc);
    if (pointer == NULL)
        return fresh;
    size_t old = heap_block_size(pointer, pc);
    heap_copy(fresh, pointer, old < size ? old : size);
    heap_free(pointer, pc);
    return fresh;
}
