/* prelude.h: included before every line of the code under test.
 *
 * The compiler does not instrument block copies and the heap, exit() would end the checker, and clocks would differ
 * from run to run: give those functions other assembler names, so that calls to them, written or made up by the compiler, reach the runtime. */
#ifndef LOCKFREE_MODEL_PRELUDE_H
#define LOCKFREE_MODEL_PRELUDE_H

#ifndef __cplusplus
#include <stddef.h>

void *memcpy(void *restrict, const void *restrict, size_t) __asm__("lf_model_memcpy");
void *memmove(void *, const void *, size_t) __asm__("lf_model_memmove");
void *memset(void *, int, size_t) __asm__("lf_model_memset");
void *malloc(size_t) __asm__("lf_model_malloc");
void *calloc(size_t, size_t) __asm__("lf_model_calloc");
void *aligned_alloc(size_t, size_t) __asm__("lf_model_aligned_alloc");
int posix_memalign(void **, size_t, size_t) __asm__("lf_model_posix_memalign");
void *realloc(void *, size_t) __asm__("lf_model_realloc");
char *strdup(const char *) __asm__("lf_model_strdup");
char *strndup(const char *, size_t) __asm__("lf_model_strndup");
void exit(int) __asm__("lf_model_exit");
void _exit(int) __asm__("lf_model_exit");
void _Exit(int) __asm__("lf_model_exit");
void quick_exit(int) __asm__("lf_model_exit");
void free(void *) __asm__("lf_model_free");
struct timespec;
int clock_gettime(int, struct timespec *) __asm__("lf_model_clock_gettime");
int timespec_get(struct timespec *, int) __asm__("lf_model_timespec_get");
long time(long *) __asm__("lf_model_time");
#endif

#endif
