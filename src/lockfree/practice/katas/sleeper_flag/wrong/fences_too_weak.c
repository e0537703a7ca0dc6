/* fails: model F1 */
/* An acq_rel fence does not keep a store before a later load. */
#include "sleeper_flag.h"

void event_wait(struct event *event) {
    while (!atomic_load_explicit(&event->set, memory_order_acquire)) {
        atomic_store_explicit(&event->sleepers, 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_acq_rel);
        futex_wait(&event->set, 0);
    }
}

void event_set(struct event *event) {
    atomic_store_explicit(&event->set, 1, memory_order_release);
    atomic_thread_fence(memory_order_acq_rel);
    if (atomic_load_explicit(&event->sleepers, memory_order_relaxed))
        futex_wake(&event->set, UINT32_MAX);
}
