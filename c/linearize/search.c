/* The general search: both of its forms by turns, with more patience each time. */
#include "linearize/search.h"

enum { LIN_PATIENCE = 1 << 12, LIN_FORMS = 4, LIN_FRONTIER = 3, LIN_FRONTIER_AFTER = 1 << 15 };

int lin_reject_all(struct lin_problem *p) {
    uint32_t last = p->events - 1;
    while (!(p->event[last] & 1))
        last--;
    return lin_reject_window(p, p->event[last] >> 1, 0, last);
}

/* The depth-first search has shown that there is no order. The frontier says so, too (that is exact, and tells where it
 * breaks), unless it is too large: then all operations together are the counterexample. */
static int lin_reject_exactly(struct lin_problem *p, uint64_t patience) {
    struct lin_run *run = p->run;
    int again = lin_frontier(p, patience);
    if (again != LIN_UNDECIDED)
        return again;
    if (run->stopped && run->stopped != LF_LIN_MEMORY && run->stopped != LF_LIN_TIME)
        return LIN_UNDECIDED;
    run->stopped = 0;
    return lin_reject_all(p);
}

/* One search; running out of memory is its own failure, not that of the others. */
static int lin_one_search(struct lin_problem *p, struct lin_depth *d, int form, uint64_t patience) {
    struct lin_run *run = p->run;
    struct lin_block *mark = run->blocks;
    if (form != LIN_FRONTIER)
        return lin_depth_first(d, (enum lin_first)form, patience);
    int answer = lin_frontier(p, patience);
    lin_release(run, mark);
    return answer;
}

/* The depth-first search alone, for `effort` configurations. */
int lin_search_soon(struct lin_problem *p, uint64_t effort) {
    struct lin_run *run = p->run;
    struct lin_block *mark = run->blocks;
    uint64_t before = run->result->configurations;
    struct lin_depth *d = lin_most_open(p) > LIN_OPEN_MAX || (p->skip && p->before) ? NULL : lin_depth_open(p);
    int answer = LIN_UNDECIDED;
    for (uint64_t patience = LIN_PATIENCE; d && !run->stopped && answer == LIN_UNDECIDED; patience *= 2) {
        if (run->result->configurations - before >= effort)
            break;
        for (int form = 0; form < LIN_FRONTIER && answer == LIN_UNDECIDED && !run->stopped; form++)
            answer = lin_depth_first(d, (enum lin_first)form, patience);
    }
    bool exact = d && lin_depth_is_exact(d);
    if (answer == LIN_ACCEPT)
        return answer;
    lin_release(run, mark);
    if (run->stopped == LF_LIN_MEMORY)
        run->stopped = 0;
    return answer == LIN_REJECT && exact ? lin_reject_exactly(p, effort) : LIN_UNDECIDED;
}

/* Turns of a problem begin with little patience: most histories are easy in one of the orders, hard in others. */
int lin_search(struct lin_problem *p) {
    struct lin_run *run = p->run;
    if (lin_most_open(p) > LIN_OPEN_MAX) {
        run->stopped = LF_LIN_TOO_OPEN;
        return LIN_UNDECIDED;
    }
    int32_t only = run->options->general_only;
    bool placing = p->skip && p->before; /* weak answers in batches: the frontier alone knows where they fit */
    bool out[LIN_FORMS] = {placing, placing, placing, false};
    for (int form = 0; form < LIN_FORMS && only >= LF_LIN_ONLY_BY_RETURN; form++)
        out[form] |= form != only - LF_LIN_ONLY_BY_RETURN;
    if (out[0] && out[1] && out[2] && out[3])
        run->stopped = LF_LIN_UNDECIDED;
    struct lin_block *mark = run->blocks;
    struct lin_depth *d = NULL;
    bool memory = false;
    uint32_t furthest = 0;
    uint64_t patience = LIN_PATIENCE / 2;
    while (!run->stopped) {
        if (run->allowance && run->result->configurations - run->spent_before > run->allowance) {
            lin_release(run, mark);
            return LIN_UNDECIDED;
        }
        /* where the search got on, the next hard place is another one */
        patience = d && lin_depth_furthest(d) > furthest ? LIN_PATIENCE : 2 * patience;
        furthest = d ? lin_depth_furthest(d) : 0;
        for (int form = 0; form < LIN_FORMS; form++) {
            if (out[form] || (form == LIN_FRONTIER && d && patience < LIN_FRONTIER_AFTER))
                continue;
            if (form != LIN_FRONTIER && !d)
                d = lin_depth_open(p);
            int answer = LIN_UNDECIDED;
            if (form == LIN_FRONTIER || d)
                answer = lin_one_search(p, d, form,
                                        placing                ? UINT64_MAX
                                        : form == LIN_FRONTIER ? patience / 4
                                                               : patience);
            if (answer == LIN_REJECT && form != LIN_FRONTIER) {
                bool exact = lin_depth_is_exact(d);
                lin_release(run, mark);
                return exact            ? lin_reject_exactly(p, 8 * patience)
                       : run->allowance ? lin_frontier(p, 4 * run->allowance)
                                        : lin_frontier(p, UINT64_MAX);
            }
            if (answer != LIN_UNDECIDED)
                return answer;
            if (run->stopped && run->stopped != LF_LIN_MEMORY)
                return answer;
            if (run->stopped == LF_LIN_MEMORY && form != LIN_FRONTIER) {
                out[0] = out[1] = out[2] = true;
                lin_release(run, mark);
                d = NULL;
            }
            out[form] |= run->stopped == LF_LIN_MEMORY;
            memory |= run->stopped == LF_LIN_MEMORY;
            if (out[0] && out[1] && out[2] && out[3]) {
                run->stopped = memory ? LF_LIN_MEMORY : LF_LIN_UNDECIDED;
                return answer;
            }
            run->stopped = 0;
        }
    }
    return LIN_UNDECIDED;
}
