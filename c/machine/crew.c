#include "crew.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

static int lf_pin(int cpu) {
    if (cpu < 0)
        return 0;
    cpu_set_t *set = CPU_ALLOC((size_t)cpu + 1);
    if (set == NULL)
        return -ENOMEM;
    size_t bytes = CPU_ALLOC_SIZE((size_t)cpu + 1);
    CPU_ZERO_S(bytes, set);
    CPU_SET_S((size_t)cpu, bytes, set);
    int error = sched_setaffinity(0, bytes, set) == 0 ? 0 : -errno;
    CPU_FREE(set);
    return error;
}

static void *lf_member_main(void *argument) {
    struct lf_member *m = argument;
    m->error = lf_pin(m->cpu);
    if (m->error == 0 && m->prepare != NULL)
        m->error = m->prepare(m);
    lf_fetch_add_acq_rel(&m->crew->ready, 1u);                    /* [M1] pairs with [M2]: errors are written */
    for (uint32_t turns = 0; lf_load_acquire(&m->crew->go) == 0;) /* [M3] pairs with [M4]: all are there */
        if ((++turns & 0xff) == 0)
            sched_yield();
    if (!m->crew->failed) {
        uint64_t began = lf_now(), ran = lf__clock(CLOCK_THREAD_CPUTIME_ID);
        m->work(m);
        m->share.cpu_ns = lf__clock(CLOCK_THREAD_CPUTIME_ID) - ran;
        m->share.ns = lf_now() - began;
    }
    return NULL;
}

struct lf_member *lf_crew_members(int count) {
    struct lf_member *made = aligned_alloc(_Alignof(struct lf_member), (size_t)count * sizeof *made);
    if (made != NULL)
        memset(made, 0, (size_t)count * sizeof *made);
    return made;
}

int lf_crew_run(int (*prepare)(struct lf_member *), void (*work)(struct lf_member *), void *job, const int *cpus,
                int count, uint64_t ns, struct lf_member *members) {
    struct lf_crew crew = {.count = count, .job = job};
    pthread_t *threads = calloc((size_t)count, sizeof *threads);
    int error = threads == NULL ? -ENOMEM : 0, made = 0;
    for (; made < count && error == 0; made++) {
        members[made].crew = &crew;
        members[made].number = made;
        members[made].cpu = cpus[made];
        members[made].prepare = prepare;
        members[made].work = work;
        error = -pthread_create(&threads[made], NULL, lf_member_main, &members[made]);
        if (error != 0)
            break;
    }
    while (lf_load_acquire(&crew.ready) != (uint32_t)made) /* [M2] pairs with [M1] */
        lf_nap(20000);
    for (int i = 0; i < made && error == 0; i++)
        error = members[i].error;
    crew.failed = error != 0;
    lf_store_release(&crew.go, 1u); /* [M4] pairs with [M3] */
    if (error == 0 && ns != 0)
        lf_nap(ns);
    lf_store_relaxed(&crew.stop, 1u);
    for (int i = 0; i < made; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < made; i++)
        free(members[i].own);
    free(threads);
    return error;
}

static void lf_nothing(struct lf_member *m) { (void)m; }

int lf_machine_can_pin(int cpu) {
    struct lf_member *one = lf_crew_members(1);
    if (one == NULL)
        return -ENOMEM;
    int error = lf_crew_run(NULL, lf_nothing, NULL, &cpu, 1, 0, one);
    free(one);
    return error;
}
