/* machine.h: what this machine costs. Threads on chosen processors do one thing for a given time; they count and time it.
 *
 * Contract
 *   Each function runs `count` threads, thread i on processor cpus[i] (-1: wherever the system puts it), for about `ns`
 *   nanoseconds, and returns when all of them have ended. All begin together.
 *   0, or a negative errno: a thread could not be made or pinned, or there was no memory. Then no figure is written.
 * Progress: blocking. A thread that waits for another one gives up the processor now and then, so more threads than
 *   processors make figures bad and do not hang. */
#ifndef LOCKFREE_MACHINE_H
#define LOCKFREE_MACHINE_H

#include <lockfree/blocks/atomics.h>
#include <lockfree/blocks/base.h>
#include <lockfree/blocks/wait.h>

#include <stdint.h>

enum lf_machine_operation {
    LF_MACHINE_LOAD,  /* relaxed */
    LF_MACHINE_STORE, /* relaxed */
    LF_MACHINE_STORE_SEQ_CST,
    LF_MACHINE_INCREMENT, /* a relaxed load and a relaxed store: what a counter of one thread costs */
    LF_MACHINE_FETCH_ADD,
    LF_MACHINE_EXCHANGE,
    LF_MACHINE_CAS, /* an increment by compare-and-swap, repeated until it succeeds; refusals are counted */
    LF_MACHINE_FENCE_ACQUIRE,
    LF_MACHINE_FENCE_RELEASE,
    LF_MACHINE_FENCE_SEQ_CST,
    LF_MACHINE_STORE_FENCE, /* a relaxed store and a fence that is sequentially consistent */
    LF_MACHINE_MEMBARRIER,  /* the heavy half of an asymmetric fence: the processors of this process */
    LF_MACHINE_PAUSE,
    LF_MACHINE_CLOCK,
    LF_MACHINE_SYSCALL, /* the cheapest system call */
    LF_MACHINE_YIELD,
    LF_MACHINE_FUTEX_WAKE, /* of nobody */
    LF_MACHINE_OPERATIONS
};

/* What one thread did: so many operations, in so many nanoseconds, of which it ran for `cpu_ns`; `refused` of
 * LF_MACHINE_CAS. */
struct lf_machine_share {
    uint64_t done, ns, cpu_ns, refused;
};

/* Thread i works on the word at i * stride bytes; 0: all on one word. */
int lf_machine_operate(int operation, int stride, const int *cpus, int count, uint64_t ns,
                       struct lf_machine_share *shares);

/* A cache line goes back and forth between two threads. `one_way`: nanoseconds of one way, one figure per 256 round trips,
 * at most `room`; how many there are. */
int lf_machine_transfer(int a, int b, uint64_t ns, double *one_way, int room);

/* One thread sleeps on a futex, the other one wakes it when it has slept for `nap` ns. `wake`: from before the call of the
 * waker until the sleeper runs; `call`: what the waker's call takes. Of real sleepers alone; how many there are. */
int lf_machine_wake(int waker, int sleeper, uint64_t nap, uint64_t ns, double *wake, double *call, int room);

enum lf_machine_traffic {
    LF_MACHINE_READ,
    LF_MACHINE_WRITE,
    LF_MACHINE_COPY,  /* counts the bytes that are copied, once */
    LF_MACHINE_CHASE, /* loads of which each one needs the one before; counts loads */
    LF_MACHINE_TRAFFICS
};

/* `bytes` in all, shared among the threads. `done` of a share is in bytes, or loads. */
int lf_machine_stream(int traffic, uint64_t bytes, const int *cpus, int count, uint64_t ns,
                      struct lf_machine_share *shares);

/* ---- litmus tests ---- */

#define LF_LITMUS_THREADS 4
#define LF_LITMUS_OUTCOMES 256 /* four results of two bits each: result i is (outcome >> 2 * i) & 3 */

/* How many tests there are; the name of one; its threads; its results. */
int lf_litmus_tests(void);
const char *lf_litmus_name(int test);
int lf_litmus_threads(int test);
int lf_litmus_results(int test);
/* Adds to `outcomes` how often each was seen. */
int lf_litmus_run(int test, const int *cpus, uint64_t ns, uint64_t *outcomes);

/* ---- the rest ---- */

/* Whether a thread of this process can be pinned to a processor: 0 or a negative errno. */
int lf_machine_can_pin(int cpu);
/* Bytes that the machine and its control groups still give. */
uint64_t lf_machine_memory(void);
/* Nanoseconds that a reading of the clock takes. */
uint64_t lf_machine_clock_cost(void);
/* The compiler that compiled this. */
const char *lf_machine_compiler(void);

#endif
