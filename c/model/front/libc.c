/* libc.c: memory functions of the C library, which the compiler does not instrument. The driver leads a client's calls
 * of NAME to lf_libc_NAME. */
#define _GNU_SOURCE
#include "../objects/objects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *lf_libc_memmove(void *to, const void *from, size_t size);
void *lf_libc_memmove(void *to, const void *from, size_t size) {
    R.copies = true;
    plain_access(AT(from), size, false, PC);
    R.copies = false;
    plain_access(AT(to), size, true, PC);
    heap_copy_unwritten(AT(to), AT(from), size);
    return memmove(to, from, size);
}
void *lf_libc_memcpy(void *to, const void *from, size_t size) __attribute__((alias("lf_libc_memmove")));
void *__tsan_memcpy(void *to, const void *from, size_t size) __attribute__((alias("lf_libc_memmove")));
void *__tsan_memmove(void *to, const void *from, size_t size) __attribute__((alias("lf_libc_memmove")));
void *lf_libc_memset(void *to, int byte, size_t size);
void *lf_libc_memset(void *to, int byte, size_t size) {
    plain_access(AT(to), size, true, PC);
    return memset(to, byte, size);
}
void *__tsan_memset(void *to, int byte, size_t size) __attribute__((alias("lf_libc_memset")));

void *lf_libc_malloc(size_t size);
void *lf_libc_malloc(size_t size) { return heap_allocate(size, 16, false, PC); }
void *lf_libc_calloc(size_t count, size_t size);
void *lf_libc_calloc(size_t count, size_t size) {
    return size != 0 && count > SIZE_MAX / size ? NULL : heap_allocate(count * size, 16, true, PC);
}
void *lf_libc_realloc(void *pointer, size_t size);
void *lf_libc_realloc(void *pointer, size_t size) { return heap_reallocate(pointer, size, PC); }
void *lf_libc_reallocarray(void *pointer, size_t count, size_t size);
void *lf_libc_reallocarray(void *pointer, size_t count, size_t size) {
    return size != 0 && count > SIZE_MAX / size ? NULL : heap_reallocate(pointer, count * size, PC);
}
void *lf_libc_aligned_alloc(size_t align, size_t size);
void *lf_libc_aligned_alloc(size_t align, size_t size) {
    if (align == 0 || (align & (align - 1)) != 0)
        fail("bad alignment", "aligned_alloc of %zu bytes at multiples of %zu, which is no power of two @%lx@", size,
             align, (unsigned long)PC);
    return heap_allocate(size, align, false, PC);
}
void *lf_libc_memalign(size_t align, size_t size) __attribute__((alias("lf_libc_aligned_alloc")));
int lf_libc_posix_memalign(void **pointer, size_t align, size_t size);
int lf_libc_posix_memalign(void **pointer, size_t align, size_t size) {
    if (align < sizeof(void *) || (align & (align - 1)) != 0)
        return EINVAL;
    plain_access(AT(pointer), sizeof *pointer, true, PC);
    *pointer = heap_allocate(size, align, false, PC);
    return 0;
}
static char *copy_of(const char *text, size_t length, uint64_t pc) {
    plain_access(AT(text), length, false, pc);
    char *copy = heap_allocate(length + 1, 16, true, pc);
    memcpy(copy, text, length);
    return copy;
}
char *lf_libc_strdup(const char *text);
char *lf_libc_strdup(const char *text) { return copy_of(text, strlen(text), PC); }
char *lf_libc_strndup(const char *text, size_t most);
char *lf_libc_strndup(const char *text, size_t most) { return copy_of(text, strnlen(text, most), PC); }
void lf_libc_free(void *pointer);
void lf_libc_free(void *pointer) { heap_free(pointer, PC); }
void *lf_model_allocate(size_t size) { return heap_allocate(size, 128, false, PC); }
void *lf_model_shared(size_t size) { return heap_allocate(size, 128, true, PC); }

/* _Atomic float and double: their flags of exceptions are not modelled. */
void __atomic_feraiseexcept(int exceptions);
void __atomic_feraiseexcept(int exceptions) { (void)exceptions; }
