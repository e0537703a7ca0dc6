/* barrier.c: barriers.
 *
 * The order of arrivals at a barrier changes nothing, so they are no stores to one place that the search would have
 * to order in every way. Where a barrier has as many threads as it awaits, each thread's nth call belongs to the nth
 * meeting: it is a step of its own, behind which the thread is stopped until the others have made theirs, and one
 * more, which comes after all of them. Which of them is told that it is the serial one is a choice, made only where the
 * caller looks at the answer.
 *
 * If more threads use a barrier than it awaits, which threads meet depends on the order. Then the search starts over,
 * and the barrier is an atomic counter (objects.h). */
#define _GNU_SOURCE
#include "objects.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

enum { MAX_CROWDED = 256, COUNT_AT = 4, LIVE_AT = 8 };
#define LIVE 0x6C6976656261721Fu

MODEL_STATE static uintptr_t crowded[MAX_CROWDED];
MODEL_STATE static int crowded_count;

static bool is_crowded(uintptr_t at) {
    for (int i = 0; i < crowded_count; i++)
        if (crowded[i] == at)
            return true;
    return false;
}

static int serial_or_not(struct barrier *barrier, int meeting, uint64_t pc) {
    int *asked = &barrier->meeting[meeting & 1].asked, *serial = &barrier->meeting[meeting & 1].serial;
    bool chosen = model_choose(2, pc) == 1;
    lf_model_assume(!(chosen && *serial > 0));
    *serial += chosen;
    ++*asked;
    lf_model_assume(*serial > 0 || *asked < barrier->awaited);
    return chosen ? PTHREAD_BARRIER_SERIAL_THREAD : 0;
}

static int meet(struct barrier *barrier, uint64_t pc) {
    struct thread *t = R.current;
    if (barrier->arrivals[t->tid] == 0 && barrier->participants++ == barrier->awaited) {
        if (crowded_count == MAX_CROWDED)
            too_large(MAX_CROWDED, "barriers with more threads than they await");
        crowded[crowded_count++] = barrier->at;
        leave_run(RUN_AGAIN);
    }
    turns_forget(t);
    LABELLED("arrives at the barrier", model_mark(pc));
    int meeting = ++barrier->arrivals[t->tid];
    if (have_come(barrier, meeting) == 1)
        barrier->meeting[meeting & 1].asked = barrier->meeting[meeting & 1].serial = 0;
    clk_join(&barrier->meeting[meeting & 1].hb, &t->hb);
    clk_join(&barrier->meeting[meeting & 1].porf, &t->porf);
    if (have_come(barrier, meeting) != barrier->awaited) {
        t->waits_to = "go past the barrier";
        t->waits_at = barrier->at;
        t->barrier = barrier;
        t->blocked = true;
        go_on();
        t->blocked = false;
        t->barrier = NULL;
        t->waits_to = NULL;
    }
    clk_join(&t->hb, &barrier->meeting[meeting & 1].hb);
    clk_join(&t->porf, &barrier->meeting[meeting & 1].porf);
    LABELLED("goes past the barrier", model_mark(pc));
    return answer_is_used(pc) ? serial_or_not(barrier, meeting, pc) : 0;
}

/* Where more threads come than are awaited. */
static u128 arrive(u128 old, u128 awaited) {
    return (old & READERS) + 1 == awaited ? (old / WRITER + 1) * WRITER : old + 1;
}

static int meet_in_some_order(uintptr_t at, u128 awaited, uint64_t pc) {
    struct thread *t = R.current;
    u128 old;
    LABELLED("arrive at", old = model_rmw(at, 4, arrive, awaited, ACQ_REL, pc));
    if ((old & READERS) + 1 == awaited)
        return PTHREAD_BARRIER_SERIAL_THREAD;
    for (;;) {
        u128 seen;
        LABELLED("wait at", seen = model_load(at, 4, ACQUIRE, pc));
        if (seen / WRITER != old / WRITER)
            break;
        wait_for_change(t, "go past the barrier", at);
    }
    goes_on(t);
    return 0;
}

int pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attributes, unsigned count) {
    (void)attributes;
    if (count == 0 || count > READERS)
        return EINVAL;
    if ((uint64_t)memory_get(AT(barrier) + LIVE_AT, 8) == LIVE)
        fail("misused lock", "T%d makes the barrier %p anew, which is in use @%lx@", current_thread(), (void *)barrier,
             (unsigned long)PC);
    make_anew(barrier, sizeof *barrier, PC);
    memory_put(AT(barrier) + COUNT_AT, 4, count);
    memory_put(AT(barrier) + LIVE_AT, 8, LIVE);
    struct barrier *before = barrier_known(AT(barrier));
    if (before != NULL)
        before->at = 0;
    return 0;
}

int pthread_barrier_destroy(pthread_barrier_t *barrier) {
    const struct barrier *known = barrier_known(AT(barrier));
    for (int t = 1; t <= R.threads && known != NULL; t++)
        if (R.thread[t].barrier == known && !barrier_is_open(&R.thread[t]))
            fail("misused lock", "T%d destroys the barrier %p while T%d waits at it @%lx@", current_thread(),
                 (void *)barrier, t, (unsigned long)PC);
    end_of_use(barrier, DESTROYED, NULL, PC);
    memory_put(AT(barrier) + LIVE_AT, 8, 0);
    return 0;
}

int pthread_barrier_wait(pthread_barrier_t *barrier) {
    uint64_t pc = PC;
    if (!R.running)
        fail("unusable client", "setup and final cannot wait at a barrier @%lx@", (unsigned long)pc);
    u128 state;
    LABELLED("comes to", state = model_load(AT(barrier), 4, RELAXED, pc));
    if (state == DESTROYED)
        used_after_destroy("a barrier", barrier, pc);
    else if ((uint64_t)memory_get(AT(barrier) + LIVE_AT, 8) != LIVE)
        fail("misused lock", "T%d waits at %p, which is no barrier: nobody has made it @%lx@", R.current->tid,
             (void *)barrier, (unsigned long)pc);
    u128 awaited = memory_get(AT(barrier) + COUNT_AT, 4);
    if (is_crowded(AT(barrier)))
        return meet_in_some_order(AT(barrier), awaited, pc);
    return meet(barrier_at(AT(barrier), (int)awaited), pc);
}
