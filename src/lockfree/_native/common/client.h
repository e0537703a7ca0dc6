/* client.h: one client of a stress run: what it shares with the others, its clock, its random numbers and the contents
 * of its records. */
#ifndef LOCKFREE_PY_CLIENT_H
#define LOCKFREE_PY_CLIENT_H

/* Where in its queue this thread put or took the records of the open call, the newest last: their tickets. */
enum { LF_STRESS_TICKETS = 64 };
static _Thread_local uint64_t lf__ticket[LF_STRESS_TICKETS];
static _Thread_local uint32_t lf__tickets;
#define LF_AT_POSITION(id, position)                                                                                   \
    ((id) != LF__FREE ? (void)(lf__ticket[lf__tickets++ % LF_STRESS_TICKETS] = (position)) : (void)0)

#include <lockfree/lockfree.h>

#include "linearize/history.h"

#include <signal.h>
#include <sys/prctl.h>

struct lf_stress_control {
    LF_ALIGNED uint64_t stop;      /* line 0: written by the runner */
    uint64_t deadline;             /* of lf_now(); 0: not begun */
    LF_ALIGNED uint64_t arrived;   /* line 1: clients that line up */
    LF_ALIGNED uint64_t unguarded; /* line 2: a plain counter, guarded by the lock under stress and nothing else */
};

struct lf_stress_log {
    LF_ALIGNED uint64_t count; /* records begun */
    uint64_t capacity;
    uint64_t ready;
    uint64_t finished;
    uint64_t killed; /* when its process was found dead after a kill; 0: it was not killed */
    LF_ALIGNED struct lf_history_op records[1];
};

struct lf_stress_plan {
    uint64_t seed;
    uint64_t max_wait_ns; /* longest time-out of a blocking call */
    uint64_t operations;  /* records at most */
    uint32_t clients;     /* that line up */
    uint32_t align_every; /* every so many calls all clients line up and start together; 0: never */
    uint32_t pause_every; /* one call in so many is followed by a pause; 0: none */
    uint32_t batch;       /* most records of a batch call */
    uint32_t levels;
    uint32_t fronts;      /* each level has two lines, and histories tell of lines: 2 * level in front, else one more */
    uint32_t forget_full; /* FULL is not recorded: slots are in hand that no record tells of */
    uint32_t forget_empty; /* nor EMPTY: so are records */
    uint32_t role_burst;   /* calls after which a role is handed over */
    uint32_t kind;         /* scenario's own */
    uint32_t weights[16];  /* of the scenario's operations */
};

struct lf_stress_client {
    struct lf_stress_control *control;
    struct lf_stress_log *log;
    struct lf_stress_plan plan;
    uint32_t client;
    uint32_t batches;
    uint64_t random;
    uint64_t values;
    uint64_t calls;
    uint64_t now; /* the last stamp taken */
    int64_t held; /* by this client: permits, or bits */
    uint32_t total_weight;
};

enum {
    LF_STRESS_ROOM = 64 /* records that one call may need */,
    LF_STRESS_MAX_BATCH = 32,
    LF_STRESS_HELPER_SHIFT = 16,
    LF_STRESS_REFUSED = 255,
    LF_STRESS_LEVELS = 256
};

static uint64_t lf_stress_now(void) { return lf_now(); }
static void lf_stress_die_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }

/* ---- stamps ---- */

/* Nothing of the call may be done before its first stamp is taken, nor be pending when its last one is. */
static inline uint64_t lf__stamp_call(void) {
    uint64_t now = lf_now();
#if defined(__x86_64__)
    __builtin_ia32_lfence();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb" ::: "memory");
#else
    lf_fence_seq_cst();
#endif
    return now;
}
static inline uint64_t lf__stamp_return(void) {
    lf_fence_seq_cst();
    return lf_now();
}

/* ---- chance ---- */

static uint64_t lf_stress_random(struct lf_stress_client *c) { /* splitmix64 */
    uint64_t z = c->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}
static uint64_t lf__below(struct lf_stress_client *c, uint64_t bound) {
    return (uint64_t)((unsigned __int128)lf_stress_random(c) * bound >> 64);
}
/* Most waits are short, a few as long as allowed. */
static uint64_t lf__some_deadline(struct lf_stress_client *c) {
    uint64_t wait = c->plan.max_wait_ns >> lf__below(c, 8);
    return c->now + 1 + lf__below(c, wait + 1);
}
static uint32_t lf__some_operation(struct lf_stress_client *c) {
    uint64_t at = lf__below(c, c->total_weight);
    uint32_t op = 0;
    while (at >= c->plan.weights[op])
        at -= c->plan.weights[op++];
    return op;
}

/* Waits for the starting signal. */
static void lf_stress_begin(struct lf_stress_client *c) {
    PyThreadState *state = PyEval_SaveThread();
    lf_store_release(&c->log->ready, (uint64_t)1);
    while (lf_load_acquire(&c->control->deadline) == 0 && !lf_load_relaxed(&c->control->stop))
        lf_nap(100000);
    PyEval_RestoreThread(state);
    c->random = c->plan.seed ^ (uint64_t)c->client * UINT64_C(0xd1342543de82ef95);
    c->total_weight = 0;
    for (int i = 0; i < 16; i++)
        c->total_weight += c->plan.weights[i];
    c->now = lf_now();
}

/* Waits for the end of the round: what this process has in hand must not come back before. */
static void lf_stress_await_end(struct lf_stress_control *control) {
    PyThreadState *state = PyEval_SaveThread();
    while (!lf_load_acquire(&control->stop))
        lf_nap(500000);
    PyEval_RestoreThread(state);
}

/* Distinct over all clients; the highest byte is left free for the length of the record. */
static uint64_t lf_stress_next_value(struct lf_stress_client *c) {
    return (uint64_t)(c->client + 1) << 40 | ++c->values;
}

/* A record repeats its value, with its length in the highest byte, so that a torn one is seen. */
static uint64_t lf__fill(unsigned char *record, uint64_t value, uint64_t length) {
    uint64_t word = value | length << 56;
    for (uint64_t at = 0; at < length; at += 8)
        memcpy(record + at, &word, length - at < 8 ? length - at : 8);
    return length;
}
static uint64_t lf__some_length(struct lf_stress_client *c, uint64_t record_size) {
    return record_size <= 8 ? record_size : 8 + lf__below(c, record_size - 7);
}
/* Its value, or one that was never put if the record is not as it was written. */
static int64_t lf__read(const unsigned char *record, uint64_t length) {
    uint64_t word, again;
    if (length < 8)
        return -1;
    memcpy(&word, record, 8);
    for (uint64_t at = 8; at < length; at += 8) {
        again = word;
        memcpy(&again, record + at, length - at < 8 ? length - at : 8);
        if (again != word)
            return -2;
    }
    return word >> 56 == (length & 0xff) ? (int64_t)(word & (UINT64_MAX >> 8)) : -3;
}

#endif
