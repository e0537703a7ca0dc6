/* event.h: one execution of a client as a graph of events:
 *
 *   po   the order of a thread's events             event.tid, event.idx
 *   rf   the store that a read took its value from  event.rf
 *   mo   the order of all stores to one location    loc.store[]
 *   hb, po+rf, psc  as vector clocks                event.hb, event.porf, event.sc_before
 *
 * An execution that RC11 (Lahav, Vafeiadis, Kang, Hur, Dreyer: "Repairing sequential consistency in
 * C/C++11", PLDI 2017) allows can be built one event at a time along po and rf, since RC11 forbids cycles
 * of the two. So events are added in the order in which they are run, every read chooses among the stores
 * that are there, every store chooses its place in mo, and each step is checked against the axioms. */
#ifndef LOCKFREE_MODEL_EVENT_H
#define LOCKFREE_MODEL_EVENT_H

#include <stdbool.h>
#include <stdint.h>

typedef unsigned __int128 u128;

#ifndef LF_MODEL_THREADS
#define LF_MODEL_THREADS 8 /* or 16 or 32, for clients with more: a smaller clock is a faster one */
#endif
enum { MAX_THREADS = LF_MODEL_THREADS, MAX_EVENTS = 1 << 22, MAX_THREAD_EVENTS = 1 << 21, MAX_CANDIDATES = 512 };
enum { MAX_STEPS = 1000000 }; /* of a thread: its events have room for them and an impatient waiting loop */
enum { MAX_OPS = 32, MAX_TRAIL = 1 << 21, MAX_ITERATION = 32, MAX_DEPTH = 64, NO_EVENT = -1 };

typedef struct {
    int32_t of[MAX_THREADS]; /* how many events of each thread are before */
} clk;

enum event_kind { EV_LOAD = 1, EV_STORE, EV_RMW_READ, EV_RMW_WRITE, EV_FENCE, EV_CHOICE, EV_INIT };
enum light { NOT_LIGHT, LIGHT_REACHED, LIGHT_UNREACHED }; /* by membarrier: asymmetric.c */
enum heavy { NOT_HEAVY, HEAVY_MEMBARRIER, HEAVY_SETTLED };
enum order { RELAXED, CONSUME, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST };

struct event {
    u128 value; /* of the whole location: written by a store, seen by a load */
    clk hb, porf;
    clk release;       /* stores: what an acquiring reader learns. Of others it is not set */
    clk sc_before;     /* seq_cst events: of each thread's seq_cst events, those that psc puts before, and it */
    uint64_t pc, near; /* near: what to show where pc is in a library */
    const char *doing; /* what the client called, if not the access itself */
    struct loc *loc;
    int rf;           /* reads: event read from */
    int before_run;   /* the last event of the thread at another location than this one and those since; -1: none */
    int first_reader; /* stores: list of events that read it */
    int next_reader;
    int mo;             /* stores: position in loc->store */
    int op;             /* the recorded call it belongs to, or -1 */
    int32_t idx;        /* position in its thread */
    int32_t sc_number;  /* seq_cst events: 1, 2, ... in their thread */
    int32_t last_fence; /* sc_number of the thread's last seq_cst fence up to here, 0 if none */
    int32_t stamp;      /* exhaustive mode: when it was added, kept across replays */
    int32_t rank;       /* exhaustive mode: place in mo that a replay asks for */
    int32_t pseudo;     /* EV_INIT: number within its location */
    int32_t picked;     /* which option was taken: 0 is the newest store, the end of mo */
    uint8_t tid, kind, order, offset, size, light, heavy;
    bool sc, plain, hidden, cas, as_store;
    bool final;         /* a store that the client promises to be the object's last: verifier.c */
    bool uninitialised; /* EV_INIT: of memory that nobody has written */
    bool rewrites;      /* a load that stands for a read-modify-write: access.c */
    bool of_loop;       /* a choice to wait or to go on: loops.c */
    bool impatient;     /* made while its thread was following a waiting loop to its end: not varied */
};

struct loc {
    uintptr_t address;
    int stores, capacity;
    int *store;                   /* event ids in modification order */
    int own_release[MAX_THREADS]; /* each thread's last release store here */
    int32_t pseudo_stores;        /* initial and plain stores so far */
    int32_t plain_epoch;
    int newest_before, oldest_behind; /* asymmetric.c: beside the heavy fence that it looks at */
    struct loc *next_touched;         /* seqcst.c: beside the fence that it looks at */
    int32_t touched;                  /* the number of events at that time */
    int last_written, last_read;
    uint8_t plain_tid, size;
    bool plain_pending; /* plain code wrote here: the next atomic access makes a store of it */
    bool imaginary;     /* a futex's queue: not in memory */
};

static inline void clk_join(clk *into, const clk *from) {
    for (int i = 0; i < MAX_THREADS; i++)
        into->of[i] = into->of[i] > from->of[i] ? into->of[i] : from->of[i];
}
static inline bool clk_has(const clk *clock, const struct event *e) { return clock->of[e->tid] > e->idx; }
static inline bool acquires(int order) { return order != RELAXED && order != RELEASE; }
static inline bool releases(int order) { return order >= RELEASE; }
static inline bool is_store(const struct event *e) {
    return e->kind == EV_STORE || e->kind == EV_RMW_WRITE || e->kind == EV_INIT;
}

#endif
