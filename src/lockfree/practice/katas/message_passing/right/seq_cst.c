/* The plain form of the operations: sequentially consistent, and so acquire and release, too. */
#include "message_passing.h"

int letter_put(struct letter_box *box, const struct letter *letter) {
    if (atomic_load(&box->full))
        return 0;
    box->inside = *letter;
    atomic_store(&box->full, 1);
    return 1;
}

int letter_take(struct letter_box *box, struct letter *letter) {
    if (!atomic_load(&box->full))
        return 0;
    *letter = box->inside;
    atomic_store(&box->full, 0);
    return 1;
}
