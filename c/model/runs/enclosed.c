/* enclosed.c: walls around a client that nobody trusts. From here on the process computes, keeps memory, and writes to what is
 * open already. Everything else is refused with EPERM: no file, no other process, no network, no other program. */
#include "runs.h"

#include <errno.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if __has_include(<linux/seccomp.h>) && __has_include(<linux/filter.h>) && (defined(__x86_64__) || defined(__aarch64__))
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#ifdef __x86_64__
#define MACHINE AUDIT_ARCH_X86_64
#else
#define MACHINE AUDIT_ARCH_AARCH64
#endif
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), yes, no)
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, what)
#define REFUSE ANSWER(SECCOMP_RET_ERRNO | EPERM)
#define MAY(call) IS(__NR_##call, 0, 1), ANSWER(SECCOMP_RET_ALLOW)

/* Memory, time, signals of its own, and the report. */
bool enclose(void) {
    uint32_t self = (uint32_t)getpid();
    struct sock_filter code[] = {
        LOAD(arch),
        IS(MACHINE, 1, 0),
        REFUSE,
        LOAD(nr),
        MAY(write),
        MAY(pwrite64),
        MAY(writev),
        MAY(close),
        MAY(lseek),
        MAY(fstat),
        MAY(mmap),
        MAY(munmap),
        MAY(mremap),
        MAY(mprotect),
        MAY(madvise),
        MAY(brk),
        MAY(clock_gettime),
        MAY(gettimeofday),
        MAY(clock_getres),
        MAY(setitimer),
        MAY(getrusage),
        MAY(rt_sigaction),
        MAY(rt_sigprocmask),
        MAY(rt_sigreturn),
        MAY(sigaltstack),
        MAY(futex),
        MAY(sched_yield),
        MAY(sched_getaffinity),
        MAY(membarrier),
        MAY(getpid),
        MAY(gettid),
        MAY(sysinfo),
        MAY(uname),
#ifdef __x86_64__
        MAY(arch_prctl), /* thread pointers, where there is no instruction for them (tls.c) */
#endif
        MAY(getrandom),
        MAY(exit),
        MAY(exit_group),
        IS(__NR_tgkill, 0, 3),
        LOAD(args[0]),
        IS(self, 0, 1),
        ANSWER(SECCOMP_RET_ALLOW), /* abort() */
        REFUSE,
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
#else
bool enclose(void) { return false; }
#endif
