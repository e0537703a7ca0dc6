/* kill.h: kills a real process after every single instruction of an operation, and checks what the others find.
 *
 * There is one program per primitive. Its own file defines kill_subject, which main.c takes. Below them are, from the
 * top: survivors.c and doomed.c, the other processes; stepping.c, the victim; attach.c, clock.c and breach.c. A file
 * knows only files below it. For bounded queues, queues.c is between the primitive's file and survivors.c.
 *
 * One kill point
 *   1. The driver creates the object. Two survivors, other processes, attach and bring it to its state (arrange).
 *   2. A new process, the victim, attaches through a file description of its own and takes what the operation is to
 *      give back (arm). Then it is traced. It executes exactly k instructions of the operation (act).
 *   3. It is killed with SIGKILL. In one mode it is first stopped with SIGSTOP, the survivors go on beside it (beside),
 *      and only then is it killed.
 *   4. The survivors, and a process that attaches now, use the object (judge). They make one call at a time, so that
 *      every answer can be compared with all the states that the contract allows.
 * The driver sends calls to the survivors through mailboxes. If one does not answer in time, the contract is breached.
 *
 * How the k-th instruction is reached: a first run is single-stepped from begin to end. It gives the address of every
 * instruction. For each k a hardware breakpoint, at a nearby instruction that is rarely executed, takes the victim most
 * of the way. PTRACE_SINGLESTEP does the rest. Without hardware breakpoints the whole way is single-stepped. */
#ifndef LOCKFREE_KILL_H
#define LOCKFREE_KILL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <time.h>
/* The coarse clock stands still for a victim. Its ticks decide when a call looks for the dead, and each run of the
 * victim must take the recorded path. */
int kill_clock_gettime(clockid_t clock, struct timespec *now);
#define clock_gettime kill_clock_gettime

#include <lockfree/blocks/attach.h>

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#if !defined(__x86_64__)
#error "the windows are marked with x86-64 instructions, and their steps counted with its trap flag"
#endif

#define KILL_MS UINT64_C(1000000)
#define KILL_AT_LAST (60000 * KILL_MS) /* longer than the watchdog: for a wait that recovery must end before */

/* How the victim dies, and which process is the next user. Every k is tried in each mode that the operation allows. */
enum kill_mode {
    KILL_GO_ON,   /* killed; the survivors go on with calls that never wait */
    KILL_WAIT,    /* killed; the survivors wait until they can go on */
    KILL_NEW,     /* killed; a new process attaches first, and may get the number of the dead one */
    KILL_STOPPED, /* stopped, not killed; killed after the survivors have gone on beside it */
    KILL_MODES
};
#define KILL_ALL_MODES 15u
#define KILL_DEAD_MODES 7u /* for operations that are not lock-free */

struct kill_operation {
    const char *name;
    unsigned modes;        /* bits 1 << enum kill_mode */
    void (*arrange)(void); /* driver */
    void (*arm)(void);     /* victim, not traced */
    void (*ready)(void);   /* driver, when the victim is about to act; NULL: nothing */
    int64_t (*act)(void);  /* victim, instruction by instruction; returns the call's answer */
    int64_t answer;        /* the answer that it must be */
    void (*beside)(void);  /* driver, while the victim is stopped; NULL: nothing */
    void (*judge)(void);   /* driver, after the victim's death */
    const void *details;   /* of the primitive's own file */
    void (*rouse)(void);   /* driver, when the victim sleeps in act, to wake it; it is killed asleep, too; or NULL */
    int bare;              /* the victim is not attached before act */
};

struct kill_subject {
    const char *name;
    const struct kill_operation *operations;
    int n_operations;
    struct lf_handle *handle; /* of this process: the first member of the primitive's own global */
    const struct lf_kind *kind;
    void (*attached)(void);         /* in each process that has attached; NULL: nothing */
    void (*clean_up)(void);         /* driver, when a kill point has ended in a breach, and at the end; NULL: nothing */
    const struct kill_queue *queue; /* queues.h; NULL: no bounded queue */
};
extern const struct kill_subject kill_subject; /* of the primitive's own file, for main.c */

/* ---- breach.c: the current kill point; it belongs to the driver, except what that gives to the survivors ---- */

struct kill_state {
    const struct kill_subject *subject;
    const struct kill_operation *operation;
    enum kill_mode mode;
    uint64_t k;
    uint64_t seed;     /* differs between kill points; the same for the same kill point */
    int ended;         /* the victim had completed its act */
    int dead;          /* the victim is dead, not only stopped */
    int recovering;    /* the operation is a recovery: parts of it may be done at any time */
    int asleep;        /* the victim was killed asleep, not after k instructions */
    int roused;        /* the victim had fallen asleep, and was woken */
    uintptr_t address; /* of the first instruction that it did not execute */
    uint64_t watchdog; /* ns without an answer that count as no progress */
};
extern struct kill_state kill_now;
extern pid_t kill_driver; /* this process, or the one that forked it */

extern const char *const kill_mode_names[KILL_MODES];

/* Notes that the contract does not hold, with what was expected and what was seen. Ends the kill point: jumps to
 * kill_point_ended, which main.c sets. */
void kill_breach(const char *expected, const char *seen, ...) __attribute__((noreturn, format(printf, 2, 3)));
extern jmp_buf kill_point_ended;
void kill_print_breach(void); /* a line of JSON */
#define KILL_ASLEEP (-2)      /* where the line names k: the victim was killed asleep */

/* ---- clock.c, with kill_clock_gettime ---- */

void kill_stop_the_clock(void);
void kill_nap(uint64_t ns);
/* A call that does not wait looks for the dead at most once per tick of the coarse clock. This waits for the next tick,
 * so that the next call looks. */
void kill_next_tick(void);

/* ---- attach.c: for the process that calls ---- */

int kill_attach_to(pid_t owner, int descriptor); /* a status */
/* In a new process: its own file description and participant number on the segment that was inherited. */
void kill_attach_self(void);
void kill_let_go(void); /* detaches, if attached */

/* ---- stepping.c ---- */

struct kill_trace {
    uintptr_t *at;  /* at[k]: the instruction that comes after k steps */
    uint32_t *nth;  /* its how-manieth execution this is; all repetitions of a string instruction count as one */
    uint64_t steps; /* until act has returned */
    uint64_t room;
};

/* Starts a victim. It has armed itself and waits at the first instruction of its window. */
void kill_open_window(void);
void kill_close_window(void);
pid_t kill_spawn_victim(const struct kill_operation *operation, int64_t *answer);
void kill_record(pid_t victim, struct kill_trace *trace);
/* Lets it execute k instructions. Sets *ended if act had returned by then. Returns the address of the next one. */
uintptr_t kill_advance(pid_t victim, uint64_t k, const struct kill_trace *trace, int *ended);
/* Lets it run until it sleeps in the kernel. Returns 0, or 1 if it came to the end instead. */
int kill_run_until_asleep(pid_t victim);
void kill_stop(pid_t victim); /* no longer traced, stopped by SIGSTOP */
void kill_now_and_wait(pid_t victim);
int kill_is_asleep(pid_t process);

/* ---- survivors.c ---- */

/* A call that a survivor makes for the driver. The answer comes back in the same message. */
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
/* A and B have attached before the victim. C attaches in kill_newcomer and lives to the end of the kill point. */
extern struct kill_survivor kill_a, kill_b, kill_c;

void kill_start_survivor(struct kill_survivor *s);
void kill_end_survivor(struct kill_survivor *s);
void kill_newcomer(void); /* starts C and lets it attach, unless it is there */
/* Lets the survivor attach to the driver's segment. */
void kill_attach_survivor(struct kill_survivor *s);
void kill_detach_survivor(struct kill_survivor *s);
/* Sends a call and waits for the answer, which is written into the message. A breach if none comes in time. */
int64_t kill_ask(struct kill_survivor *s, struct kill_message *m);
/* The two halves; kill_answered says whether the second would return at once. */
void kill_begin_ask(struct kill_survivor *s, const struct kill_message *m);
int64_t kill_end_ask(struct kill_survivor *s, struct kill_message *m);
int kill_answered(const struct kill_survivor *s);
void kill_wait_asleep(struct kill_survivor *s); /* until it sleeps inside its call */

/* The survivor whose turn it is, in an order that differs between kill points. */
struct kill_survivor *kill_turn(uint64_t n);

/* ---- doomed.c ---- */

/* Starts one more process, which attaches, runs f, and then lives until it is killed. For an operation's arrange. */
void kill_start_doomed(void (*f)(void));
/* The same, beside the first one. */
void kill_start_another_doomed(void (*f)(void));
/* The same, and it forks a child after f. The child does what a forked child must do, and lives on. */
void kill_start_doomed_parent(void (*f)(void));
void kill_end_orphan(void);                                         /* that child, at the end of a kill point */
void kill_record_doomed(void (*f)(void), struct kill_trace *trace); /* runs f in one more process, to the end */
/* As kill_start_doomed, but cut off `percent` of the way through that recording. */
void kill_start_cut_off(void (*f)(void), const struct kill_trace *trace, unsigned percent);
void kill_end_doomed(void);

#endif
