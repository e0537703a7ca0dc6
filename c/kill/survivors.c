/* survivors.c: the processes that go on after the victim's death, and the mailboxes through which they get calls. */
#include "kill.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

struct kill_mailbox {
    LF_ALIGNED uint32_t asked; /* counts questions; the survivor sleeps on it */
    LF_ALIGNED uint32_t done;  /* counts answers; the driver sleeps on it */
    int fd;                    /* descriptor of the driver, for attaching */
    pid_t driver;
    struct kill_message message;
};

struct kill_survivor kill_a = {"A", NULL, 0}, kill_b = {"B", NULL, 0}, kill_c = {"C", NULL, 0};

static int the_clock_stands;

int kill_clock_gettime(clockid_t clock, struct timespec *now) {
    if (the_clock_stands && clock == CLOCK_MONOTONIC_COARSE) {
        now->tv_sec = 1;
        now->tv_nsec = 0;
        return 0;
    }
#undef clock_gettime
    return clock_gettime(clock, now);
#define clock_gettime kill_clock_gettime
}

void kill_stop_the_clock(void) { the_clock_stands = 1; }

void kill_nap(uint64_t ns) {
    struct timespec span = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    nanosleep(&span, NULL);
}

void kill_next_tick(void) {
    uint64_t now = lf_now_coarse();
    while (lf_now_coarse() == now)
        kill_nap(200000);
}

static void serve(struct kill_mailbox *box) {
    for (uint32_t served = 0;; served++) {
        while (lf_load_acquire(&box->asked) == served)
            lf_futex_wait(&box->asked, served, 0);
        box->message.answer = box->message.call(&box->message);
        lf_store_release(&box->done, served + 1);
        lf_futex_wake(&box->done, 1);
    }
}

void kill_start_survivor(struct kill_survivor *s) {
    if (s->box == NULL)
        s->box = (struct kill_mailbox *)mmap(NULL, sizeof *s->box, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                                             -1, 0);
    s->box->asked = s->box->done = 0;
    s->box->driver = getpid();
    s->pid = fork();
    if (s->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(s->box);
    }
}

void kill_end_survivor(struct kill_survivor *s) {
    if (s->pid <= 0)
        return;
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
}

int kill_answered(const struct kill_survivor *s) { return lf_load_acquire(&s->box->done) == s->box->asked; }

void kill_begin_ask(struct kill_survivor *s, const struct kill_message *m) {
    s->box->message = *m;
    lf_store_release(&s->box->asked, s->box->asked + 1);
    lf_futex_wake(&s->box->asked, 1);
}

int64_t kill_end_ask(struct kill_survivor *s, struct kill_message *m) {
    uint64_t until = lf_now() + kill_now.watchdog;
    while (!kill_answered(s)) {
        uint64_t now = lf_now();
        if (now >= until)
            kill_breach("progress", "%s did not come back from its call within %llu ms", s->name,
                        (unsigned long long)(kill_now.watchdog / KILL_MS));
        lf_futex_wait(&s->box->done, s->box->asked - 1, until - now);
        if (!kill_answered(s) && waitpid(s->pid, NULL, WNOHANG) == s->pid) {
            s->pid = 0;
            kill_breach("a survivor that survives", "%s crashed in its call", s->name);
        }
    }
    *m = s->box->message;
    return m->answer;
}

int64_t kill_ask(struct kill_survivor *s, struct kill_message *m) {
    kill_begin_ask(s, m);
    return kill_end_ask(s, m);
}

void kill_wait_asleep(struct kill_survivor *s) {
    for (uint64_t until = lf_now() + kill_now.watchdog; lf_now() < until; kill_nap(50000))
        if (kill_answered(s) || kill_is_asleep(s->pid))
            return;
    kill_breach("a call that falls asleep", "%s still runs", s->name);
}

struct kill_survivor *kill_turn(uint64_t n) {
    uint64_t living = kill_c.pid > 0 ? 3 : 2, which = (n + kill_now.seed) % living;
    return which == 0 ? &kill_a : which == 1 ? &kill_b : &kill_c;
}

/* ---- attaching ---- */

static int64_t attach(struct kill_message *m) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%llu/fd/%llu", (unsigned long long)m->id, (unsigned long long)m->amount);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    int status = fd < 0 ? LF_SYSTEM : lf_segment_attach_fd(kill_subject.handle, fd, kill_subject.kind);
    if (status == LF_OK && kill_subject.attached != NULL)
        kill_subject.attached();
    return status;
}

static int64_t detach(struct kill_message *m) {
    (void)m;
    if (kill_subject.handle->segment != NULL)
        lf_detach(kill_subject.handle);
    return LF_OK;
}

void kill_attach_survivor(struct kill_survivor *s) {
    struct kill_message m = {.call = attach, .id = (uint64_t)getpid(), .amount = (uint64_t)kill_subject.handle->fd};
    int64_t status = kill_ask(s, &m);
    if (status != LF_OK)
        kill_breach("a process that attaches", "%s got status %lld", s->name, (long long)status);
}

void kill_detach_survivor(struct kill_survivor *s) {
    struct kill_message m = {.call = detach};
    kill_ask(s, &m);
}

void kill_newcomer(void) {
    if (kill_c.pid > 0)
        return;
    kill_start_survivor(&kill_c);
    kill_attach_survivor(&kill_c);
}

void kill_attach_self(void) {
    int fd = dup(kill_subject.handle->fd);
    if (kill_subject.handle->segment == NULL)
        return; /* the object belongs to another process */
    if (lf_segment_attach_fd(kill_subject.handle, fd, kill_subject.kind) != LF_OK)
        _exit(98);
    kill_subject.handle->spins = 16; /* few but not none: two looks, then sleep */
    if (kill_subject.attached != NULL)
        kill_subject.attached();
}

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
    if (lf_after_fork(kill_subject.handle) != LF_OK)
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
