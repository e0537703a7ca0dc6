/* asymmetric.c: asymmetric fences. A light fence is a compiler's barrier (atomic_signal_fence) in a thread whose process
 * is registered; a heavy one is membarrier(2). The axiom, beside those of RC11: there is no cycle of a light fence L and
 * a heavy fence H,
 *   L ; (hb | hb;eco;hb) ; H ; (hb | hb;eco;hb) ; L
 * Two light fences promise each other nothing, nor does a light one and an ordinary fence. This is weaker than the
 * kernel's promise, that each thread passes a full fence between the begin and the end of the call: let F be that fence in
 * the thread of L. If the first half holds through an access a behind L, F is behind a, or else the thread would have seen
 * what was before H. If the second half holds through an access d before L, F is before d, or else the caller would see
 * d. So F would be behind L and before it. (WG21 P1202 has the same rule in other words.)
 *
 * A new event is the last of all in hb, so it closes a cycle only by an edge of eco that leads out of it: if it reads a
 * store that is not the newest, or stores into the middle of mo. */
#include "events.h"

/* Place in the order eco of a location: stores are even, the reads of them one above. */
static int rank_of(const struct event *e) { return is_store(e) ? 2 * e->mo : 2 * R.event[e->rf].mo + 1; }

static bool is_access(const struct event *e) { return e->loc != NULL && e->kind != EV_INIT; }

static bool reaches(const struct event *heavy, const struct event *light) {
    return heavy->heavy == HEAVY_SETTLED || light->light == LIGHT_REACHED;
}

struct around { /* one heavy fence */
    const struct event *heavy;
    clk before;                 /* light fences in it are before the heavy one */
    int32_t after[MAX_THREADS]; /* first event of each thread that is eco-behind what is behind the heavy one */
};

static struct around around(const struct event *heavy) {
    struct around a = {.heavy = heavy, .before = heavy->hb};
    for (int id = 0; id < R.events; id++)
        if (R.event[id].loc != NULL) {
            R.event[id].loc->newest_before = -1;
            R.event[id].loc->oldest_behind = INT32_MAX;
        }
    for (int id = 0; id < R.events; id++) {
        const struct event *e = &R.event[id];
        if (!is_access(e))
            continue;
        int rank = rank_of(e);
        if (clk_has(&heavy->hb, e) && rank > e->loc->newest_before)
            e->loc->newest_before = rank;
        if (clk_has(&e->hb, heavy) && rank < e->loc->oldest_behind)
            e->loc->oldest_behind = rank;
    }
    for (int t = 0; t < MAX_THREADS; t++)
        a.after[t] = INT32_MAX;
    for (int id = 0; id < R.events; id++) {
        const struct event *e = &R.event[id];
        if (!is_access(e))
            continue;
        int rank = rank_of(e);
        if (rank < e->loc->newest_before)
            clk_join(&a.before, &e->hb);
        if (rank > e->loc->oldest_behind && e->idx < a.after[e->tid])
            a.after[e->tid] = e->idx;
    }
    return a;
}

static bool light_is_before(const struct around *a, const struct event *light) { return clk_has(&a->before, light); }

static bool light_is_behind(const struct around *a, const struct event *light) {
    if (clk_has(&light->hb, a->heavy))
        return true;
    for (int t = 1; t < MAX_THREADS; t++)
        if (light->hb.of[t] > a->after[t])
            return true;
    return false;
}

/* An event with this clock that is not there yet, before the accesses to loc from rank `first` on. */
static bool closes_a_cycle(const struct around *a, const struct event *light, const struct loc *loc, int first,
                           const clk *hb) {
    bool before = false, behind = false;
    if (clk_has(hb, light) && light_is_behind(a, light))
        before = loc->newest_before >= first;
    if (clk_has(hb, a->heavy) && light_is_before(a, light))
        for (int id = 0; id < R.events && !behind; id++) {
            const struct event *d = &R.event[id];
            behind = d->loc == loc && is_access(d) && rank_of(d) >= first && clk_has(&light->hb, d);
        }
    return before || behind;
}

bool asymmetric_allows(const struct loc *loc, int first_store, const clk *hb) {
    if (!R.any_light || !R.any_heavy)
        return true;
    for (int h = 0; h < R.events; h++) {
        if (R.event[h].heavy == NOT_HEAVY)
            continue;
        struct around a = around(&R.event[h]);
        for (int l = 0; l < R.events; l++) {
            const struct event *light = &R.event[l];
            if (light->light != NOT_LIGHT && reaches(a.heavy, light) &&
                closes_a_cycle(&a, light, loc, 2 * first_store, hb))
                return false;
        }
    }
    return true;
}
