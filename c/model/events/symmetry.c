/* symmetry.c: threads that do the same are explored in one order.
 *
 * Two threads are twins if they run the same function with the same argument and began one directly after the other.
 * Exchanging their numbers turns an execution into one that is as right or as wrong. So of each two such executions one
 * is enough: that in which the first step at which the younger twin does something else than the elder does not come
 * before the elder's (in program order and reads-from). The steps before that are loads of the same stores, and fences.
 * In the search, such a step of the younger is treated as if it depended on the elder's step of the same number.
 *
 * Why one of them is always left: take an order of all steps that program order and reads-from allow. Equal prefixes
 * of threads form a tree. Sort the threads by the earliest step at each of its nodes, and let each load that twins have
 * in common take place when the first of them does: it needs nothing but the store it reads and the loads before it.
 * The result is an order that keeps all these dependencies, with the threads numbered as they are sorted. (The idea of
 * following symmetry in the prefix of a graph is that of SPORE: Kokologiannakis, Marmanis, Vafeiadis, PLDI 2024.)
 *
 * Twins are no twins if anybody tells them apart: a thread that asks who it is, or a creator that does something between
 * the joins. Then the search starts over without this. */
#include "events.h"

static bool in_use(void) {
    return R.options.mode == MODE_EXHAUSTIVE && !R.symmetry_off && R.options.stop_thread == 0 && R.options.spins == 0 &&
           R.client->spins == 0 && R.client->no_membarrier == 0 &&
           (R.options.symmetry || (!R.options.no_symmetry && !R.options.outcomes));
}

/* Specifications of a client may look at numbers of threads. */
static bool is_known(const struct lf_model_spec *spec) {
    const struct lf_model_spec *known[] = {NULL,
                                           &lf_model_fifo,
                                           &lf_model_stack,
                                           &lf_model_priority_queue,
                                           &lf_model_register,
                                           &lf_model_counter,
                                           &lf_model_mutex,
                                           &lf_model_semaphore};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i] == spec)
            return true;
    return false;
}

static void make_twins(int elder, int younger) {
    if (elder == 0 || !in_use() || !is_known(R.client->spec))
        return;
    R.thread[younger].elder = R.thread[younger].twin_of = elder;
    R.any_twins = true;
}

/* Of the threads that are there from the beginning. */
void symmetry_of_client(void) {
    R.any_twins = false;
    for (int t = 2; t <= R.client_threads; t++)
        if (R.client->threads[t - 1] == R.client->threads[t - 2])
            make_twins(t - 1, t);
}

/* Of a thread that has just been created. */
void symmetry_of_created(struct thread *creator, int tid) {
    const struct thread *last = creator->last_created != 0 ? &R.thread[creator->last_created] : NULL,
                        *t = &R.thread[tid];
    if (last != NULL && last->start == t->start && last->argument == t->argument &&
        creator->events == creator->at_last_created + 1)
        make_twins(creator->last_created, tid);
    creator->last_created = tid;
    creator->at_last_created = creator->events;
}

/* Somebody tells twins apart. */
void symmetry_is_broken(void) {
    if (!R.running || !R.any_twins || !in_use())
        return;
    R.symmetry_off = true;
    leave_run(RUN_AGAIN);
}

static bool is_twin(int tid) {
    bool found = R.thread[tid].twin_of != 0;
    for (int t = 1; t <= R.threads && !found; t++)
        found = R.thread[t].twin_of == tid;
    return found;
}

/* A thread that joins one of several twins may do nothing else before it has joined all of them, nor look at what they
 * return. */
void symmetry_joins(struct thread *t, int tid, bool looks_at_result) {
    if (!R.any_twins || !is_twin(tid))
        return;
    t->joins_twins = true;
    if (looks_at_result && R.thread[tid].result != NULL)
        symmetry_is_broken();
}

void symmetry_does_something_else(struct thread *t) {
    bool some_joined = false;
    for (int u = 1; u <= R.threads; u++)
        some_joined |= R.thread[u].twin_of != 0 && R.thread[u].joined != R.thread[R.thread[u].twin_of].joined;
    t->joins_twins = false;
    if (some_joined)
        symmetry_is_broken();
}

static bool same_step(const struct event *a, const struct event *b) {
    if (a->kind != b->kind || a->loc != b->loc || a->order != b->order || a->pc != b->pc || a->value != b->value)
        return false;
    return a->kind == EV_LOAD ? a->rf == b->rf : a->kind == EV_FENCE || (a->kind == EV_CHOICE && !a->of_loop);
}

/* Before a step of the thread that is running. */
void symmetry_step(struct thread *t) {
    if (t->elder == 0 || !in_use())
        return;
    const struct thread *elder = &R.thread[t->elder];
    int last = t->events - 1;
    if (last >= 0 && (elder->events <= last ||
                      !same_step(&R.event[R.by_thread[t->elder][last]], &R.event[R.by_thread[t->tid][last]]))) {
        t->elder = 0; /* they have parted */
        return;
    }
    if (elder->events <= t->events)
        return;
    const struct event *step = &R.event[R.by_thread[t->elder][t->events]];
    if (step->kind == EV_RMW_READ && elder->events > t->events + 1) /* its store belongs to it */
        step = &R.event[R.by_thread[t->elder][t->events + 1]];
    clk_join(&t->porf, &step->porf);
}
