/* fails: edges F2 */
/* Each set is a system call. */
#include "sleeper_flag.h"

void event_wait(struct event *event) {
    while (!atomic_load(&event->set)) {
        atomic_store(&event->sleepers, 1);
        if (!atomic_load(&event->set))
            futex_wait(&event->set, 0);
    }
}

void event_set(struct event *event) {
    atomic_store(&event->set, 1);
    futex_wake(&event->set, UINT32_MAX);
}
