/* stepping.c: lets a process run up to its k-th instruction, and kills it there. */
#include "kill.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#define LONGEST 4000000u /* instructions in one window; with more it is an endless loop */
#define NEARBY 24u       /* the most single steps after a breakpoint */

void kill_open_window(void) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    __asm__ volatile("int3" ::: "memory"); /* SIGTRAP */
}
void kill_close_window(void) {
    __asm__ volatile("ud2" ::: "memory"); /* SIGILL */
    _exit(0);
}

/* Whether a traced process stopped because somebody sent it a signal of job control. It is not delivered. */
static int is_from_outside(int status) {
    int signal = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGCONT;
}

pid_t kill_spawn_victim(const struct kill_operation *operation, int64_t *answer) {
    pid_t victim = fork();
    if (victim < 0)
        kill_breach("a new process", "fork: %s", strerror(errno));
    if (victim == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!operation->bare)
            kill_attach_self();
        kill_stop_the_clock();
        if (operation->arm != NULL)
            operation->arm();
        kill_open_window();
        *answer = operation->act();
        kill_close_window();
    }
    int status;
    while (waitpid(victim, &status, 0) == victim && is_from_outside(status))
        ptrace(PTRACE_CONT, victim, 0, 0);
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
        kill_breach("a victim that arms itself", "status %#x before the operation", (unsigned)status);
    return victim;
}

static uintptr_t next_instruction(pid_t victim) {
    return (uintptr_t)ptrace(PTRACE_PEEKUSER, victim, offsetof(struct user, regs.rip), 0);
}

/* Waits for a victim that may fall asleep, and wakes it then. */
static pid_t wait_and_rouse(pid_t victim, int *status) {
    for (;;) {
        pid_t stopped = waitpid(victim, status, WNOHANG);
        if (stopped != 0)
            return stopped;
        if (kill_is_asleep(victim)) {
            kill_now.roused = 1;
            kill_now.operation->rouse();
            return waitpid(victim, status, 0);
        }
        sched_yield();
    }
}

/* Resumes with a ptrace request and waits: 1 if the window was closed, else 0. */
static int resume(pid_t victim, enum __ptrace_request how) {
    int status;
    do {
        int may_sleep = kill_now.operation->rouse != NULL && !kill_now.roused;
        if (ptrace(how, victim, 0, 0) != 0 ||
            (may_sleep ? wait_and_rouse(victim, &status) : waitpid(victim, &status, 0)) != victim)
            kill_breach("a victim that can be traced", "ptrace: %s", strerror(errno));
    } while (is_from_outside(status)); /* it has not executed anything */
    if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP)
        return 0;
    if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGILL)
        return 1;
    kill_breach("an operation that comes to its end", "the victim's status %#x at %#lx", (unsigned)status,
                WIFSTOPPED(status) ? next_instruction(victim) : 0ul);
}

/* A string instruction is one instruction for a breakpoint; for single steps each repetition is one. */
static int repeats(const struct kill_trace *trace, uint64_t k) { return k > 0 && trace->at[k] == trace->at[k - 1]; }

static void count_executions(struct kill_trace *trace) {
    uint64_t places = lf_round_up_pow2(2 * trace->steps + 2);
    uintptr_t *seen = (uintptr_t *)calloc(places, sizeof *seen);
    uint32_t *times = (uint32_t *)calloc(places, sizeof *times);
    for (uint64_t k = 0; k <= trace->steps; k++) {
        uint64_t i = trace->at[k] * UINT64_C(0x9e3779b97f4a7c15) >> 20 & (places - 1);
        while (seen[i] != 0 && seen[i] != trace->at[k])
            i = (i + 1) & (places - 1);
        seen[i] = trace->at[k];
        trace->nth[k] = times[i] += !repeats(trace, k);
    }
    free(seen);
    free(times);
}

void kill_record(pid_t victim, struct kill_trace *trace) {
    int closed = 0;
    for (trace->steps = 0; !closed; trace->steps++) {
        if (trace->steps >= LONGEST)
            kill_breach("an operation that comes to its end", "%u instructions and no end", LONGEST);
        if (trace->steps >= trace->room) {
            trace->room = trace->room ? 2 * trace->room : 4096;
            trace->at = (uintptr_t *)realloc(trace->at, trace->room * sizeof *trace->at);
            trace->nth = (uint32_t *)realloc(trace->nth, trace->room * sizeof *trace->nth);
        }
        trace->at[trace->steps] = next_instruction(victim);
        closed = resume(victim, PTRACE_SINGLESTEP);
    }
    trace->steps--; /* the last one closed the window */
    count_executions(trace);
}

static int set_debug_register(pid_t victim, int number, uintptr_t value) {
    size_t place = offsetof(struct user, u_debugreg) + (size_t)number * sizeof(((struct user *)0)->u_debugreg[0]);
    return ptrace(PTRACE_POKEUSER, victim, place, value) == 0;
}

/* Runs to the nth execution of the instruction at `at`. Returns 0 there, 1 at the end, -1 if that is impossible here. */
static int run_to(pid_t victim, uintptr_t at, uint64_t nth) {
    int closed = 0;
    if (!set_debug_register(victim, 0, at) || !set_debug_register(victim, 7, 1))
        return -1;
    for (uint64_t i = 0; i < nth && !closed; i++)
        closed = resume(victim, PTRACE_CONT);
    if (!closed)
        set_debug_register(victim, 7, 0);
    return closed;
}

/* Chooses two breakpoints on the way to step `stop`. `far`: rarely executed from the beginning on. `near`: rarely
 * executed from `far` on, and few steps before `stop`. */
static void choose_breakpoints(const struct kill_trace *trace, uint64_t stop, uint64_t *far, uint64_t *near,
                               uint64_t *near_times) {
    uint64_t seen = 0, best, first = stop;
    while (first > 0 && repeats(trace, first))
        first--;
    *near = first;
    for (uint64_t j = first; j-- > 0 && j + NEARBY >= first;)
        if (!repeats(trace, j) && trace->nth[j] + stop - j < trace->nth[*near] + stop - *near)
            *near = j;
    *far = *near;
    *near_times = 0;
    best = trace->nth[*near];
    for (uint64_t j = *near; j-- > 0;) {
        seen += trace->at[j + 1] == trace->at[*near] && !repeats(trace, j + 1);
        if (!repeats(trace, j) && trace->nth[j] + seen + 2 < best) {
            best = trace->nth[j] + seen + 2;
            *far = j;
            *near_times = seen;
        }
    }
}

uintptr_t kill_advance(pid_t victim, uint64_t k, const struct kill_trace *trace, int *ended) {
    uint64_t done = 0, far, near, near_times;
    int closed = 0;
    if (k > NEARBY && k <= trace->steps) {
        choose_breakpoints(trace, k, &far, &near, &near_times);
        closed = run_to(victim, trace->at[far], trace->nth[far]);
        done = closed < 0 ? 0 : far;
        if (closed == 0 && near != far) {
            closed = resume(victim, PTRACE_SINGLESTEP); /* leaves the first breakpoint, which may be the second, too */
            near_times -= trace->at[far + 1] == trace->at[near] && !repeats(trace, far + 1);
            if (closed == 0 && near_times > 0)
                closed = run_to(victim, trace->at[near], near_times);
            done = near;
        }
        closed = closed > 0;
    }
    for (; done < k && !closed; done++)
        closed = resume(victim, PTRACE_SINGLESTEP);
    uintptr_t at = next_instruction(victim);
    *ended = closed || at == trace->at[trace->steps];
    return at;
}

int kill_is_asleep(pid_t process) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = 0;
    const char *after_name = strrchr(text, ')');
    return after_name != NULL && after_name[1] != 0 && after_name[2] == 'S';
}

int kill_run_until_asleep(pid_t victim) {
    int status;
    if (ptrace(PTRACE_CONT, victim, 0, 0) != 0)
        kill_breach("a victim that can be traced", "ptrace: %s", strerror(errno));
    for (uint64_t until = lf_now() + kill_now.watchdog; lf_now() < until; kill_nap(50000)) {
        if (waitpid(victim, &status, WNOHANG) == victim) {
            if (!is_from_outside(status))
                return 1;
            ptrace(PTRACE_CONT, victim, 0, 0);
        }
        if (kill_is_asleep(victim))
            return 0;
    }
    kill_breach("a call that falls asleep", "it still runs");
}

void kill_stop(pid_t victim) {
    int status;
    if (ptrace(PTRACE_DETACH, victim, 0, SIGSTOP) != 0 || waitpid(victim, &status, WUNTRACED) != victim ||
        !WIFSTOPPED(status))
        kill_breach("a victim that stops", "ptrace: %s", strerror(errno));
}

void kill_now_and_wait(pid_t victim) {
    int status;
    kill(victim, SIGKILL);
    if (waitpid(victim, &status, 0) != victim || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        kill_breach("a victim that dies of SIGKILL", "status %#x", (unsigned)status);
}
