/* hope.c: is there something for a thread to find at its next read? If not, others go first. */
#include "events.h"

/* Would its next read, if it waits for something, find that in the newest store? */
bool is_hopeful(const struct thread *t) {
    if ((t->hopes_for == NULL && !t->tries_again) || !R.graph_rules)
        return true;
    const struct loc *loc = locations_overlapping(t->hopes_at, 1, NULL);
    bool there = loc != NULL && loc->stores != 0 && !loc->plain_pending;
    if (t->hopes_for == NULL) /* it tries again what it tried before */
        return !there || !turns_would_be_in_vain(t, loc, R.event[loc->store[loc->stores - 1]].value, SEQ_CST);
    if (!there && t->hopes_for == vain_is_not)
        return true;
    u128 value = there                    ? R.event[loc->store[loc->stores - 1]].value
                 : t->hopes_at >> 62 == 0 ? memory_get(t->hopes_at, 4)
                                          : 0;
    return t->hopes_for(value, t->hopes_with);
}
