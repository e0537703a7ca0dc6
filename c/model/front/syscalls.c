/* syscalls.c: system calls that are modelled: the futex, membarrier and mappings of memory. A program that calls others
 * is told so: they would block the checker, or leave state behind that is not put back. */
#define _GNU_SOURCE
#include "../objects/objects.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static long said(int result) {
    if (result >= 0)
        return result;
    errno = -result;
    return -1;
}

static long membarrier_call(int command, uint64_t pc) {
    const int calls = MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED;
    const int registers = MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
    if (!membarrier_is_allowed())
        return said(-EPERM);
    if (command == MEMBARRIER_CMD_QUERY)
        return calls | registers;
    if (command != 0 && (command & (command - 1)) == 0 && (command & registers) != 0)
        return 0;
    if (command == 0 || (command & (command - 1)) != 0 || (command & calls) == 0)
        return said(-EINVAL);
    membarrier(pc);
    return 0;
}

long syscall(long number, ...) {
    va_list list;
    va_start(list, number);
    uint32_t *word = va_arg(list, uint32_t *);
    int operation = va_arg(list, int) & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
    uint32_t value = va_arg(list, uint32_t);
    const struct timespec *time = va_arg(list, const struct timespec *);
    uint32_t *other = va_arg(list, uint32_t *);
    uint32_t last = va_arg(list, uint32_t);
    va_end(list);
    bool masked = operation == FUTEX_WAKE_BITSET || operation == FUTEX_WAIT_BITSET;
    if (number == SYS_futex && masked && last != FUTEX_BITSET_MATCH_ANY)
        fail("unusable client", "T%d uses a futex with the mask %#x; only FUTEX_BITSET_MATCH_ANY is modelled @%lx@",
             current_thread(), last, (unsigned long)PC);
    if (number == SYS_sched_yield) {
        pause_at(PC);
        return 0;
    }
    if (number == SYS_membarrier)
        return membarrier_call((int)(intptr_t)word, PC);
    if (number == SYS_gettid)
        return lf_model_thread();
    if (number == SYS_futex && (operation == FUTEX_WAKE || operation == FUTEX_WAKE_BITSET))
        return said(futex_wake(word, (int)value, PC));
    if (number == SYS_futex && (operation == FUTEX_REQUEUE || operation == FUTEX_CMP_REQUEUE))
        return said(futex_requeue(word, (int)value, (int)(intptr_t)time, other,
                                  operation == FUTEX_CMP_REQUEUE ? &last : NULL, PC));
    if (number == SYS_futex && (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET)) {
        uint64_t ns = time == NULL ? 0 : (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
        return said(futex_wait(word, value, time == NULL ? 0 : ns + (ns == 0), PC));
    }
    fail("unusable client", "T%d makes the system call %ld, which the checker does not know @%lx@", current_thread(),
         number, (unsigned long)PC);
    return -1;
}

/* Memory of one process, as the heap gives it. */
void *lf_libc_mmap(void *at, size_t size, int protection, int flags, int file, off_t offset);
void *lf_libc_mmap(void *at, size_t size, int protection, int flags, int file, off_t offset) {
    (void)at, (void)protection, (void)file, (void)offset;
    if ((flags & MAP_ANONYMOUS) == 0 || (flags & MAP_FIXED) != 0)
        fail("unusable client", "T%d maps %s, which the checker does not know @%lx@", current_thread(),
             (flags & MAP_FIXED) != 0 ? "memory at a place of its choice" : "a file", (unsigned long)PC);
    return heap_allocate((size + 4095) & ~(size_t)4095, 4096, true, PC);
}
void *lf_libc_mmap64(void *at, size_t size, int protection, int flags, int file, off_t offset)
    __attribute__((alias("lf_libc_mmap")));
int lf_libc_munmap(void *at, size_t size);
int lf_libc_munmap(void *at, size_t size) {
    (void)size;
    heap_free(at, PC);
    return 0;
}

static int nothing_to_do(void) { return 0; } /* what the model does not have to follow */
int lf_libc_mprotect(void) __attribute__((alias("nothing_to_do")));
int lf_libc_madvise(void) __attribute__((alias("nothing_to_do")));
int lf_libc_mlock(void) __attribute__((alias("nothing_to_do")));
int lf_libc_munlock(void) __attribute__((alias("nothing_to_do")));

#define FOREIGN(symbol, name)                                                                                          \
    void symbol(void);                                                                                                 \
    void symbol(void) {                                                                                                \
        fail("unusable client", "T%d calls " name ", which the checker does not know @%lx@", current_thread(),         \
             (unsigned long)PC);                                                                                       \
    }
FOREIGN(sem_open, "sem_open")
FOREIGN(mq_open, "mq_open")
FOREIGN(pthread_cancel, "pthread_cancel")
FOREIGN(pthread_kill, "pthread_kill")
FOREIGN(pthread_sigqueue, "pthread_sigqueue")
FOREIGN(pthread_timedjoin_np, "pthread_timedjoin_np")
FOREIGN(pthread_clockjoin_np, "pthread_clockjoin_np")
FOREIGN(pthread_mutex_consistent, "pthread_mutex_consistent")
FOREIGN(lf_libc_fork, "fork")
FOREIGN(lf_libc_vfork, "vfork")
FOREIGN(lf_libc_shm_open, "shm_open")
FOREIGN(lf_libc_memfd_create, "memfd_create")
FOREIGN(lf_libc_alarm, "alarm")
FOREIGN(lf_libc_setitimer, "setitimer")
FOREIGN(lf_libc_timer_create, "timer_create")
FOREIGN(lf_libc_kill, "kill")
FOREIGN(lf_libc_sigqueue, "sigqueue")
FOREIGN(lf_libc_pause, "pause")
FOREIGN(lf_libc_sigwait, "sigwait")
FOREIGN(lf_libc_sigsuspend, "sigsuspend")
FOREIGN(lf_libc_socketpair, "socketpair")
FOREIGN(lf_libc_pipe2, "pipe2")
FOREIGN(lf_libc_epoll_create1, "epoll_create1")
FOREIGN(lf_libc_timerfd_create, "timerfd_create")
FOREIGN(lf_libc_system, "system")
FOREIGN(lf_libc_popen, "popen")
FOREIGN(lf_libc_posix_spawn, "posix_spawn")
FOREIGN(lf_libc_execv, "execv")
FOREIGN(lf_libc_execve, "execve")
FOREIGN(lf_libc_execvp, "execvp")
