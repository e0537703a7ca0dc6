/* threads.c: threads that the client creates.
 *
 * Creating a thread is a step of the creator, which everything that the new thread does comes after. The end of a
 * created thread is its last store, into an imaginary object that pthread_join reads. A thread's number must not depend
 * on who comes first: the n-th thread that a thread creates has the same number in every execution of a search. */
#define _GNU_SOURCE
#include "objects.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>

MODEL_STATE static struct {
    int creator, nth;
    char announcement[24];
} births[MAX_THREADS];

void births_add(int creator) {
    int tid = ++R.most_threads, nth = 1;
    for (int t = R.client_threads + 1; t < tid; t++)
        nth += births[t].creator == creator;
    births[tid].creator = creator;
    births[tid].nth = nth;
    snprintf(births[tid].announcement, sizeof births[tid].announcement, "creates T%d", tid);
}

/* For a token: the creator of each thread, if it was not always T1. */
void births_print(void) {
    bool others = false;
    for (int t = R.client_threads + 1; t <= R.most_threads; t++)
        others |= births[t].creator != 1;
    if (!others)
        return;
    say("-");
    for (int t = R.client_threads + 1; t <= R.most_threads; t++)
        say("%c", 'a' + births[t].creator - 1);
}

static int number_of_next(struct thread *creator, const char *name, uint64_t pc) {
    creator->created++;
    for (int t = R.client_threads + 1; t <= R.most_threads; t++)
        if (births[t].creator == creator->tid && births[t].nth == creator->created)
            return t;
    if (R.most_threads == MAX_THREADS - 1) {
        R.too_many_threads = true;
        fail("unusable client", "%s: it has more than %d threads @%lx@", name, MAX_THREADS - 1, (unsigned long)pc);
    }
    births_add(creator->tid);
    leave_run(RUN_AGAIN); /* what a wake may choose among has changed */
}

static int create(void *(*start)(void *), void *argument, const char *name, uint64_t pc) {
    if (!R.started) {
        say("unusable\tthread before main\t%s in a constructor of a client: threads stand in .threads @%lx@\n", name,
            (unsigned long)pc);
        end_checker(3);
    }
    if (!R.running)
        fail("unusable client", "%s in setup or final: threads stand in .threads @%lx@", name, (unsigned long)pc);
    struct thread *creator = R.current;
    turns_forget(creator);
    int tid = number_of_next(creator, name, pc);
    LABELLED(births[tid].announcement, model_mark(pc));
    struct thread *t = &R.thread[tid];
    start_thread(tid);
    if (tid > R.threads)
        R.threads = tid;
    t->start = start;
    t->argument = argument;
    t->hb = creator->hb;
    t->porf = creator->porf;
    t->random = creator->random;
    symmetry_of_created(creator, tid);
    return tid;
}

static bool was_created(unsigned long number) {
    return number != 0 && number <= (unsigned long)R.threads && !R.thread[number].absent &&
           R.thread[number].start != NULL;
}

/* Either once. */
static void joins_or_detaches(const struct thread *t, const char *name, uint64_t pc) {
    if (t->joined || t->detached)
        fail("bad join", "T%d calls %s of T%d, which has been %s @%lx@", R.current->tid, name, t->tid,
             t->joined ? "joined before" : "detached", (unsigned long)pc);
}

/* At the end of an execution: what is left of a thread that nobody joins or detaches is lost. */
void warn_of_unjoined(void) {
    for (int t = 1; t <= R.threads; t++)
        if (was_created((unsigned long)t) && !R.thread[t].joined && !R.thread[t].detached)
            warn("T%d is neither joined nor detached", t);
}

static bool has_ended(u128 ended, u128 nothing) {
    (void)nothing;
    return ended != 0;
}

static struct thread *joined(unsigned long number, bool looks_at_result, const char *name, uint64_t pc) {
    struct thread *t = R.current;
    if (!was_created(number) || number == (unsigned long)t->tid) {
        fail("bad join", "T%d calls %s of %lu, which no call created @%lx@", t->tid, name, number, (unsigned long)pc);
        return t;
    }
    joins_or_detaches(&R.thread[number], name, pc);
    for (;;) {
        u128 ended;
        hope(end_of((int)number), has_ended, 0);
        LABELLED("joins", ended = model_load(end_of((int)number), 8, ACQUIRE, pc));
        if (ended)
            break;
        wait_for_change(t, "join", end_of((int)number));
    }
    goes_on(t);
    joins_or_detaches(&R.thread[number], name, pc);
    R.thread[number].joined = true;
    if (R.thread[number].clock_ns > t->clock_ns)
        t->clock_ns = R.thread[number].clock_ns;
    symmetry_joins(t, (int)number, looks_at_result);
    return &R.thread[number];
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
    (void)attributes;
    plain_access(AT(thread), sizeof *thread, true, PC);
    *thread = (pthread_t)create(start, argument, "pthread_create", PC);
    return 0;
}

static int finish_join(const struct thread *ended, void **result, uint64_t pc) {
    if (result != NULL) {
        plain_access(AT(result), sizeof *result, true, pc);
        *result = ended->result;
    }
    return 0;
}
int pthread_join(pthread_t thread, void **result) {
    return finish_join(joined((unsigned long)thread, result != NULL, "pthread_join", PC), result, PC);
}
int pthread_tryjoin_np(pthread_t thread, void **result) {
    symmetry_is_broken();
    if (was_created((unsigned long)thread) && !R.thread[thread].joined && !R.thread[thread].detached) {
        u128 ended;
        LABELLED("tries to join", ended = model_load(end_of((int)thread), 8, ACQUIRE, PC));
        if (!ended)
            return EBUSY;
    }
    return finish_join(joined((unsigned long)thread, result != NULL, "pthread_tryjoin_np", PC), result, PC);
}

int thrd_create(thrd_t *thread, thrd_start_t start, void *argument) {
    plain_access(AT(thread), sizeof *thread, true, PC);
    /* its result comes back as the low half of the pointer */
    *thread = (thrd_t)create((void *(*)(void *))(uintptr_t)AT(start), argument, "thrd_create", PC);
    return thrd_success;
}

int thrd_join(thrd_t thread, int *result) {
    struct thread *ended = joined((unsigned long)thread, result != NULL, "thrd_join", PC);
    if (result != NULL) {
        plain_access(AT(result), sizeof *result, true, PC);
        *result = (int)(intptr_t)ended->result;
    }
    return thrd_success;
}

static void detach(unsigned long number, const char *name, uint64_t pc) {
    if (!was_created(number)) {
        fail("bad join", "T%d calls %s of %lu, which no call created @%lx@", R.current->tid, name, number,
             (unsigned long)pc);
        return;
    }
    joins_or_detaches(&R.thread[number], name, pc);
    symmetry_is_broken();
    R.thread[number].detached = true;
}
int pthread_detach(pthread_t thread) {
    detach((unsigned long)thread, "pthread_detach", PC);
    return 0;
}
int thrd_detach(thrd_t thread) {
    detach((unsigned long)thread, "thrd_detach", PC);
    return thrd_success;
}
pthread_t pthread_self(void) { return (pthread_t)lf_model_thread(); }
thrd_t thrd_current(void) { return (thrd_t)lf_model_thread(); }

void pthread_exit(void *result) {
    if (!R.running)
        fail("unusable client", "pthread_exit in setup or final @%lx@", (unsigned long)PC);
    R.current->result = result;
    run_cleanups();
    run_thread_destructors();
    run_key_destructors();
    finish_thread();
    __builtin_unreachable();
}
/* The innermost cleanup handler of a thread that ends: keys.c. */
void lf_libc___pthread_unwind_next(void *buffer);
void lf_libc___pthread_unwind_next(void *buffer) {
    (void)buffer;
    pthread_exit(R.current->result);
}
void thrd_exit(int result) { pthread_exit((void *)(intptr_t)result); }

/* A thread's name, place and priority say nothing of what it computes. */
static int nothing_to_do(void) { return 0; }
int pthread_setname_np(pthread_t thread, const char *name) __attribute__((alias("nothing_to_do")));
int pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *set) __attribute__((alias("nothing_to_do")));
int pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *parameter)
    __attribute__((alias("nothing_to_do")));
int pthread_setschedprio(pthread_t thread, int priority) __attribute__((alias("nothing_to_do")));
