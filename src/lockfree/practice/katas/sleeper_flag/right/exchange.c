/* Both change the word `set`: 2 says that somebody sleeps. So one of the two must come second, and sees the other one. */
#include "sleeper_flag.h"

void event_wait(struct event *event) {
    while (atomic_load_explicit(&event->set, memory_order_acquire) != 1) {
        uint32_t seen = 0;
        if (atomic_compare_exchange_strong_explicit(&event->set, &seen, 2, memory_order_relaxed,
                                                    memory_order_relaxed) ||
            seen == 2)
            futex_wait(&event->set, 2);
    }
}

void event_set(struct event *event) {
    if (atomic_exchange_explicit(&event->set, 1, memory_order_release) == 2)
        futex_wake(&event->set, UINT32_MAX);
}
