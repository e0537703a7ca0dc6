/* fails: model F1 */
/* A sleeper that comes between the look and the store is forgotten. */
#include "sleeper_flag.h"

void event_wait(struct event *event) {
    while (!atomic_load(&event->set)) {
        atomic_store(&event->sleepers, 1);
        if (!atomic_load(&event->set))
            futex_wait(&event->set, 0);
    }
}

void event_set(struct event *event) {
    uint32_t sleepers = atomic_load(&event->sleepers);
    atomic_store(&event->set, 1);
    if (sleepers)
        futex_wake(&event->set, UINT32_MAX);
}
