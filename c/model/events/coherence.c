/* coherence.c: RC11's axiom for each location. */
#include "events.h"

/* The newest store that an event with this clock may not overlook (coherence: its own and earlier
 * threads' writes and reads). */
int coherence_bound(const struct loc *loc, const clk *hb) {
    for (int i = loc->stores - 1; i > 0; i--) {
        const struct event *w = &R.event[loc->store[i]];
        if (clk_has(hb, w))
            return i;
        for (int r = w->first_reader; r != NO_EVENT; r = R.event[r].next_reader)
            if (clk_has(hb, &R.event[r]))
                return i;
    }
    return 0;
}
