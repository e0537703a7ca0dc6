/* fails: stop D4 */
/* A spin lock around both calls. */
#include "message_passing.h"

static atomic_flag busy = ATOMIC_FLAG_INIT;

static void enter(void) {
    while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire))
        ;
}
static void leave(void) { atomic_flag_clear_explicit(&busy, memory_order_release); }

int letter_put(struct letter_box *box, const struct letter *letter) {
    enter();
    int room = !atomic_load_explicit(&box->full, memory_order_relaxed);
    if (room) {
        box->inside = *letter;
        atomic_store_explicit(&box->full, 1, memory_order_relaxed);
    }
    leave();
    return room;
}

int letter_take(struct letter_box *box, struct letter *letter) {
    enter();
    int any = atomic_load_explicit(&box->full, memory_order_relaxed);
    if (any) {
        *letter = box->inside;
        atomic_store_explicit(&box->full, 0, memory_order_relaxed);
    }
    leave();
    return any;
}
