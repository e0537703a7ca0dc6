/* steps.c: runs a victim up to its k-th instruction and kills it there, for each k. What it prints, in fields:
 * "passed NAME INSTRUCTIONS", "failed NAME K ADDRESS STATUS" (after the assertion's text), or "impossible WHY". */
#define _GNU_SOURCE
#include "steps.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONGEST = 20000, PATIENCE = 1 };

long steps_made;
int steps_ended;

static void impossible(const char *why) {
    fprintf(stderr, "impossible\t%s: %s\n", why, strerror(errno));
    exit(2);
}

static uint64_t place(pid_t victim) {
    struct user_regs_struct regs;
    struct iovec all = {&regs, sizeof regs};
    if (ptrace(PTRACE_GETREGSET, victim, (void *)1, &all) != 0) /* NT_PRSTATUS */
        return 0;
#ifdef __x86_64__
    return regs.rip;
#else
    return regs.pc;
#endif
}

/* The victim waits for its first instruction; when it is done it kills itself with a signal that nothing else sends. */
static pid_t start(const struct steps_case *one) {
    pid_t victim = fork();
    if (victim < 0)
        impossible("fork");
    if (victim == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0)
            _exit(3);
        raise(SIGSTOP);
        one->victim();
        raise(SIGUSR2);
        _exit(0);
    }
    int status;
    if (waitpid(victim, &status, 0) != victim || !WIFSTOPPED(status))
        impossible("ptrace is not allowed here");
    return victim;
}

/* 1 if the victim made its next instruction, 0 if it has come to its end. */
static int step(pid_t victim) {
    int status;
    if (ptrace(PTRACE_SINGLESTEP, victim, 0, 0) != 0 || waitpid(victim, &status, 0) != victim)
        impossible("ptrace");
    return WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
}

static int survive(const struct steps_case *one) {
    pid_t survivor = fork();
    if (survivor < 0)
        impossible("fork");
    if (survivor == 0) {
        struct itimerval limit = {.it_value = {.tv_sec = PATIENCE}};
        setitimer(ITIMER_PROF, &limit, NULL); /* of CPU time: SIGPROF */
        one->survive();
        _exit(0);
    }
    int status;
    waitpid(survivor, &status, 0);
    return status;
}

static void judge(const struct steps_case *one) {
    for (long k = 0, ended = 0; !ended; k++) {
        if (k > LONGEST) {
            fprintf(stderr, "failed\t%s\t%ld\t0\tendless\n", one->name, k);
            exit(1);
        }
        one->prepare();
        pid_t victim = start(one);
        for (steps_made = 0; steps_made < k && !ended; steps_made++)
            ended = !step(victim);
        steps_ended = (int)ended;
        uint64_t at = place(victim);
        kill(victim, SIGKILL);
        waitpid(victim, NULL, 0);
        int status = survive(one);
        if (status != 0) {
            const char *how = WIFSIGNALED(status) ? WTERMSIG(status) == SIGPROF ? "no progress" : "signal" : "status";
            fprintf(stderr, "failed\t%s\t%ld\t%lx\t%s %d\n", one->name, k, (unsigned long)at, how,
                    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
            exit(1);
        }
        if (ended)
            fprintf(stderr, "passed\t%s\t%ld\n", one->name, k);
    }
}

int main(void) {
    for (const struct steps_case *one = steps_cases; one->name != NULL; one++)
        judge(one);
    return 0;
}
