/* doomed.c: processes that leave the object in a certain state and then die, before or with the victim. */
#include "kill.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static pid_t doomed, other_doomed;

void kill_start_doomed(void (*f)(void)) {
    int status;
    doomed = fork();
    if (doomed == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        kill_attach_self();
        f();
        for (;;)
            raise(SIGSTOP);
    }
    if (waitpid(doomed, &status, WUNTRACED) != doomed || !WIFSTOPPED(status))
        kill_breach("a process that gets ready to die", "status %#x", (unsigned)status);
}

void kill_start_another_doomed(void (*f)(void)) {
    other_doomed = doomed;
    kill_start_doomed(f);
}

static pid_t *orphan; /* in memory that the driver shares with the doomed one */
static int leash[2];  /* its other end is the driver's: an orphan does not outlive it */

static void live_on(void) {
    char nothing;
    if (lf_after_fork(kill_now.subject->handle) != LF_OK)
        _exit(98);
    close(leash[1]);
    lf_store_release(orphan, getpid());
    while (read(leash[0], &nothing, 1) < 0)
        ;
    _exit(0);
}

void kill_start_doomed_parent(void (*f)(void)) {
    int status;
    if (orphan == NULL) {
        orphan = (pid_t *)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (pipe2(leash, O_CLOEXEC) != 0)
            kill_breach("a process that gets ready to die", "pipe: %s", strerror(errno));
    }
    doomed = fork();
    if (doomed == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        kill_attach_self();
        f();
        if (fork() == 0)
            live_on();
        while (lf_load_acquire(orphan) == 0)
            kill_nap(50000);
        for (;;)
            raise(SIGSTOP);
    }
    if (waitpid(doomed, &status, WUNTRACED) != doomed || !WIFSTOPPED(status))
        kill_breach("a process that gets ready to die", "status %#x", (unsigned)status);
}

void kill_end_orphan(void) {
    if (orphan != NULL && *orphan > 0)
        kill(*orphan, SIGKILL); /* its parent is dead: init buries it */
    if (orphan != NULL)
        *orphan = 0;
}

static void start_traced(void (*f)(void)) {
    int status;
    doomed = fork();
    if (doomed == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        kill_attach_self();
        kill_stop_the_clock();
        kill_open_window();
        f();
        kill_close_window();
    }
    if (waitpid(doomed, &status, 0) != doomed || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
        kill_breach("a process that gets ready to die", "status %#x", (unsigned)status);
}

void kill_start_cut_off(void (*f)(void), const struct kill_trace *trace, unsigned percent) {
    int ended;
    start_traced(f);
    kill_advance(doomed, trace->steps * percent / 100, trace, &ended);
}

void kill_record_doomed(void (*f)(void), struct kill_trace *trace) {
    start_traced(f);
    kill_record(doomed, trace);
    kill_end_doomed();
}

void kill_end_doomed(void) {
    pid_t both[] = {doomed, other_doomed};
    for (int i = 0; i < 2; i++) {
        if (both[i] <= 0)
            continue;
        kill(both[i], SIGKILL);
        waitpid(both[i], NULL, 0);
    }
    doomed = other_doomed = 0;
}
