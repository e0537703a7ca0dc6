/* supply.h: the states of a primitive that hands out things, n at a time, all or nothing: how many are free, out with the
 * dead, and kept for the one that takes them over. The file that includes it has the calls survivor_available, survivor_alloc,
 * survivor_free and survivor_adopt, and before that THINGS and KEPT, the words for what is handed out and what is kept. */
#ifndef LOCKFREE_KILL_SUPPLY_H
#define LOCKFREE_KILL_SUPPLY_H

#define WORLDS 32
#include "worlds.h"

static int agrees(struct world *w, const struct kill_message *m) {
    int64_t n = (int64_t)m->amount;
    if (m->call == survivor_available)
        return m->answer == w->free;
    if (m->call == survivor_adopt) {
        int64_t count = w->sealed;
        w->sealed = 0;
        return m->answer == (count > 0 ? count : (int64_t)LF_EMPTY);
    }
    if (m->call == survivor_free)
        return w->free += n, m->answer == LF_OK;
    if (m->answer == LF_OK && w->free >= n)
        return w->free -= n, 1;
    return m->answer == LF_EMPTY && w->free < n && (m->deadline == 0 || w->out == 0);
}

/* One by one: each recovery may be done in part, by anybody. */
static void comes_back(const struct world *w) {
    for (int64_t back = 1; back <= w->out; back++)
        possible(w->free + back, w->out - back, w->sealed);
}

static int describe(const struct world *w, char *text, size_t room) {
    return snprintf(text, room, "%lld free with %lld out and %lld " KEPT, (long long)w->free, (long long)w->out,
                    (long long)w->sealed);
}

#endif
