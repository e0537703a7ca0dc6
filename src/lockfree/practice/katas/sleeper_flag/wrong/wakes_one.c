/* fails: edges F1 */
/* Two sleep, and one is woken. */
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
    if (atomic_load(&event->sleepers))
        futex_wake(&event->set, 1);
}
