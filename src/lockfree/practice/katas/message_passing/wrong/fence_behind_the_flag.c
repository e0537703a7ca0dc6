/* fails: model D1 */
/* The fence stands on the wrong side of the flag. */
#include "message_passing.h"

int letter_put(struct letter_box *box, const struct letter *letter) {
    if (atomic_load_explicit(&box->full, memory_order_relaxed))
        return 0;
    atomic_thread_fence(memory_order_acquire);
    box->inside = *letter;
    atomic_store_explicit(&box->full, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    return 1;
}

int letter_take(struct letter_box *box, struct letter *letter) {
    if (!atomic_load_explicit(&box->full, memory_order_relaxed))
        return 0;
    atomic_thread_fence(memory_order_acquire);
    *letter = box->inside;
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&box->full, 0, memory_order_relaxed);
    return 1;
}
