/* Runs the litmus tests on the hardware: many instances of the two words, and a meeting of the threads before each.
 *
 * Source: the shape of a run is that of litmus7, Alglave, Maranget, Sarkar and Sewell, "Litmus", 2011. */
#include "crew.h"
#include "litmus_tests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LF_INSTANCES = 512 };

struct lf_litmus_cell {
    LF_ALIGNED uint32_t x;
    LF_ALIGNED uint32_t y;
};

struct lf_litmus_place { /* owner: one thread */
    LF_ALIGNED uint64_t arrived;
    uint32_t results[LF_INSTANCES][LF_LITMUS_THREADS];
};

struct lf_litmus_job {
    const struct lf_litmus_test *test;
    struct lf_litmus_cell cells[LF_INSTANCES];
    struct lf_litmus_place places[LF_LITMUS_THREADS];
    LF_ALIGNED uint32_t last; /* owner: thread 0. There is no batch after this one */
    uint64_t *outcomes;
};

/* Returns when all threads have come. Nobody leaves the crew between two meetings. */
static void lf_litmus_meet(struct lf_member *m, struct lf_litmus_job *job, uint64_t *meeting) {
    uint32_t turns = 0;
    lf_store_release(&job->places[m->number].arrived, ++*meeting); /* [M5] pairs with [M6] */
    for (int i = 0; i < job->test->threads; i++)
        while (lf_load_acquire(&job->places[i].arrived) < *meeting) /* [M6] pairs with [M5] */
            (void)lf_crew_waits(m, &turns);
}

static void lf_litmus_tally(struct lf_litmus_job *job) {
    for (int k = 0; k < LF_INSTANCES; k++) {
        uint32_t results[LF_LITMUS_THREADS] = {0}, outcome = 0;
        if (job->test->final) {
            results[0] = job->cells[k].x;
            results[1] = job->cells[k].y;
        }
        for (int i = 0; i < LF_LITMUS_THREADS; i++) {
            for (int t = 0; t < job->test->threads; t++)
                results[i] |= job->places[t].results[k][i]; /* a thread leaves 0 where a result is not its own */
            outcome |= (results[i] & 3u) << 2 * i;
        }
        job->outcomes[outcome]++;
    }
}

static void lf_litmus_work(struct lf_member *m) {
    struct lf_litmus_job *job = m->crew->job;
    lf_litmus_body *body = job->test->bodies[m->number];
    struct lf_litmus_place *place = &job->places[m->number];
    uint64_t meeting = 0, random = 0x9e3779b97f4a7c15u + (uint64_t)m->number;
    for (uint32_t batch = 0; !job->last; batch++) {
        uint32_t spread = (1u << batch % 9) - 1; /* how far apart the threads may begin, in turns of an empty loop */
        for (int k = 0; k < LF_INSTANCES; k++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            uint32_t delay = (uint32_t)random & spread;
            lf_litmus_meet(m, job, &meeting);
            for (; delay > 0; delay--)
                lf_fence_light();
            body(&job->cells[k].x, &job->cells[k].y, place->results[k]);
        }
        lf_litmus_meet(m, job, &meeting);
        if (m->number == 0) {
            lf_litmus_tally(job);
            memset(job->cells, 0, sizeof job->cells);
            job->last = (uint32_t)lf_crew_stopped(m);
        }
        lf_litmus_meet(m, job, &meeting);
    }
}

int lf_litmus_tests(void) { return (int)(sizeof lf_litmus_list / sizeof *lf_litmus_list); }
const char *lf_litmus_name(int test) { return lf_litmus_list[test].name; }
int lf_litmus_threads(int test) { return lf_litmus_list[test].threads; }
int lf_litmus_results(int test) { return lf_litmus_list[test].results; }

int lf_litmus_run(int test, const int *cpus, uint64_t ns, uint64_t *outcomes) {
    if (test < 0 || test >= lf_litmus_tests())
        return -EINVAL;
    struct lf_litmus_job *job = aligned_alloc(LF_CACHE_LINE, sizeof *job);
    struct lf_member *members = lf_crew_members(LF_LITMUS_THREADS);
    int error = job == NULL || members == NULL ? -ENOMEM : 0;
    if (error == 0) {
        memset(job, 0, sizeof *job);
        job->test = &lf_litmus_list[test];
        job->outcomes = outcomes;
        error = lf_crew_run(NULL, lf_litmus_work, job, cpus, job->test->threads, ns, members);
    }
    free(members);
    free(job);
    return error;
}
