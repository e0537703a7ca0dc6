/* meeting.c: which threads have come to which barrier, and whether it is open for those that wait there. */
#include "steps.h"

#include <string.h>

enum { MAX_BARRIERS = 256 };

MODEL_STATE static struct barrier barriers[MAX_BARRIERS];
MODEL_STATE static int barrier_count;

void barriers_reset(void) { barrier_count = 0; }

struct barrier *barrier_known(uintptr_t at) {
    for (int i = 0; i < barrier_count; i++)
        if (barriers[i].at == at)
            return &barriers[i];
    return NULL;
}

struct barrier *barrier_at(uintptr_t at, int awaited) {
    struct barrier *known = barrier_known(at);
    if (known != NULL)
        return known;
    if (barrier_count == MAX_BARRIERS)
        too_large(MAX_BARRIERS, "barriers");
    struct barrier *barrier = &barriers[barrier_count++];
    memset(barrier, 0, sizeof *barrier);
    barrier->at = at;
    barrier->awaited = awaited;
    return barrier;
}

int have_come(const struct barrier *barrier, int meeting) {
    int come = 0;
    for (int t = 0; t < MAX_THREADS; t++)
        come += barrier->arrivals[t] >= meeting;
    return come;
}

bool barrier_is_open(const struct thread *t) {
    return have_come(t->barrier, t->barrier->arrivals[t->tid]) == t->barrier->awaited;
}
