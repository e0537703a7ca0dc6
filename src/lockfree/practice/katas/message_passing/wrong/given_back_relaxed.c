/* fails: model D2 */
/* The letter may still be read when the box is given back. */
#include "message_passing.h"

int letter_put(struct letter_box *box, const struct letter *letter) {
    if (atomic_load_explicit(&box->full, memory_order_acquire))
        return 0;
    box->inside = *letter;
    atomic_store_explicit(&box->full, 1, memory_order_release);
    return 1;
}

int letter_take(struct letter_box *box, struct letter *letter) {
    if (!atomic_load_explicit(&box->full, memory_order_acquire))
        return 0;
    *letter = box->inside;
    atomic_store_explicit(&box->full, 0, memory_order_relaxed);
    return 1;
}
