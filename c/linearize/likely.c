/* Where in the order of a queue a value most likely stands. A put tells it between two numbers of values put so far, and a
 * get between two numbers of values taken so far. Both are right: so it is in the middle of what they have in common. */
#include "linearize/internal.h"

/* before[g]: how many values have the middle of their put, or of their get, before gap g */
static uint32_t *lin_middles(struct lin_problem *p, const struct lin_value *v, uint32_t m, bool puts) {
    uint32_t *before = lin_alloc(p->run, p->events + 2, sizeof *before);
    if (!before)
        return NULL;
    memset(before, 0, (p->events + 2) * sizeof *before);
    for (uint32_t i = 0; i < m; i++)
        if (puts)
            before[(v[i].put_lo + v[i].put_hi) / 2 + 1]++;
        else if (v[i].get != LIN_NO)
            before[(v[i].get_lo + v[i].get_hi) / 2 + 1]++;
    for (uint32_t g = 1; g < p->events + 2; g++)
        before[g] += before[g - 1];
    return before;
}

bool lin_likely_places(struct lin_problem *p, const struct lin_value *v, uint32_t m, uint32_t *place) {
    uint32_t *put = lin_middles(p, v, m, true), *got = lin_middles(p, v, m, false);
    for (uint32_t i = 0; i < m && !p->run->stopped; i++) {
        uint32_t lo = put[v[i].put_lo], hi = put[v[i].put_hi + 1];
        if (v[i].get != LIN_NO) {
            lo = lin_max(lo, got[v[i].get_lo]);
            hi = lin_min(hi, got[v[i].get_hi + 1]);
        }
        place[i] = lo + hi;
    }
    lin_free(p->run, got);
    lin_free(p->run, put);
    return !p->run->stopped;
}
