/* life.c: how a thread begins and ends. The end of a thread that another one created is its last store, into an imaginary
 * object that pthread_join reads. */
#include "objects.h"

#include <stddef.h>
#include <string.h>

void finish_thread(void) {
    struct thread *t = R.current;
    end_impatience(t, true);
    uintptr_t low, high;
    if (local_end(t->tid, &low, &high))
        end_of_memory(low, high, t->here);
    if (t->start != NULL)
        LABELLED("ends", model_store(end_of(t->tid), 8, 1, RELEASE, 0));
    t->finished = true;
    R.heartbeat++;
    go_on();
}

/* Keeps nothing in registers while the client runs: they would be a part of its state, and tell the first turn of a loop
 * from the next (events/turns.c). */
static void thread_entry(void) {
    if (R.current->start != NULL) {
        void *result = R.current->start(R.current->argument);
        R.current->result = result;
    } else {
        R.client->threads[R.current->tid - 1]();
    }
    run_thread_destructors();
    run_key_destructors();
    finish_thread();
}

void start_thread(int tid) {
    struct thread *t = &R.thread[tid];
    memset(&t->hb, 0, offsetof(struct thread, now) - offsetof(struct thread, hb));
    t->tid = (uint8_t)tid;
    turns_forget(t);
    t->now.reads = t->before.reads = 0;
    t->now.pure = t->before.pure = t->now.incomplete = t->before.incomplete = false;
    t->hb.of[0] = t->porf.of[0] = 1; /* setup happens before */
    t->op = t->last_access = -1;
    t->clock_ns = R.running ? R.current->clock_ns : 1000000000u;
    t->random = 1;
    tls_reset(tid);
    local_begin(tid);
    stack_begin(t);
    fiber_prepare(t, thread_entry);
}
