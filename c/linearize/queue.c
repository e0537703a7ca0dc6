/* FIFO queue with distinct values, in O(n log n); bounded, with EMPTY, and with FULL of records in hand.
 *
 * A value is certainly inside after its put must have happened and before its get can have. Wrong are exactly:
 * a get without its put, a value taken twice or before its put, an overtaking (put a before put b, get b before
 * get a), and an EMPTY whose whole interval is filled by values certainly inside (Henzinger, Sezgin, Vafeiadis,
 * CONCUR 2013). To accept, values are put in an order that every interval allows, each put as late and each
 * get as early as that order permits: then the queue is as empty as it can be at every instant, so EMPTY
 * and the capacity hold if they can hold under that order. The linearization so found is replayed. With FULL in its
 * strict reading, fuller is better too: then lin_sweep follows every schedule of that order. */
#include "linearize/internal.h"

/* The values by the tickets of their puts, else of their gets; false if few have one, or if batches contradict. */
static bool lin_ticket_order(struct lin_problem *p, const struct lin_value *v, uint32_t m, uint32_t *order) {
    uint64_t *key = lin_alloc(p->run, m, sizeof *key);
    uint32_t known = 0, *place = lin_alloc(p->run, p->n, sizeof *place);
    if (p->run->stopped)
        return false;
    for (uint32_t i = 0; i < m; i++) {
        int64_t ticket = lin_ticket(lin_op(p, v[i].put));
        if (ticket == LIN_NO_TICKET && v[i].get != LIN_NO)
            ticket = lin_ticket(lin_op(p, v[i].get));
        known += ticket != LIN_NO_TICKET;
        key[i] = (uint64_t)ticket;
        order[i] = i;
    }
    bool fine = known > m / 2;
    if (fine)
        lin_sort_pairs(p->run, key, order, m);
    memset(place, 0xff, p->n * sizeof *place);
    for (uint32_t k = 0; k < m; k++) {
        place[v[order[k]].put] = k;
        if (v[order[k]].get != LIN_NO)
            place[v[order[k]].get] = k;
    }
    for (uint32_t i = 0; p->before && i < p->n; i++) {
        uint32_t b = p->before[i];
        while (b != LIN_NO && (place[b] == LIN_NO || lin_is_put(lin_op(p, b)) != lin_is_put(lin_op(p, i))))
            b = p->before[b];
        fine &= b == LIN_NO || place[i] == LIN_NO || place[b] < place[i];
    }
    lin_free(p->run, place);
    lin_free(p->run, key);
    return fine && !p->run->stopped;
}

/* Decides for one order: LIN_ACCEPT, or LIN_UNDECIDED. */
static int lin_try_order(struct lin_problem *p, struct lin_table *t, uint32_t *order) {
    if (lin_strict_full(p))
        return lin_sweep_reordering(p, t->values, t->m, order) ? LIN_ACCEPT : LIN_UNDECIDED;
    uint32_t *last_free = lin_last_free(p, t);
    bool holds = last_free && lin_pass_through(p, t, order, last_free, LIN_IN_LINE);
    lin_free(p->run, last_free);
    return holds ? LIN_ACCEPT : LIN_UNDECIDED;
}

int lin_decide_queue(struct lin_problem *p) {
    static const enum lin_prefer tries[] = {LIN_LIKELY, LIN_LAST_PUT, LIN_FIRST_GET, LIN_LAST_GET, LIN_FIRST_PUT};
    struct lin_run *run = p->run;
    struct lin_table t;
    int answer = lin_table_of_possible(p, &t);
    if (answer != LIN_ACCEPT)
        return answer;
    struct lin_value *values = t.values;
    uint32_t *order = lin_alloc(run, t.m, sizeof *order);
    if (!order)
        return LIN_UNDECIDED;
    /* without a bound, any order that the intervals allow is as good as any other (but for pending gets, batches) */
    size_t n = run->spec->capacity || t.loose_gets || p->before ? 5 : 2, k = lin_strict_full(p) ? 0 : 1;
    if (lin_ticket_order(p, t.values, t.m, order)) {
        lin_squeeze(t.values, order, t.m);
        if (lin_try_order(p, &t, order) == LIN_ACCEPT)
            return LIN_ACCEPT;
    }
    for (; k < n && !run->stopped; k++) {
        uint32_t loose = 0;
        if (t.loose_gets) {
            t.values = lin_alloc(run, t.m, sizeof *t.values);
            if (!t.values)
                return LIN_UNDECIDED;
            memcpy(t.values, values, t.m * sizeof *values);
        }
        answer = lin_value_order(p, t.values, t.m, &t, &loose, order, tries[k]);
        if (answer == LIN_REJECT)
            return LIN_REJECT;
        if (answer != LIN_ACCEPT)
            continue;
        lin_repair(p, t.values, t.m, order);
        if (lin_try_order(p, &t, order) == LIN_ACCEPT)
            return LIN_ACCEPT;
    }
    return LIN_UNDECIDED;
}
