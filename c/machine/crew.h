/* crew.h: threads that begin together, each on its processor, and stop when told. */
#ifndef LOCKFREE_MACHINE_CREW_H
#define LOCKFREE_MACHINE_CREW_H

#include "machine.h"

#include <sched.h>

struct lf_crew {
    LF_ALIGNED uint32_t stop; /* read by all at each turn, written once: stays in everybody's cache */
    LF_ALIGNED uint32_t ready;
    LF_ALIGNED uint32_t go;
    int count, failed; /* written before `go` */
    void *job;
};

struct lf_member {
    LF_ALIGNED struct lf_crew *crew; /* each line has one owner: the thread */
    int number, cpu, error;
    int (*prepare)(struct lf_member *);
    void (*work)(struct lf_member *);
    void *own; /* what prepare made; freed after the end */
    struct lf_machine_share share;
};

/* Runs the threads for `ns`; 0 or a negative errno. `members` has `count` places; prepare may be NULL. */
int lf_crew_run(int (*prepare)(struct lf_member *), void (*work)(struct lf_member *), void *job, const int *cpus,
                int count, uint64_t ns, struct lf_member *members);

/* `members` for so many, zeroed; NULL: no memory. To be freed by the caller. */
struct lf_member *lf_crew_members(int count);

LF_INLINE int lf_crew_stopped(struct lf_member *m) { return (int)lf_load_relaxed(&m->crew->stop); }

/* One turn of a loop that waits for another thread; whether the crew was told to stop. */
LF_INLINE int lf_crew_waits(struct lf_member *m, uint32_t *turns) {
    if (((*turns)++ & 0xfff) != 0xfff)
        return 0;
    sched_yield(); /* the other one may have no processor */
    return lf_crew_stopped(m);
}

#endif
