/* libc.c: the functions of the C library that the compiler does not instrument and the client may call:
 * those that prelude.h gives other names, sleeps, and the futex. Whoever calls for real threads or locks is
 * told so: they would block the checker. */
#define _GNU_SOURCE
#include "core.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#define PC ((uint64_t)(uintptr_t)__builtin_return_address(0))
#define AT(p) ((uintptr_t)(p))

void *lf_model_memmove(void *to, const void *from, size_t size);
void *lf_model_memmove(void *to, const void *from, size_t size) {
    plain_access(AT(from), size, false, PC);
    plain_access(AT(to), size, true, PC);
    return memmove(to, from, size);
}
void *lf_model_memcpy(void *to, const void *from, size_t size) __attribute__((alias("lf_model_memmove")));
void *lf_model_memset(void *to, int byte, size_t size);
void *lf_model_memset(void *to, int byte, size_t size) {
    plain_access(AT(to), size, true, PC);
    return memset(to, byte, size);
}

void *lf_model_malloc(size_t size);
void *lf_model_malloc(size_t size) { return heap_allocate(size, 16, false); }
void *lf_model_calloc(size_t count, size_t size);
void *lf_model_calloc(size_t count, size_t size) {
    return size != 0 && count > SIZE_MAX / size ? NULL : heap_allocate(count * size, 16, true);
}
void *lf_model_realloc(void *pointer, size_t size);
void *lf_model_realloc(void *pointer, size_t size) { return heap_reallocate(pointer, size, PC); }
void *lf_model_aligned_alloc(size_t align, size_t size);
void *lf_model_aligned_alloc(size_t align, size_t size) { return heap_allocate(size, align, false); }
int lf_model_posix_memalign(void **pointer, size_t align, size_t size);
int lf_model_posix_memalign(void **pointer, size_t align, size_t size) {
    plain_access(AT(pointer), sizeof *pointer, true, PC);
    *pointer = heap_allocate(size, align, false);
    return 0;
}
static char *copy_of(const char *text, size_t length, uint64_t pc) {
    plain_access(AT(text), length, false, pc);
    char *copy = heap_allocate(length + 1, 16, true);
    memcpy(copy, text, length);
    return copy;
}
char *lf_model_strdup(const char *text);
char *lf_model_strdup(const char *text) { return copy_of(text, strlen(text), PC); }
char *lf_model_strndup(const char *text, size_t most);
char *lf_model_strndup(const char *text, size_t most) { return copy_of(text, strnlen(text, most), PC); }
void lf_model_free(void *pointer);
void lf_model_free(void *pointer) { heap_free(pointer, PC); }
void *lf_model_allocate(size_t size) { return heap_allocate(size, 128, false); }
void *lf_model_shared(size_t size) { return heap_allocate(size, 128, true); }

void lf_model_exit(int status);
void lf_model_exit(int status) {
    fail("unusable client", "T%d calls exit(%d): a thread ends by returning @%lx@", lf_model_thread(), status,
         (unsigned long)PC);
    abort();
}

/* _Atomic float and double: their flags of exceptions are not modelled. */
void __atomic_feraiseexcept(int exceptions);
void __atomic_feraiseexcept(int exceptions) { (void)exceptions; }

/* Sleeping a while and giving up the processor say what a spin hint says. */
int sched_yield(void) {
    pause_at(PC);
    return 0;
}
void thrd_yield(void) { pause_at(PC); }
unsigned sleep(unsigned seconds) {
    (void)seconds;
    pause_at(PC);
    return 0;
}
int usleep(unsigned us) {
    (void)us;
    pause_at(PC);
    return 0;
}
int nanosleep(const struct timespec *time, struct timespec *left) {
    (void)time, (void)left;
    pause_at(PC);
    return 0;
}
int thrd_sleep(const struct timespec *time, struct timespec *left) {
    (void)time, (void)left;
    pause_at(PC);
    return 0;
}

/* Clocks stand still, but for the time-outs that their thread has slept through. */
int lf_model_clock_gettime(int clock, struct timespec *now);
int lf_model_clock_gettime(int clock, struct timespec *now) {
    (void)clock;
    uint64_t ns = lf_model_now();
    plain_access(AT(now), sizeof *now, true, PC);
    *now = (struct timespec){(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    return 0;
}
int lf_model_timespec_get(struct timespec *now, int base);
int lf_model_timespec_get(struct timespec *now, int base) {
    lf_model_clock_gettime(0, now);
    return base;
}
long lf_model_time(long *now);
long lf_model_time(long *now) {
    long seconds = (long)(lf_model_now() / 1000000000u);
    if (now != NULL)
        *now = seconds;
    return seconds;
}

static long said(int result) {
    if (result >= 0)
        return result;
    errno = -result;
    return -1;
}

long syscall(long number, ...) {
    va_list list;
    va_start(list, number);
    uint32_t *word = va_arg(list, uint32_t *);
    int operation = va_arg(list, int) & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
    uint32_t value = va_arg(list, uint32_t);
    const struct timespec *time = va_arg(list, const struct timespec *);
    (void)va_arg(list, void *);
    bool masked = operation == FUTEX_WAKE_BITSET || operation == FUTEX_WAIT_BITSET;
    uint32_t mask = number == SYS_futex && masked ? va_arg(list, uint32_t) : FUTEX_BITSET_MATCH_ANY;
    va_end(list);
    if (mask != FUTEX_BITSET_MATCH_ANY)
        fail("unusable client", "T%d uses a futex with the mask %#x; only FUTEX_BITSET_MATCH_ANY is modelled @%lx@",
             lf_model_thread(), mask, (unsigned long)PC);
    if (number == SYS_sched_yield) {
        pause_at(PC);
        return 0;
    }
    if (number == SYS_futex && (operation == FUTEX_WAKE || operation == FUTEX_WAKE_BITSET))
        return said(futex_wake(word, (int)value, PC));
    if (number == SYS_futex && (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET)) {
        uint64_t ns = time == NULL ? 0 : (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
        return said(futex_wait(word, value, time == NULL ? 0 : ns + (ns == 0), PC));
    }
    fail("unusable client", "T%d makes the system call %ld, which the checker does not know @%lx@",
         lf_model_thread(), number, (unsigned long)PC);
    return -1;
}

#define FOREIGN(name)                                                                                            \
    void name(void);                                                                                             \
    void name(void) {                                                                                            \
        fail("unusable client", "T%d calls " #name ", which the checker does not know @%lx@", lf_model_thread(), (unsigned long)PC);                                             \
    }
FOREIGN(sem_open)
FOREIGN(mq_open)
FOREIGN(pthread_cancel)
FOREIGN(pthread_kill)
FOREIGN(pthread_mutex_consistent)
FOREIGN(pthread_key_create)
FOREIGN(tss_create)
FOREIGN(pthread_cond_clockwait)
FOREIGN(pthread_mutex_clocklock)
FOREIGN(sem_clockwait)
