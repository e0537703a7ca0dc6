/* fails: model F4 */
/* Takes the end of a sleep for the event. */
#include "sleeper_flag.h"

void event_wait(struct event *event) {
    if (atomic_load(&event->set))
        return;
    atomic_store(&event->sleepers, 1);
    futex_wait(&event->set, 0);
}

void event_set(struct event *event) {
    atomic_store(&event->set, 1);
    if (atomic_load(&event->sleepers))
        futex_wake(&event->set, UINT32_MAX);
}
