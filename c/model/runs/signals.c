/* signals.c: crashes of the client, and the watchdog over threads that make no step. */
#define _GNU_SOURCE
#include "runs.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <ucontext.h>

enum { TICKS = 4, TICKS_AGAIN = 1 };

MODEL_STATE static int last_heartbeat, silent_ticks;
MODEL_STATE static uint32_t last_silent; /* plain reads of the thread at the last tick */
MODEL_STATE static uint64_t last_pauses;
MODEL_STATE static bool has_hung; /* an earlier execution: those that repeat it end sooner */

static uint64_t program_counter(const void *context) {
#if defined(__x86_64__)
    return (uint64_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] + 1;
#elif defined(__aarch64__)
    return ((const ucontext_t *)context)->uc_mcontext.pc + 1;
#else
    (void)context;
    return 0;
#endif
}

static void on_signal(int number, siginfo_t *info, void *context) {
    uint64_t pc = program_counter(context);
    if (number == SIGVTALRM) {
        R.overdue = R.options.mode != MODE_REPLAY && time_is_up();
        uint32_t before = last_silent;
        last_silent = R.current != NULL ? R.current->silent : 0;
        uint64_t paused = last_pauses;
        last_pauses = R.current != NULL ? R.current->pauses : 0;
        if (R.current == NULL || R.heartbeat != last_heartbeat) {
            last_heartbeat = R.heartbeat;
            silent_ticks = 0;
            return;
        }
        if (++silent_ticks < (has_hung ? TICKS_AGAIN : TICKS))
            return;
        has_hung = true;
        silent_ticks = 0;
        if (R.current->silent != before && R.current->here != 0)
            pc = R.current->here; /* of the client: the runtime is inside one of its accesses most of the time */
        else if (R.current->pauses != paused)
            pc = R.current->paused_at; /* or inside one of its pauses */
        fail("endless loop", "T%d runs without a visible step @%lx@", R.current->tid, (unsigned long)pc);
    }
    if ((number == SIGSEGV || number == SIGBUS) && (uintptr_t)info->si_addr - R.touched < 4096)
        pc = R.touched_pc;
    if (R.current == NULL || R.end != RUN_DONE) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    if (number == SIGSEGV && stack_exhausted((uintptr_t)info->si_addr))
        fail("crash", "T%d exhausted its stack @%lx@", R.current->tid, (unsigned long)pc);
    fail("crash", "T%d got signal %d (%s) @%lx@", R.current->tid, number, strsignal(number), (unsigned long)pc);
}

void signals_start(void) {
    stack_t alternate = {.ss_sp = malloc(65536), .ss_size = 65536};
    sigaltstack(&alternate, NULL);
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_NODEFER | SA_ONSTACK | SA_SIGINFO};
    int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGVTALRM};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
    double every = R.options.silent / TICKS;
    struct timeval pause = {(time_t)every, (suseconds_t)(1e6 * (every - (double)(time_t)every))};
    struct itimerval tick = {pause, pause};
    setitimer(ITIMER_VIRTUAL, &tick, NULL);
}
