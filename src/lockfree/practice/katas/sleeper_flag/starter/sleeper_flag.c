/* First say that you sleep, then look again, then sleep. What can go wrong? */
#include "sleeper_flag.h"

void event_wait(struct event *event) {
    while (!atomic_load_explicit(&event->set, memory_order_acquire)) {
        atomic_store_explicit(&event->sleepers, 1, memory_order_release);
        futex_wait(&event->set, 0);
    }
}

void event_set(struct event *event) {
    atomic_store_explicit(&event->set, 1, memory_order_release);
    if (atomic_load_explicit(&event->sleepers, memory_order_acquire))
        futex_wake(&event->set, UINT32_MAX);
}
