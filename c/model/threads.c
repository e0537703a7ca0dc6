/* threads.c: threads that the client creates, and a whole program as a client: its main is thread 1.
 *
 * Creating a thread is a step of the creator, which everything that the new thread does comes after. The end
 * of a created thread is its last store, into an imaginary object that pthread_join reads. A thread's number
 * must not depend on who comes first, so only one thread of a client may create others. */
#define _GNU_SOURCE
#include "blocking.h"

#include <pthread.h>
#include <threads.h>

int lf_model_program(int count, char **words) __attribute__((weak)); /* main, as build.py has it renamed */

static void run_program(void) {
    static char name[] = "program", *words[] = {name, NULL};
    int status = lf_model_program(1, words);
    if (status != 0)
        fail("exit status", "main returned %d", status);
}

const struct lf_model_client program_client = {.name = "main", .threads = {run_program}};

bool is_program(void) { return lf_model_program != NULL; }

static uintptr_t end_of(int tid) { return (uintptr_t)1 << 63 | (uintptr_t)tid << 4; }

void run_created_thread(struct thread *t) { t->result = t->start(t->argument); }

void end_of_thread(struct thread *t) {
    if (t->start == NULL)
        return;
    LABELLED("ends", model_store(end_of(t->tid), 8, 1, RELEASE, 0));
}

static const char *const creates[MAX_THREADS] = {NULL, NULL, "creates T2", "creates T3", "creates T4", "creates T5",
                                                 "creates T6", "creates T7"};

static int create(void *(*start)(void *), void *argument, const char *name, uint64_t pc) {
    if (!R.running)
        fail("unusable client", "%s in setup or final: threads stand in .threads @%lx@", name, (unsigned long)pc);
    struct thread *creator = R.current;
    if (R.creator != 0 && R.creator != creator->tid)
        fail("unusable client", "T%d and T%d both create threads; only one thread may @%lx@", R.creator, creator->tid,
             (unsigned long)pc);
    R.creator = creator->tid;
    if (R.threads == MAX_THREADS - 1)
        fail("unusable client", "it has more than %d threads @%lx@", MAX_THREADS - 1, (unsigned long)pc);
    LABELLED(creates[R.threads + 1], model_mark(pc));
    if (R.threads + 1 > R.most_threads) { /* what a wake may choose among has changed */
        R.most_threads = R.threads + 1;
        leave_run(RUN_AGAIN);
    }
    struct thread *t = &R.thread[++R.threads];
    start_thread(R.threads);
    t->start = start;
    t->argument = argument;
    t->hb = creator->hb;
    t->porf = creator->porf;
    return t->tid;
}

static struct thread *joined(unsigned long number, const char *name, uint64_t pc) {
    struct thread *t = R.current;
    if (number == 0 || number > (unsigned long)R.threads || R.thread[number].start == NULL ||
        number == (unsigned long)t->tid) {
        fail("bad join", "T%d calls %s of %lu, which no call created @%lx@", t->tid, name, number, (unsigned long)pc);
        return t;
    }
    for (;;) {
        u128 ended;
        LABELLED("joins", ended = model_load(end_of((int)number), 8, ACQUIRE, pc));
        if (ended)
            break;
        wait_for_change(t, "join", end_of((int)number));
    }
    goes_on(t);
    return &R.thread[number];
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
    (void)attributes;
    plain_access(AT(thread), sizeof *thread, true, PC);
    *thread = (pthread_t)create(start, argument, "pthread_create", PC);
    return 0;
}

int pthread_join(pthread_t thread, void **result) {
    struct thread *ended = joined((unsigned long)thread, "pthread_join", PC);
    if (result != NULL) {
        plain_access(AT(result), sizeof *result, true, PC);
        *result = ended->result;
    }
    return 0;
}

int thrd_create(thrd_t *thread, thrd_start_t start, void *argument) {
    plain_access(AT(thread), sizeof *thread, true, PC);
    /* its result comes back as the low half of the pointer */
    *thread = (thrd_t)create((void *(*)(void *))(uintptr_t)AT(start), argument, "thrd_create", PC);
    return thrd_success;
}

int thrd_join(thrd_t thread, int *result) {
    struct thread *ended = joined((unsigned long)thread, "thrd_join", PC);
    if (result != NULL) {
        plain_access(AT(result), sizeof *result, true, PC);
        *result = (int)(intptr_t)ended->result;
    }
    return thrd_success;
}

int pthread_detach(pthread_t thread) {
    (void)thread;
    return 0;
}
int thrd_detach(thrd_t thread) {
    (void)thread;
    return thrd_success;
}
pthread_t pthread_self(void) { return (pthread_t)(R.current != NULL ? R.current->tid : 0); }
thrd_t thrd_current(void) { return (thrd_t)(R.current != NULL ? R.current->tid : 0); }

void pthread_exit(void *result) {
    if (!R.running)
        fail("unusable client", "pthread_exit in setup or final @%lx@", (unsigned long)PC);
    R.current->result = result;
    finish_thread();
    __builtin_unreachable();
}
void thrd_exit(int result) { pthread_exit((void *)(intptr_t)result); }
