/* kill.h: kills a real process after every single instruction of an operation, and sees what is left to the others.
 *
 * One program per primitive: main.c, stepping.c, survivors.c and the primitive's own file, which defines kill_subject.
 *
 * One kill point
 *   1. The driver creates the object. Two survivors, other processes, attach and bring it to its state (arrange).
 *   2. A new process, the victim, attaches through a file description of its own and takes what the operation is to
 *      give back (arm). Then it is traced: it executes exactly k instructions of the operation (act).
 *   3. It dies of SIGKILL. Or it is stopped by SIGSTOP, the survivors go on beside it (beside), and then it dies.
 *   4. The survivors, and a process that comes new, use the object (judge), one call at a time, so that every answer
 *      can be held against all the states that the contract allows.
 * The survivors are asked through mailboxes; one that does not answer in time is the worst breach there is.
 *
 * How the k-th instruction is reached: a first run is single-stepped from end to end and gives the address of every
 * instruction. For each k a hardware breakpoint at a nearby instruction that was seldom executed takes most of the way,
 * PTRACE_SINGLESTEP the rest; where there are no hardware breakpoints all of it is single-stepped. */
#ifndef LOCKFREE_KILL_H
#define LOCKFREE_KILL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <time.h>
/* The coarse clock stands still for a victim: its ticks decide who looks for the dead, and each run of the victim must
 * take the path that was recorded. */
int kill_clock_gettime(clockid_t clock, struct timespec *now);
#define clock_gettime kill_clock_gettime

#include <lockfree/blocks/attach.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#if !defined(__x86_64__)
#error "the windows are marked with x86-64 instructions, and their steps counted with its trap flag"
#endif

#define KILL_MS UINT64_C(1000000)
#define KILL_AT_LAST (60000 * KILL_MS) /* longer than the watchdog: a wait that recovery ends long before */

/* How the victim's end comes and who is the first to look: every k is tried with each that the operation allows. */
enum kill_mode {
    KILL_GO_ON,   /* killed; the survivors go on with calls that never wait */
    KILL_WAIT,    /* killed; the survivors wait until they can go on */
    KILL_NEW,     /* killed; somebody new attaches first, and may be given the dead one's number */
    KILL_STOPPED, /* stopped for ever, the survivors go on beside it; only then killed */
    KILL_MODES
};
#define KILL_ALL_MODES 15u
#define KILL_DEAD_MODES 7u /* for what does not claim to be lock-free */

struct kill_operation {
    const char *name;
    unsigned modes;         /* bits 1 << enum kill_mode */
    void (*arrange)(void);  /* driver */
    void (*arm)(void);      /* victim, freely */
    void (*ready)(void);    /* driver, when the victim is about to act; NULL: nothing */
    int64_t (*act)(void);   /* victim, instruction by instruction; returns what the call answered */
    int64_t answer;         /* which must be this */
    void (*beside)(void);   /* driver, while the victim is stopped; NULL: nothing */
    void (*judge)(void);    /* driver, after the victim's death */
    const void *details;    /* of the primitive's own file */
    void (*rouse)(void);    /* driver, when the victim has fallen asleep in act; it is killed there, too; or NULL */
    int bare;               /* the victim is not attached before act */
};

struct kill_subject {
    const char *name;
    const struct kill_operation *operations;
    int n_operations;
    struct lf_handle *handle;    /* of this very process: the first member of the primitive's own global */
    const struct lf_kind *kind;
    void (*attached)(void);      /* in each process that has attached; NULL: nothing */
    void (*clean_up)(void);      /* driver, when a kill point has ended in a breach, and at the end; NULL: nothing */
};
extern const struct kill_subject kill_subject;

/* ---- the kill point under way; everything here is the driver's, except what survivors are handed ---- */

struct kill_state {
    const struct kill_operation *operation;
    enum kill_mode mode;
    uint64_t k;
    uint64_t seed;     /* differs for every kill point, the same for the same one */
    int ended;         /* the victim had completed its act */
    int dead;          /* the victim is dead, not only stopped */
    int recovering;    /* a recovery is the operation, so that parts of one may be done at any time */
    int asleep;        /* the victim was killed asleep, not after k instructions */
    int roused;        /* the victim came as far as falling asleep, and was woken */
    uintptr_t address; /* of the instruction that it did not execute any more */
    uint64_t watchdog; /* ns without an answer that count as no progress */
};
extern struct kill_state kill_now;
extern pid_t kill_driver; /* this process, or the one that forked it */

/* The contract does not hold: what was expected and what was seen. Ends the kill point. */
void kill_breach(const char *expected, const char *seen, ...) __attribute__((noreturn, format(printf, 2, 3)));

/* ---- stepping.c ---- */

struct kill_trace {
    uintptr_t *at;   /* at[k]: the instruction that comes after k steps */
    uint32_t *nth;   /* the how-manieth execution of it that is; all repetitions of a string instruction are one */
    uint64_t steps;  /* until act has returned */
    uint64_t room;
};

/* A victim that has armed itself and waits at the first instruction of its window. */
void kill_open_window(void);
void kill_close_window(void);
pid_t kill_spawn_victim(const struct kill_operation *operation, int64_t *answer);
void kill_record(pid_t victim, struct kill_trace *trace);
/* Lets it execute k instructions. *ended: act had returned by then. The address of the next instruction. */
uintptr_t kill_advance(pid_t victim, uint64_t k, const struct kill_trace *trace, int *ended);
/* Lets it run until it sleeps in the kernel: 0, or 1 if it came to the end instead. */
int kill_run_until_asleep(pid_t victim);
void kill_stop(pid_t victim); /* no longer traced, stopped by SIGSTOP */
void kill_now_and_wait(pid_t victim);
int kill_is_asleep(pid_t process);

/* ---- survivors.c ---- */

/* One call that a survivor is to make: the question goes in and the answer comes back in the same message. */
struct kill_message {
    int64_t (*call)(struct kill_message *m);
    int64_t answer;
    uint64_t deadline; /* relative, ns; 0: do not wait */
    uint64_t id;
    uint64_t amount;
    uint32_t level;
    uint32_t unused;
    unsigned char record[64];
};

struct kill_survivor {
    const char *name;
    struct kill_mailbox *box;
    pid_t pid;
};
/* A and B attached before the victim came; C is new, and lives from kill_newcomer to the end of the kill point. */
extern struct kill_survivor kill_a, kill_b, kill_c;

void kill_start_survivor(struct kill_survivor *s);
void kill_end_survivor(struct kill_survivor *s);
void kill_newcomer(void); /* C comes and attaches, unless it is there */
/* Has the survivor attach to the driver's segment. */
void kill_attach_survivor(struct kill_survivor *s);
void kill_detach_survivor(struct kill_survivor *s);
/* Asks and waits for the answer; message in and out. A breach if none comes within the watchdog. */
int64_t kill_ask(struct kill_survivor *s, struct kill_message *m);
/* The two halves; kill_answered says whether the second would return at once. */
void kill_begin_ask(struct kill_survivor *s, const struct kill_message *m);
int64_t kill_end_ask(struct kill_survivor *s, struct kill_message *m);
int kill_answered(const struct kill_survivor *s);
void kill_wait_asleep(struct kill_survivor *s); /* until it sleeps inside the call that it was asked for */

/* In a new process: its own file description and participant number on the segment that was inherited. */
void kill_attach_self(void);
void kill_stop_the_clock(void);
/* One more process attaches and runs f: part of an operation's arrange. It lives until it is killed. */
void kill_start_doomed(void (*f)(void));
/* The same beside the one that is there. */
void kill_start_another_doomed(void (*f)(void));
/* The same with a child of its own, forked when f has run, that does what a child must and lives on beside the others. */
void kill_start_doomed_parent(void (*f)(void));
void kill_end_orphan(void); /* that child, at the end of a kill point */
void kill_record_doomed(void (*f)(void), struct kill_trace *trace); /* runs f in one more process, to the end */
/* As kill_start_doomed, but cut off `percent` of the way through that recording. */
void kill_start_cut_off(void (*f)(void), const struct kill_trace *trace, unsigned percent);
void kill_end_doomed(void);
void kill_nap(uint64_t ns);
/* Non-blocking calls look for the dead once per tick of the coarse clock: the next one shall not find it spent. */
void kill_next_tick(void);

/* Someone's turn, in an order that differs between kill points. */
struct kill_survivor *kill_turn(uint64_t n);

#endif
