/* survivors.c: the processes that go on after the victim's death, and the mailboxes through which they get calls. */
#include "kill.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

struct kill_mailbox {
    LF_ALIGNED uint32_t asked; /* counts questions; the survivor sleeps on it */
    LF_ALIGNED uint32_t done;  /* counts answers; the driver sleeps on it */
    struct kill_message message;
};

struct kill_survivor kill_a = {"A", NULL, 0}, kill_b = {"B", NULL, 0}, kill_c = {"C", NULL, 0};

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

static int64_t attach(struct kill_message *m) { return kill_attach_to((pid_t)m->id, (int)m->amount); }
static int64_t detach(struct kill_message *m) { return (void)m, kill_let_go(), LF_OK; }

void kill_attach_survivor(struct kill_survivor *s) {
    struct kill_message m = {
        .call = attach, .id = (uint64_t)getpid(), .amount = (uint64_t)kill_now.subject->handle->fd};
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
