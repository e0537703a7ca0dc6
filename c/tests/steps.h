/* steps.h: stops the real code before any of its atomic operations, to kill it there or to let another thread run.
 *
 * Include this first. Every atomic operation of the headers included after it is a step. steps_until(k, f) runs f and
 * abandons it before its k-th step, as a kill would. struct steps_fiber and steps_resume run several functions
 * interleaved, one step at a time, in an order that the test chooses: sequentially consistent interleavings only;
 * what weaker memory adds is the model checker's business. */
#ifndef LOCKFREE_TESTS_STEPS_H
#define LOCKFREE_TESTS_STEPS_H

#include "check.h"

#include <setjmp.h>
#include <string.h>
#include <ucontext.h>

static void steps_step(void);

#include "../include/lockfree/blocks/atomics.h"

#undef lf_load_relaxed
#undef lf_load_acquire
#undef lf_store_relaxed
#undef lf_store_release
#undef lf_cas_relaxed
#undef lf_cas_acquire
#undef lf_cas_release
#undef lf_cas_acq_rel
#undef lf_cas_seq_cst
#undef lf_load_seq_cst
#define lf_load_relaxed(p) (steps_step(), __atomic_load_n((p), __ATOMIC_RELAXED))
#define lf_load_acquire(p) (steps_step(), __atomic_load_n((p), __ATOMIC_ACQUIRE))
#define lf_store_relaxed(p, v) (steps_step(), __atomic_store_n((p), (v), __ATOMIC_RELAXED))
#define lf_store_release(p, v) (steps_step(), __atomic_store_n((p), (v), __ATOMIC_RELEASE))
#define lf_cas_relaxed(p, e, d) (steps_step(), lf__cas(p, e, d, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
#define lf_cas_acquire(p, e, d) (steps_step(), lf__cas(p, e, d, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE))
#define lf_cas_release(p, e, d) (steps_step(), lf__cas(p, e, d, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
#define lf_load_seq_cst(p) (steps_step(), __atomic_load_n((p), __ATOMIC_SEQ_CST))
#define lf_cas_seq_cst(p, e, d) (steps_step(), lf__cas(p, e, d, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
#define lf_cas_acq_rel(p, e, d) (steps_step(), lf__cas(p, e, d, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))

/* Stacks are changed by a jump, which costs no system call, where nobody watches stacks. */
#ifdef __SANITIZE_ADDRESS__
#define STEPS__WATCHED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STEPS__WATCHED
#endif
#endif

#ifdef STEPS__WATCHED
#define STEPS__SWITCH(from, to) swapcontext(&(from)->context, &(to)->context)
#else
#define STEPS__SWITCH(from, to)                                                                                        \
    do {                                                                                                               \
        if (_setjmp((from)->at) == 0)                                                                                  \
            _longjmp((to)->at, 1);                                                                                     \
    } while (0)
#endif

struct steps_place {
    ucontext_t context;
    jmp_buf at;
};

struct steps_fiber {
    struct steps_place place;
    int begun;
    void (*run)(void *);
    void *argument;
    int done;
    unsigned char stack[32768] __attribute__((aligned(16)));
};

static struct {
    uint64_t left; /* steps until the run is abandoned; 0: no limit */
    jmp_buf end;
    struct steps_fiber *fiber; /* the one that runs, or NULL */
    struct steps_place scheduler;
} steps_state;

static void steps_step(void) {
    if (steps_state.fiber != NULL)
        STEPS__SWITCH(&steps_state.fiber->place, &steps_state.scheduler);
    else if (steps_state.left > 0 && --steps_state.left == 0)
        longjmp(steps_state.end, 1);
}

/* Runs run(argument); 1 if it ended, 0 if it was abandoned before its k-th step (k = 0: never). */
static __attribute__((noinline, unused)) int steps_until(uint64_t k, void (*run)(void *), void *argument) {
    if (setjmp(steps_state.end) != 0)
        return 0;
    steps_state.left = k;
    run(argument);
    steps_state.left = 0;
    return 1;
}

static void steps_main(void) {
    struct steps_fiber *self = steps_state.fiber;
    self->run(self->argument);
    self->done = 1;
    STEPS__SWITCH(&self->place, &steps_state.scheduler);
}

static __attribute__((unused)) void steps_prepare(struct steps_fiber *fiber, void (*run)(void *), void *argument) {
    fiber->run = run;
    fiber->argument = argument;
    fiber->begun = fiber->done = 0;
    getcontext(&fiber->place.context);
    fiber->place.context.uc_stack.ss_sp = fiber->stack;
    fiber->place.context.uc_stack.ss_size = sizeof fiber->stack;
    fiber->place.context.uc_link = NULL;
    makecontext(&fiber->place.context, steps_main, 0);
}

/* Lets a fiber run to its next step or its end. */
static __attribute__((noinline, unused)) void steps_resume(struct steps_fiber *fiber) {
    steps_state.fiber = fiber;
    if (fiber->begun) {
        STEPS__SWITCH(&steps_state.scheduler, &fiber->place);
    } else {
        fiber->begun = 1;
#ifdef STEPS__WATCHED
        swapcontext(&steps_state.scheduler.context, &fiber->place.context);
#else
        if (_setjmp(steps_state.scheduler.at) == 0)
            setcontext(&fiber->place.context);
#endif
    }
    steps_state.fiber = NULL;
}

#endif
